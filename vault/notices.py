"""Small objects of a store that are replaced, unlike documents: what is published for everybody to follow.

Whoever follows asks with the tag of what he has, and gets nothing while it is unchanged. Whoever replaces names the tag
of what he replaces, so that two who publish at once cannot overwrite each other without knowing.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from vault.errors import NoObjectError, NoticeChangedError, StoreUnsuitableError

NOTICE = re.compile(r"policy/[a-z0-9]{1,40}")
"""A notice's name; none is the name of a document's object, which stands below `documents/`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was read; the tag is another whenever the content is."""

    tag: str
    data: bytes = field(repr=False)


class NoticeBoard(Protocol):
    """Keeps notices. Any method raises StoreUnavailableError when the store does not answer in time."""

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        """The notice, of which at most so many bytes are read; None if its tag is the one known.

        Raises NoObjectError.
        """
        ...

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        """Put a notice in the place of the one with this tag, or where there is none. Durable when its tag is returned.

        Raises NoticeChangedError and changes nothing if there is another one.
        """
        ...

    async def remove_notice(self, name: str) -> None:
        """There need not be any."""
        ...


async def hold_replaceable(board: NoticeBoard, name: str) -> None:
    """Try, on a notice of its own, that nobody overwrites what he does not know. Raises StoreUnsuitableError."""
    first = await board.post_notice(name, b"first", None)
    try:
        second = await board.post_notice(name, b"second", first)
        for wrong in (None, first):
            try:
                await board.post_notice(name, b"third", wrong)
            except NoticeChangedError:
                continue
            raise StoreUnsuitableError("this object store replaces an object whatever it was asked to replace")
        if await board.read_notice(name, 1, second) is not None:
            raise StoreUnsuitableError("this object store does not tell that an object is unchanged")
    finally:
        await board.remove_notice(name)


def named(name: str) -> str:
    """The same name. A name that is none of ours has no notice."""
    if not NOTICE.fullmatch(name):
        raise NoObjectError("there is no notice of that name")
    return name
