"""Notice boards that are not what they promise."""

from vault.errors import NoObjectError, NoticeChangedError, StoreUnavailableError
from vault.notices import Notice


class MemoryNoticeBoard:
    """Notices in a dictionary, which a test may alter as whoever holds the store could; it fails when told to."""

    def __init__(self) -> None:
        self.notices: dict[str, bytes] = {}
        self.fails = False
        self.readings = 0

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        self._maybe_fail()
        if name not in self.notices:
            raise NoObjectError
        data = self.notices[name]
        if self._tag(data) == known:
            return None
        self.readings += 1
        return Notice(self._tag(data), data[:most])

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        self._maybe_fail()
        present = self.notices.get(name)
        if (None if present is None else self._tag(present)) != known:
            raise NoticeChangedError
        self.notices[name] = data
        return self._tag(data)

    async def remove_notice(self, name: str) -> None:
        self._maybe_fail()
        self.notices.pop(name, None)

    def _tag(self, data: bytes) -> str:
        return str(hash(data))

    def _maybe_fail(self) -> None:
        if self.fails:
            raise StoreUnavailableError


class HeedlessNoticeBoard(MemoryNoticeBoard):
    """Ignores which notice is to be replaced."""

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        self.notices[name] = data
        return self._tag(data)


class TalkativeNoticeBoard(MemoryNoticeBoard):
    """Gives a notice to whoever has it already."""

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        return await super().read_notice(name, most)
