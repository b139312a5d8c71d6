"""A ZIP archive made while it is sent: members in, pieces out, and never more than a few pieces held.

The library that writes the format is not asynchronous. It runs on threads of its own, which wait for the members'
bytes; on the event loop's shared threads, enough archives at once would wait for file reads that wait for a thread.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from stream_zip import ZIP_AUTO, MemberFile, stream_zip

_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="archive")
_READABLE_BY_ITS_OWNER = 0o600
_LEVEL = 1
"""Of compression: most documents are compressed already, and the machine has others to serve."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive; `size` decides between the 32 and the 64 bit form, and may be too large."""

    name: str
    modified_at: datetime
    size: int
    content: AsyncIterator[bytes] = field(repr=False)


@dataclass(slots=True)
class Sums:
    """The SHA-256 of every member that has been written, as `sha256sum --check` reads them."""

    lines: list[str] = field(default_factory=list)

    async def of(self, name: str, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same pieces; once the last is taken, the member's line is there."""
        digest = hashlib.sha256()
        async for piece in content:
            digest.update(piece)
            yield piece
        self.lines.append(f"{digest.hexdigest()}  {name}\n")

    def encode(self) -> bytes:
        """The file `SHA256SUMS`."""
        return "".join(self.lines).encode()


async def archive(members: AsyncIterator[Member]) -> AsyncGenerator[bytes]:
    """The archive, piece by piece. Whatever a member raises ends it, short of the directory that closes a ZIP."""
    loop = asyncio.get_running_loop()
    pieces = iter(stream_zip(_files(members, loop)))
    while (piece := await loop.run_in_executor(_THREADS, next, pieces, None)) is not None:
        yield piece


def _files(members: AsyncIterator[Member], loop: asyncio.AbstractEventLoop) -> Iterator[MemberFile]:
    for member in _pulled(members, loop):
        method = ZIP_AUTO(member.size, level=_LEVEL)
        yield member.name, member.modified_at, _READABLE_BY_ITS_OWNER, method, _pulled(member.content, loop)


def _pulled(source: AsyncIterator[_Item], loop: asyncio.AbstractEventLoop) -> Iterator[_Item]:
    """The items of an asynchronous iterator, for a thread that is not the loop's."""

    async def following() -> _Item | None:
        return await anext(source, None)

    while (item := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield item
