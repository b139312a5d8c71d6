"""Archives planned to the byte: their sizes, their parts, and what ends them."""

import asyncio
import hashlib
import io
import zipfile
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import CopyChangedError
from api.services import archive as module
from api.services.archive import SUMS, Archive, Member

AT = datetime(2026, 10, 15, 12, tzinfo=UTC)
SIZES = [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 300_000]


def a_member(name: str, *pieces: bytes, size: int | None = None, at: datetime = AT) -> Member:
    """A file in these pieces, that says it has this size."""

    async def opened() -> AsyncGenerator[bytes]:
        for piece in pieces:
            yield piece

    return Member(name, at, sum(map(len, pieces)) if size is None else size, opened)


async def read(archive: Archive, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([piece async for piece in archive.pieces(start, archive.size if stop is None else stop)])


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("piece", [1_000, 65_535, 1 << 20])
async def test_an_archive_has_the_size_that_was_planned(piece: int) -> None:
    """Whatever the sizes of the files and of the pieces in which they come; Python opens it, and its sums hold."""
    contents = {f"dossier/œuvre {size}.txt": b"\xc3\xa9"[:1] * size for size in SIZES}
    members = [a_member(name, *in_pieces(data, piece)) for name, data in contents.items()]
    archive = Archive(members, AT)
    data = await read(archive)
    assert len(data) == archive.size
    opened = zipfile.ZipFile(io.BytesIO(data))
    assert opened.testzip() is None
    assert {name: opened.read(name) for name in contents} == contents
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in contents.items()]
    assert opened.read(SUMS).decode().splitlines() == lines
    assert {each.date_time for each in opened.infolist()} == {(2026, 10, 15, 12, 0, 0)}


async def test_the_bytes_do_not_depend_on_the_pieces() -> None:
    """A store gives a document in other pieces each time; the archive is the same."""
    data = bytes(range(256)) * 1_000
    made = [await read(Archive([a_member("file", *in_pieces(data, size))], AT)) for size in (7_001, 65_536, 1 << 20)]
    assert len(set(made)) == 1


@given(st.data())
@settings(max_examples=20)
def test_any_part_of_an_archive_is_that_part(drawn: st.DataObject) -> None:
    """From any byte until any other."""
    archive = Archive([a_member(str(size), bytes(size)) for size in (10, 70_000)], AT)
    start = drawn.draw(st.integers(0, archive.size))
    stop = drawn.draw(st.integers(start, archive.size))

    async def both() -> tuple[bytes, bytes]:
        return await read(archive), await read(archive, start, stop)

    whole, part = asyncio.run(both())
    assert part == whole[start:stop]


@pytest.mark.parametrize("most", ["_MOST_BYTES", "_MOST_MEMBERS"])
async def test_a_large_archive_has_the_form_of_64_bits(most: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes or more files than 32 and 16 bits count; here the limits are lower."""
    monkeypatch.setattr(module, most, 1)
    archive = Archive([a_member("file", b"content"), a_member("other", b"")], AT)
    data = await read(archive)
    assert (len(data), zipfile.ZipFile(io.BytesIO(data)).read("file")) == (archive.size, b"content")
    assert b"PK\x06\x06" in data  # the record that only this form has


def test_a_copy_of_five_gibibytes_is_planned_at_once() -> None:
    """Nothing is read for that; one byte more is one byte more."""
    size = 5 * 1024**3
    planned = [Archive([a_member("file", size=each)], AT).size for each in (size, size + 1)]
    assert planned[1] - planned[0] == 1
    assert size < planned[0] < size * 1.0001


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
async def test_instants_that_the_format_lacks(at: datetime) -> None:
    """Are the nearest that it has."""
    data = await read(Archive([a_member("file", b"", at=at)], AT))
    (year, *_), _ = (each.date_time for each in zipfile.ZipFile(io.BytesIO(data)).infolist())
    assert year in {1980, 2037}


@pytest.mark.parametrize("pieces", [(b"short",), (b"far", b"too", b"long")])
async def test_a_file_of_another_size_ends_the_archive(pieces: Sequence[bytes]) -> None:
    """What was announced cannot be kept: it ends short."""
    with pytest.raises(CopyChangedError):
        await read(Archive([a_member("file", *pieces, size=8)], AT))


class _Broken(Exception):  # noqa: N818  # not an error of ours
    pass


class Watched:
    """A file that waits, or fails, after its first piece; whether it was closed."""

    def __init__(self, afterwards: Callable[[], object]) -> None:
        self.begun = asyncio.Event()
        self.closed = False
        self._afterwards = afterwards

    async def opened(self) -> AsyncGenerator[bytes]:
        try:
            yield bytes(1 << 20)
            self.begun.set()
            if isinstance(awaited := self._afterwards(), asyncio.Future):
                await awaited
            yield b"never"
        finally:
            self.closed = True


async def test_what_a_file_raises_ends_the_archive() -> None:
    """It is raised to whoever reads, and the file is closed."""

    def fail() -> None:
        raise _Broken

    watched = Watched(fail)
    with pytest.raises(_Broken):
        await read(Archive([Member("file", AT, 1 << 21, watched.opened)], AT))
    assert watched.closed


async def test_whoever_reads_no_further_leaves_nothing_open() -> None:
    """Once the pieces are closed, so is the file that they were of."""
    watched = Watched(asyncio.Future)
    async with aclosing(Archive([Member("file", AT, 1 << 21, watched.opened)], AT).pieces(0, 1 << 21)) as pieces:
        await anext(pieces)  # the head of the file
        await anext(pieces)
    assert watched.closed


async def test_a_reader_who_is_cancelled_lets_go_of_its_thread() -> None:
    """Even while the thread waits for a store that does not answer: as many readers as there are threads, and more."""
    for _ in range(6):
        watched = Watched(asyncio.Future)
        reading = asyncio.ensure_future(read(Archive([Member("file", AT, 1 << 21, watched.opened)], AT)))
        await asyncio.wait_for(watched.begun.wait(), 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert watched.closed
    assert len(await read(Archive([a_member("file", b"content")], AT))) > 0


async def test_more_archives_than_threads_all_end() -> None:
    """Each thread serves one for a piece, then another."""
    archives = [Archive([a_member("file", *[bytes(50_000)] * 20)], AT) for _ in range(12)]
    made = await asyncio.gather(*map(read, archives))
    assert {zlib.crc32(data) for data in made} == {zlib.crc32(made[0])}
