"""A ZIP archive whose every byte is settled before it is made: planned members in, any part of it out.

Members are stored, not compressed: most documents are compressed already, the machine has others to serve, and the
size of the whole is known from the sizes of the members. So an archive that was broken off goes on where it stopped,
as long as it is planned the same.

The library that writes the format is not asynchronous. It runs on threads of its own, which wait for the members'
bytes; on the event loop's shared threads, enough archives at once would wait for file reads that wait for a thread.
"""

import asyncio
import hashlib
import struct
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from stream_zip import ZIP_32, ZIP_64, MemberFile, Method, stream_zip

from api.errors import CopyChangedError

SUMS = "SHA256SUMS"
"""The last member: the digest of every other one, as `sha256sum --check` reads them."""

_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="archive")
_PIECE_SIZE = 256 * 1024
_READABLE_BY_ITS_OWNER = 0o600
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC)
"""Instants that the format can tell."""

_MOST_BYTES, _MOST_MEMBERS = 0xFFFFFFFF, 0xFFFF
"""Beyond either the form of 64 bits is needed, and only then taken: some programs do not read it."""

_BLOCK_SIZE = 0xFFFF
_BLOCK_HEAD = 5
_SUM_SIZE = len(f"{hashlib.sha256().hexdigest()}  \n")

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive: its size is what it will give, whenever it is opened."""

    name: str
    modified_at: datetime
    size: int
    open: Callable[[], AsyncGenerator[bytes]] = field(repr=False)

    @classmethod
    def of(cls, name: str, modified_at: datetime, data: bytes) -> "Member":
        """A small one, at hand."""

        async def once() -> AsyncGenerator[bytes]:
            yield data

        return cls(name, modified_at, len(data), once)


class Archive:
    """The archive of these members in this order, and of their sums."""

    def __init__(self, members: Sequence[Member], at: datetime) -> None:
        self._members = members
        self._at = at
        sums_size = sum(_SUM_SIZE + len(member.name.encode()) for member in members)
        self._sizes = {**{member.name: member.size for member in members}, SUMS: sums_size}
        stored = sum(map(_stored_size, self._sizes.values())) - len(self._sizes) * _stored_size(0)
        small = stored + self._bare_size(ZIP_32)
        self._method = ZIP_32 if small <= _MOST_BYTES and len(self._sizes) <= _MOST_MEMBERS else ZIP_64
        self.size = small if self._method is ZIP_32 else stored + self._bare_size(ZIP_64)

    async def pieces(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """The bytes from `start` until before `stop`. What a member raises ends them short.

        Those before `start` are made and left out: a ZIP ends with a checksum of every member. Raises CopyChangedError.
        """
        position = 0
        async with aclosing(self._all()) as pieces:
            async for piece in pieces:
                wanted = piece[max(start - position, 0) : stop - position]
                position += len(piece)
                if wanted:
                    yield wanted
                if position >= stop:
                    return

    async def _all(self) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        pull = _Pull(loop)
        pieces = iter(stream_zip(self._files(pull), _PIECE_SIZE, _compressor))
        try:
            while (piece := await pull.let(loop.run_in_executor(_THREADS, next, pieces, None))) is not None:
                yield piece
        finally:
            await pull.aclose()

    def _files(self, pull: "_Pull") -> Iterator[MemberFile]:
        sums = bytearray()
        for member in self._members:
            digest = hashlib.sha256()
            yield self._file(member, _digested(pull.of(member.open()), digest.update))
            sums += f"{digest.hexdigest()}  {member.name}\n".encode()
        yield self._file(Member.of(SUMS, self._at, bytes(sums)), [bytes(sums)])

    def _file(self, member: Member, content: Iterable[bytes]) -> MemberFile:
        at = min(max(member.modified_at, _EARLIEST), _LATEST).astimezone(UTC)
        checked = _of_size(content, self._sizes[member.name])
        return member.name, at, _READABLE_BY_ITS_OWNER, self._method, checked

    def _bare_size(self, method: Method) -> int:
        """Of an archive whose files of these names are empty."""
        empty = ((name, _EARLIEST, _READABLE_BY_ITS_OWNER, method, ()) for name in self._sizes)
        return sum(map(len, stream_zip(empty, _PIECE_SIZE, _compressor)))


class _Pull:
    """What a thread that is not the loop's takes from asynchronous iterators, one at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._source: AsyncGenerator[bytes] | None = None
        self._running = asyncio.Lock()
        self._awaited: Future[Any] | None = None
        self._stopped = False

    def of(self, source: AsyncGenerator[bytes]) -> Iterator[bytes]:
        """The items, for the thread."""
        self._source = source
        while (item := self._take(self._following(source))) is not None:
            yield item
        self._source = None

    async def let(self, work: "asyncio.Future[_Item]") -> _Item:
        """Wait for the thread. Whoever is not waited for any more lets go of what it waits for, and ends."""
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stopped = True
            if self._awaited is not None:
                self._awaited.cancel()
            await asyncio.wait([work])
            work.exception()
            raise

    async def aclose(self) -> None:
        """Close what was not taken to the end."""
        async with self._running:
            if self._source is not None:
                await self._source.aclose()

    async def _following(self, source: AsyncIterator[bytes]) -> bytes | None:
        async with self._running:
            return await anext(source, None)

    def _take(self, following: Coroutine[Any, Any, _Item]) -> _Item:
        self._awaited = asyncio.run_coroutine_threadsafe(following, self._loop)
        if self._stopped:
            self._awaited.cancel()
        return cast("_Item", self._awaited.result())


class _Stored:
    """A compressor that does not compress: blocks of 65,535 bytes as they are (RFC 1951, section 3.2.4).

    Of zlib's own level 0, the size depends on how the bytes come in.
    """

    def __init__(self) -> None:
        self._rest = b""

    def compress(self, data: bytes) -> bytes:
        data = self._rest + data
        whole = max(len(data) - 1, 0) // _BLOCK_SIZE * _BLOCK_SIZE
        self._rest = data[whole:]
        return b"".join(_block(data[start : start + _BLOCK_SIZE]) for start in range(0, whole, _BLOCK_SIZE))

    def flush(self) -> bytes:
        """The last block, which says that it is."""
        return _block(self._rest, last=True)


def _block(data: bytes, *, last: bool = False) -> bytes:
    return struct.pack("<BHH", last, len(data), len(data) ^ _BLOCK_SIZE) + data


def _compressor() -> "zlib._Compress":
    return cast("zlib._Compress", _Stored())  # noqa: SLF001  # how the library names what has these two methods


def _stored_size(size: int) -> int:
    return size + _BLOCK_HEAD * max(1, -(-size // _BLOCK_SIZE))


def _digested(pieces: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


def _of_size(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same pieces, as long as they are what was announced."""
    for piece in pieces:
        size -= len(piece)
        if size < 0:
            raise CopyChangedError
        yield piece
    if size:
        raise CopyChangedError
