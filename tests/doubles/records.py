"""Stores of records that are not what they promise."""

from collections.abc import AsyncGenerator

from vault.errors import NoObjectError, RecordChangedError, StoreUnavailableError


class MemoryRecords:
    """Records in a dictionary, which a test may alter as whoever holds the store could.

    It stops answering with the record after `answers` more, which is there all the same; `before_listing` happens
    while somebody waits for names.
    """

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.answers: float = float("inf")
        self.kept: list[str] = []

    async def keep(self, name: str, data: bytes) -> None:
        self._answer()
        if self.records.setdefault(name, data) != data:
            raise RecordChangedError
        self.kept.append(name)
        self.answers -= 1
        self._answer()

    async def read_record(self, name: str, most: int) -> bytes:
        if name not in self.records:
            raise NoObjectError
        return self.records[name][:most]

    async def record_names(self, folder: str, after: str = "") -> AsyncGenerator[str]:
        await self.before_listing()
        for name in sorted(self.records):
            if name.startswith(folder) and name > after:
                yield name

    async def before_listing(self) -> None:
        """Nothing, unless a test puts something in its place."""

    def _answer(self) -> None:
        if self.answers < 1:
            raise StoreUnavailableError
