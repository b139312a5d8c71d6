"""Whoever holds the object store alters what is kept: one opaque error, and no byte but ours."""

from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import combinations
from typing import Any

import pytest

from models.database import Database
from tests.doubles.blobs import MemoryBlobStore, RangelessBlobStore
from tests.vault.deposits import (
    DOCUMENT,
    DOSSIER,
    MEBIBYTE,
    OTHER_DOCUMENT,
    OTHER_DOSSIER,
    deposit,
    pieces,
    read,
)
from vault.documents import Deposit, Documents, Kept
from vault.errors import SealBrokenError
from vault.keys import DossierKeys, RowKeys

CHUNK = 16 * 1024
SEALED = CHUNK + 16
HEAD = 64
OPAQUE = r"^what was stored does not open$"

SMALL = b"first"
LARGE = bytes(range(251)) * 131
"""Two whole chunks and a short one."""

Change = Callable[[bytes], bytes]


def needed(size: int, start: int, stop: int) -> slice:
    """What of an object a range is read from: whole chunks, to the object's end if it reaches the document's."""
    if (start, stop) == (0, size):
        return slice(None)
    first = HEAD + start // CHUNK * SEALED
    last = HEAD + min(((stop - 1) // CHUNK + 1) * SEALED, size + 16 * (size // CHUNK + 1))
    return slice(first, None if stop == size else last)


def ranges(size: int) -> Iterator[tuple[int, int]]:
    """From and to every edge of a chunk, a byte before it and a byte behind it."""
    edges = {edge + beside for edge in (*range(0, size, CHUNK), size) for beside in (-1, 0, 1)}
    return combinations(sorted(edge for edge in edges if 0 <= edge <= size), 2)


async def nothing_but_ours(documents: Documents, store: MemoryBlobStore, kept: Kept, altered: bytes) -> int:
    """How many ranges are refused, all those that are read from what is altered; the others give the document.

    The whole is always refused. None of these documents is so large that a byte leaves before the last is verified.
    """
    honest = store.objects[kept.object_name]
    plaintext = await _whole(documents, kept)
    store.objects[kept.object_name] = altered
    refused = 0
    for start, stop in ranges(kept.size):
        place = needed(kept.size, start, stop)
        if altered[place] == honest[place]:
            assert await _whole(documents, kept, start, stop) == plaintext[start:stop]
        else:
            refused += 1
            with pytest.raises(SealBrokenError, match=OPAQUE):
                await documents.read(kept, start, stop)
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await documents.read(kept)
    store.objects[kept.object_name] = honest
    return refused


async def _whole(documents: Documents, kept: Kept, start: int = 0, stop: int | None = None) -> bytes:
    reading = await documents.read(kept, start, stop)
    return b"".join([piece async for piece in reading.stream])


async def test_no_bit_of_an_object_can_be_flipped(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Read whole or in part, every alteration of what is read shows before the first byte leaves."""
    written = await deposit(documents, database, SMALL)
    whole, kept = store.objects[written.object_name], await documents.find(DOSSIER, DOCUMENT, 1)
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        refused = await nothing_but_ours(documents, store, kept, bytes(flipped))
        assert refused == (1 if bit < 8 * HEAD else len(list(ranges(len(SMALL)))))


async def test_no_byte_of_an_object_can_be_cut_off_or_added(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """At any length; a range that does not reach the end may not see that something was added there."""
    written = await deposit(documents, database, SMALL)
    whole, kept = store.objects[written.object_name], await documents.find(DOSSIER, DOCUMENT, 1)
    for length in range(len(whole)):
        assert await nothing_but_ours(documents, store, kept, whole[:length]) == len(list(ranges(len(SMALL))))
    for added in (b"\x00", whole[HEAD:], whole, bytes(SEALED)):
        assert await nothing_but_ours(documents, store, kept, whole + added) > 0


def chunks(*order: int) -> Change:
    """The object's chunks in that order."""
    return lambda whole: (
        whole[:HEAD] + b"".join(whole[HEAD + each * SEALED : HEAD + (each + 1) * SEALED] for each in order)
    )


CHANGES: dict[str, Change] = {
    "the first two change places": chunks(1, 0, 2),
    "the last comes before": chunks(0, 2, 1),
    "backwards": chunks(2, 1, 0),
    "one twice": chunks(0, 1, 1, 2),
    "one over the next": chunks(0, 0, 2),
    "one over the one before": chunks(1, 1, 2),
    "the last twice": chunks(0, 1, 2, 2),
    "the first is missing": chunks(1, 2),
    "one is missing": chunks(0, 2),
    "the last is missing": chunks(0, 1),
    "all are missing": chunks(),
    "the last but one byte": lambda whole: whole[:-1],
    "in the middle of a chunk": lambda whole: whole[: HEAD + SEALED + 100],
    "a byte after the first chunk": lambda whole: whole[: HEAD + SEALED] + b"\x00" + whole[HEAD + SEALED :],
    "a byte more": lambda whole: whole + b"\x00",
    "a chunk of noughts more": lambda whole: whole + bytes(SEALED),
    "itself again": lambda whole: whole + whole,
    "its head again": lambda whole: whole[:HEAD] + whole,
    "without its head": lambda whole: whole[HEAD:],
    "another header": lambda whole: b"\x89DMP\x02" + whole[5:],
}


@pytest.mark.parametrize("change", CHANGES)
async def test_chunks_are_where_they_were_sealed(
    documents: Documents, database: Database, store: MemoryBlobStore, change: str
) -> None:
    """Swapped, duplicated, dropped, cut or padded: each range that is read from there is refused, to its edges."""
    written = await deposit(documents, database, LARGE)
    kept = await documents.find(DOSSIER, DOCUMENT, 1)
    altered = CHANGES[change](store.objects[written.object_name])
    assert await nothing_but_ours(documents, store, kept, altered) > 0


OTHERS: dict[str, dict[str, Any]] = {
    "another patient's": {"dossier": OTHER_DOSSIER},
    "another document's": {"document": OTHER_DOCUMENT},
    "an older version's": {"version": 1},
    "of another content type": {"content_type": "text/html"},
    "deposited again": {},
}
ALL = len(list(ranges(len(LARGE))))


@pytest.fixture(params=OTHERS)
async def other(documents: Documents, store: MemoryBlobStore, request: pytest.FixtureRequest) -> bytes:
    """The same bytes, sealed as something else: under a key of its own, and for another place."""
    place: dict[str, Any] = {
        "dossier": DOSSIER,
        "document": DOCUMENT,
        "version": 2,
        "content_type": "application/pdf",
    }
    written = await documents.write(**(place | OTHERS[request.param]), data=pieces(LARGE))
    return store.objects[written.object_name]


@pytest.mark.parametrize(
    "change, refused",
    [
        (lambda _, theirs: theirs, ALL),
        (lambda ours, theirs: theirs[:HEAD] + ours[HEAD:], 1),
        (lambda ours, theirs: ours[:HEAD] + theirs[HEAD:], ALL),
        (lambda ours, theirs: ours[: HEAD + SEALED] + theirs[HEAD + SEALED :], None),
        (lambda ours, theirs: ours[:-100] + theirs[-100:], None),
    ],
    ids=["whole", "head", "chunks", "from the second chunk on", "end"],
)
async def test_an_object_opens_under_its_own_row_only(
    documents: Documents,
    database: Database,
    store: MemoryBlobStore,
    other: bytes,
    change: Callable[[bytes, bytes], bytes],
    refused: int | None,
) -> None:
    """Nor does any part of it: head, chunks, a single chunk."""
    written = await deposit(documents, database, LARGE, version=2)
    kept = await documents.find(DOSSIER, DOCUMENT, 2)
    altered = change(store.objects[written.object_name], other)
    count = await nothing_but_ours(documents, store, kept, altered)
    assert count == refused if refused is not None else 0 < count < ALL


@pytest.mark.parametrize(
    "place",
    [{}, {"dossier": OTHER_DOSSIER}, {"dossier": OTHER_DOSSIER, "document": DOCUMENT}],
    ids=["document", "other dossier's", "same id in another dossier"],
)
async def test_objects_cannot_change_places(
    documents: Documents, database: Database, store: MemoryBlobStore, place: dict[str, Any]
) -> None:
    """Neither opens as the other."""
    first = await deposit(documents, database, SMALL)
    second = await deposit(documents, database, b"other", **({"document": OTHER_DOCUMENT} | place))
    store.swap(first.object_name, second.object_name)
    for each in (first, second):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await read_back(documents, each)


async def read_back(documents: Documents, written: Deposit) -> bytes:
    """What was written, by its row."""
    return await read(documents, dossier=written.dossier, document=written.document, version=written.version)


async def test_an_object_that_was_removed_does_not_open(
    documents: Documents, database: Database, store: MemoryBlobStore
) -> None:
    """Its row says that it ought to be there."""
    written = await deposit(documents, database, SMALL)
    await store.delete(written.object_name)
    for span in ((0, None), (1, 2)):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await read(documents, span=span)


class ShiftingBlobStore(MemoryBlobStore):
    """Gives the chunk behind the one that is asked for."""

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        async for piece in super().get(name, start + SEALED, None if stop is None else stop + SEALED):
            yield piece


@pytest.mark.parametrize("lying", [RangelessBlobStore, ShiftingBlobStore])
async def test_a_store_that_answers_another_range_is_not_believed(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, lying: type[MemoryBlobStore]
) -> None:
    """The whole instead of a part, or the bytes beside."""
    documents = Documents(database, lying(), dossier_keys, rows)
    await deposit(documents, database, LARGE)
    for span in ((1, 2), (CHUNK, CHUNK + 1), (CHUNK, 2 * CHUNK), (2 * CHUNK, len(LARGE) - 1), (CHUNK, len(LARGE))):
        with pytest.raises(SealBrokenError, match=OPAQUE):
            await read(documents, span=span)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[:-SEALED],
        lambda whole: whole[: len(whole) - len(whole) % SEALED + HEAD],
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: whole + b"\x00",
    ],
    ids=["cut", "cut by a chunk's length", "cut between chunks", "flipped", "longer"],
)
@pytest.mark.parametrize("start", [0, 1, 4 * MEBIBYTE])
async def test_the_end_of_a_large_document_cannot_be_altered(
    documents: Documents, database: Database, store: MemoryBlobStore, change: Change, start: int
) -> None:
    """What leaves before that shows is the document's, in order."""
    plaintext = bytes(range(256)) * (5 * MEBIBYTE // 256)
    written = await deposit(documents, database, plaintext)
    store.alter(written.object_name, change)
    taken = bytearray()
    with pytest.raises(SealBrokenError, match=OPAQUE):
        await _take(documents, start, taken)
    assert plaintext[start:].startswith(taken)
    assert (len(taken) > 0) == (start < 4 * MEBIBYTE)


async def _take(documents: Documents, start: int, taken: bytearray) -> None:
    reading = await documents.open(DOSSIER, DOCUMENT, 1, (start, None))
    async for piece in reading.stream:
        taken += piece
