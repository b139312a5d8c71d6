"""What a store keeps and never changes: the journal as it was published.

Unlike a document's object a record is never deleted, unlike a notice never replaced. How strongly that holds is the
store's matter: MinIO refuses to whoever has the service's own keys, a folder only asks its owner to.
"""

import re
from collections.abc import AsyncGenerator
from typing import Protocol

from vault.errors import NoObjectError

JOURNAL = "journal/"

RECORD = re.compile(r"journal(?:/[a-z0-9]{1,64}(?:\.p)?){1,8}")
"""A record's name; `.p` ends the folder of a partial tile (C2SP tlog-tiles)."""

_FOLDER = re.compile(r"journal/(?:[a-z0-9]{1,64}(?:\.p)?/){0,7}")


class RecordStore(Protocol):
    """Keeps records. Any method raises StoreUnavailableError when the store does not answer in time."""

    async def keep(self, name: str, data: bytes) -> None:
        """Keep a record, durably when this returns; it is all the same if the very bytes are there already.

        Raises RecordChangedError, and changes nothing, if others are.
        """
        ...

    async def read_record(self, name: str, most: int) -> bytes:
        """The record, of which at most so many bytes are read. Raises NoObjectError.

        Whoever has the store's keys may lay something over a record, which is then read: readers verify what they get.
        """
        ...

    def record_names(self, folder: str, after: str = "") -> AsyncGenerator[str]:
        """Names of records below a folder, which ends with a slash, in their order, from the first one past `after`."""
        ...


def recorded(name: str) -> str:
    """The same name. A name that is none of ours has no record."""
    if not RECORD.fullmatch(name):
        raise NoObjectError("there is no record of that name")
    return name


def folder_of_records(folder: str) -> str:
    """The same folder. Raises ValueError: who asks writes the name himself."""
    if not _FOLDER.fullmatch(folder):
        raise ValueError("a folder of records begins with journal/ and ends with a slash")
    return folder
