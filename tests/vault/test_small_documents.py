"""Many small documents deposited together: each as if it were alone, all of them or none."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, update

from models.database import Database
from models.errors import ConstraintError, DatabaseUnavailableError
from models.facts import Document, Reference
from models.sheets import Filed, Version, pack_documents
from models.tables import content, dossier_key
from models.tables import dossier as dossiers
from tests.doubles.blobs import FailingBlobStore, MemoryBlobStore
from tests.doubles.databases import FailingDatabase
from tests.vault.deposits import DOCUMENT, DOSSIER, OTHER_DOCUMENT, OTHER_DOSSIER, deposit, read
from vault.blobs import BlobStore
from vault.documents import Documents, Erasure
from vault.errors import DepositLostError, NoContentError, SealBrokenError, StoreUnavailableError
from vault.keys import DossierKeys, RowKeys
from vault.packs import LARGEST_PACK, object_of, position_in_pack
from vault.reconciling import Missing, Report, reconcile
from vault.scrubbing import Fault, Scrubbing
from vault.small_documents import Pack, Small, SmallDocuments

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
PLACES = [(DOSSIER, DOCUMENT), (OTHER_DOSSIER, OTHER_DOCUMENT), (DOSSIER, UUID(int=0xA3))]
FUND = Reference("organization", "775685019")
CONTENTS = [b"un", b"", b"trois" * 10_000]
VERSIONS = dict.fromkeys(PLACES, 1)


class CrashError(BaseException):
    """The process ends here: nobody catches it."""


@pytest.fixture
def memory() -> FailingBlobStore:
    """A store that notes what is read, and may fail."""
    return FailingBlobStore()


@pytest.fixture
def whole(database: Database, memory: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys) -> Documents:
    """The vault's other way, to the same store."""
    return Documents(database, memory, dossier_keys, rows, now=lambda: NOON)


@pytest.fixture
def small(
    database: Database, memory: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys, whole: Documents
) -> SmallDocuments:
    """What is tested here, at noon."""
    return SmallDocuments(database, memory, dossier_keys, rows, whole, now=lambda: NOON)


def three(contents: Sequence[bytes] = CONTENTS) -> list[Small]:
    """Three documents of two dossiers."""
    return [
        Small(dossier, document, 1, "application/json", f"Titre {number}", held)
        for number, ((dossier, document), held) in enumerate(zip(PLACES, contents, strict=True), 1)
    ]


async def committed(small: SmallDocuments, database: Database, documents: Sequence[Small]) -> list[Pack]:
    packs = await small.write(documents)
    async with database.begin() as connection:
        await small.commit(connection, packs)
    return packs


async def left(database: Database) -> tuple[int, int]:
    """Rows of contents and of pending objects."""
    counted = [await database.read(f"SELECT count(*) FROM {table}") for table in ("content", "pending_object")]
    return counted[0][0][0], counted[1][0][0]


async def known(database: Database) -> None:
    """The facts of the documents, which say their version."""
    filed = [
        (dossier, Filed(Document(document, "REMB", FUND, NOON), Version(document, 1))) for dossier, document in PLACES
    ]
    rows = [
        {
            "id": each,
            "state": "open",
            "state_since": NOON,
            "documents": pack_documents([one for dossier, one in filed if dossier == each]),
        }
        for each in (DOSSIER, OTHER_DOSSIER)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(dossiers), rows)


async def erased(documents: Documents, database: Database, place: tuple[UUID, UUID]) -> Erasure:
    """A document's key is gone; its object is there still."""
    async with database.begin() as connection:
        return await documents.erase(connection, *place)


async def test_each_is_read_like_any_other(
    database: Database, store: BlobStore, dossier_keys: DossierKeys, rows: RowKeys, documents: Documents
) -> None:
    """By itself or with the others, whole or a range, on each store; they lie in one object."""
    small = SmallDocuments(database, store, dossier_keys, rows, documents)
    (pack,) = await committed(small, database, three())
    assert [each.name async for each in store.names()] == [pack.object_name]
    assert await small.read(VERSIONS) == dict(zip(PLACES, CONTENTS, strict=True))
    for place, held in zip(PLACES, CONTENTS, strict=True):
        assert await read(documents, dossier=place[0], document=place[1]) == held
    dossier, document = PLACES[2]
    assert (
        await read(documents, dossier=dossier, document=document, span=(16_380, 16_390)) == CONTENTS[2][16_380:16_390]
    )
    assert (await documents.find(dossier, document, 1)).title == "Titre 3"


async def test_what_lies_together_is_read_together(
    small: SmallDocuments, whole: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """One request for what is near in a pack, one for each that is alone; what has no content is left out."""
    far = [bytes(10), bytes(300_000), bytes(20)]
    await committed(small, database, three(far))
    await deposit(whole, database, b"alone", document=UUID(int=0xA4), content_type="application/json")
    alone = (DOSSIER, UUID(int=0xA4))
    asked = [PLACES[0], PLACES[1], alone, (DOSSIER, UUID(int=0xA5))]
    assert await small.read(dict.fromkeys(asked, 1)) == {PLACES[0]: far[0], PLACES[1]: far[1], alone: b"alone"}
    assert len(memory.requests) == 2
    memory.requests.clear()
    assert await small.read({PLACES[0]: 1, PLACES[2]: 1}) == {PLACES[0]: far[0], PLACES[2]: far[2]}
    assert len(memory.requests) == 2
    assert await small.read({}) == {}


async def test_more_than_a_pack_holds_are_several(
    small: SmallDocuments, database: Database, memory: MemoryBlobStore
) -> None:
    """One that is larger than a pack has its own."""
    contents = [bytes(10), bytes(LARGEST_PACK + 1), bytes(10)]
    packs = await committed(small, database, three(contents))
    assert [len(pack.deposits) for pack in packs] == [1, 1, 1]
    assert len(memory.objects) == 3
    assert await small.read(VERSIONS) == dict(zip(PLACES, contents, strict=True))


async def test_nothing_is_deposited_by_nobody(small: SmallDocuments, database: Database) -> None:
    """No pack, no row."""
    assert await committed(small, database, []) == []
    assert await left(database) == (0, 0)


async def test_others_have_their_turn_while_many_are_sealed(small: SmallDocuments) -> None:
    """The event loop is not held."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await small.write([Small(DOSSIER, UUID(int=number + 1), 1, "text/plain", "", b"x") for number in range(100)])
    counting.cancel()
    assert turns >= 3


@pytest.mark.parametrize("step", ["before its transaction", "before its commit", "after its commit"])
async def test_a_crash_leaves_nothing_visible(
    small: SmallDocuments, database: Database, memory: MemoryBlobStore, step: str
) -> None:
    """The object is there, with a pending row, until reconciling."""

    async def crash() -> None:
        packs = await small.write(three())
        if step == "before its transaction":
            raise CrashError
        async with database.begin() as connection:
            if step == "after its commit":
                await small.commit(connection, packs)
            raise CrashError

    with pytest.raises(CrashError):
        await crash()
    assert (await left(database), len(memory.objects)) == ((0, 1), 1)
    assert await small.read(VERSIONS) == {}
    assert await reconcile(database, memory, LATER) == Report(removed_pending=1)
    assert (await left(database), memory.objects) == ((0, 0), {})


@pytest.mark.parametrize("step", ["put", "after put"])
async def test_a_store_that_fails_leaves_nothing(
    small: SmallDocuments, database: Database, memory: FailingBlobStore, step: str
) -> None:
    """Neither object nor row, nor those of the packs written before."""
    first = await small.write(three())
    await small.discard(first)
    memory.failing = {step}
    with pytest.raises(StoreUnavailableError):
        await small.write(three())
    assert (await left(database), memory.objects) == ((0, 0), {})


async def test_packs_written_before_one_that_fails_are_discarded(
    database: Database, dossier_keys: DossierKeys, rows: RowKeys, whole: Documents
) -> None:
    """And if that fails too, reconciling finds them."""

    class Full(FailingBlobStore):
        """Takes one object."""

        async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
            if self.objects:
                self.failing = {"put", "delete"}
            await super().put(name, data)

    store = Full()
    small = SmallDocuments(database, store, dossier_keys, rows, whole)
    with pytest.raises(StoreUnavailableError):
        await small.write(three([bytes(LARGEST_PACK), b"", b""]))
    assert await left(database) == (0, 2)
    store.failing = set()
    after = datetime.now(UTC) + timedelta(days=1)
    assert await reconcile(database, store, after) == Report(removed_pending=2)
    assert (await left(database), store.objects) == ((0, 0), {})


async def test_a_database_that_is_gone_leaves_nothing(
    database: Database, memory: MemoryBlobStore, dossier_keys: DossierKeys, rows: RowKeys, whole: Documents
) -> None:
    """Nothing is written before the pending row is."""
    small = SmallDocuments(FailingDatabase(database, transactions=0), memory, dossier_keys, rows, whole)
    with pytest.raises(DatabaseUnavailableError):
        await small.write(three())
    assert (await left(database), memory.objects) == ((0, 0), {})


async def test_a_pack_is_committed_or_discarded(small: SmallDocuments, database: Database) -> None:
    """Never both, nor twice; whoever does not know whether his transaction was committed may discard."""
    discarded = await small.write(three())
    await small.discard(discarded)
    kept = await committed(small, database, three())
    await small.discard(kept)
    for packs in (discarded, kept):
        with pytest.raises(DepositLostError):
            async with database.begin() as connection:
                await small.commit(connection, packs)
    assert (await left(database), len(await small.read(VERSIONS))) == ((3, 0), 3)


async def test_one_that_is_there_keeps_all_from_being_committed(
    small: SmallDocuments, whole: Documents, database: Database
) -> None:
    """They are committed together or not at all."""
    await deposit(whole, database, b"first", document=DOCUMENT)
    packs = await small.write(three())
    with pytest.raises(ConstraintError):
        async with database.begin() as connection:
            await small.commit(connection, packs)
    await small.discard(packs)
    assert (await left(database), await read(whole)) == ((1, 0), b"first")


async def test_a_pack_goes_with_its_last_document(
    small: SmallDocuments, whole: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """Whoever is erased is gone at once: his key is. Two that leave together leave nothing."""
    await committed(small, database, three())
    await whole.finish(await erased(whole, database, PLACES[0]))
    with pytest.raises(NoContentError):
        await read(whole)
    assert (await left(database), len(memory.objects), len(await small.read(VERSIONS))) == ((2, 0), 1, 2)
    together = [await erased(whole, database, place) for place in PLACES[1:]]
    for erasure in together:
        await whole.finish(erasure)
    assert (await left(database), memory.objects) == ((0, 0), {})


@pytest.mark.parametrize("failing", ["delete", "after delete"])
async def test_what_the_store_does_not_remove_reconciling_does(
    small: SmallDocuments, whole: Documents, database: Database, memory: FailingBlobStore, failing: str
) -> None:
    """A dossier that is erased leaves a pack to the others in it."""
    await committed(small, database, three())
    async with database.begin() as connection:
        erasure = await whole.erase_dossier(connection, DOSSIER)
    await whole.finish(erasure)
    assert list(await small.read(VERSIONS)) == [PLACES[1]]
    memory.failing = {failing}
    await whole.finish(await erased(whole, database, PLACES[1]))
    memory.failing = set()
    assert await reconcile(database, memory, LATER) == Report(removed_pending=1)
    assert (await left(database), memory.objects) == ((0, 0), {})


async def test_reconciling_knows_packs(
    small: SmallDocuments, whole: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """One in which a document is kept is no orphan; of one that is gone each document is named."""
    kept, *_ = await committed(small, database, three()[:1])
    gone, *_ = await committed(small, database, three()[1:])
    await deposit(whole, database, b"alone", document=UUID(int=0xA4))
    assert await reconcile(database, memory, LATER) == Report()
    del memory.objects[gone.object_name]
    report = await reconcile(database, memory, LATER)
    assert report == Report(missing=2, named_missing=report.named_missing)
    assert set(report.named_missing) == {Missing(*place) for place in PLACES[1:]}
    async with database.begin() as connection:
        await connection.execute(delete(content).where(content.c.document == DOCUMENT))
    assert (await reconcile(database, memory, LATER)).removed_orphans == 1
    assert kept.object_name not in memory.objects


async def test_what_was_tampered_with_hides_no_other(
    small: SmallDocuments, whole: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """A byte of one, a row of another; a scrub names both."""
    (pack,) = await committed(small, database, three())
    beyond = position_in_pack(pack.deposits[0].object_name)
    assert beyond == 0
    memory.alter(pack.object_name, lambda held: held[:70] + bytes([held[70] ^ 1]) + held[71:])
    async with database.begin() as connection:
        await connection.execute(update(content).where(content.c.document == PLACES[1][1]).values(size=1))
    found = await small.read(VERSIONS)
    assert {place: type(each) for place, each in found.items()} == {
        PLACES[0]: SealBrokenError,
        PLACES[1]: SealBrokenError,
        PLACES[2]: bytes,
    }
    with pytest.raises(SealBrokenError):
        await read(whole)
    await known(database)
    done = await Scrubbing(database, memory, whole, lambda: NOON).run()
    assert {(finding.dossier, finding.document): finding.what for finding in done.findings} == dict.fromkeys(
        PLACES[:2], Fault.BROKEN
    )


async def test_a_row_that_names_anothers_place_does_not_open(
    small: SmallDocuments, database: Database, memory: MemoryBlobStore
) -> None:
    """Nor does a document that was put in another's place: of the same size, in the same pack, of the same dossier."""
    (pack,) = await committed(small, database, three([b"aaaa", b"bbbb", b"cccc"]))
    first, second, third = (each.object_name for each in pack.deposits)
    async with database.begin() as connection:
        await connection.execute(update(content).where(content.c.document == DOCUMENT).values(object_name=second))
    size = (position_in_pack(second) or 0) - (position_in_pack(first) or 0)
    memory.alter(pack.object_name, lambda held: held[: 2 * size] + held[size : 2 * size])
    found = await small.read(VERSIONS)
    assert [type(found[place]) for place in PLACES] == [SealBrokenError, bytes, SealBrokenError]
    assert {object_of(name) for name in (first, second, third)} == {pack.object_name}


async def test_a_pack_that_is_gone_does_not_open(
    small: SmallDocuments, whole: Documents, database: Database, memory: MemoryBlobStore
) -> None:
    """Unless its documents were erased meanwhile: then they have no content. A scrub says that they are missing."""

    class Late(MemoryBlobStore):
        """Is asked for a pack while a document of it is being erased."""

        async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
            await erased(whole, database, PLACES[0])
            async for piece in memory.get(name, start, stop):
                yield piece

    (pack,) = await committed(small, database, three())
    del memory.objects[pack.object_name]
    await known(database)
    done = await Scrubbing(database, memory, whole, lambda: NOON).run()
    assert [finding.what for finding in done.findings] == [Fault.MISSING] * 3
    small._store = Late()  # noqa: SLF001  # the store that answers too late
    found = await small.read(VERSIONS)
    assert {place: type(each) for place, each in found.items()} == dict.fromkeys(PLACES[1:], SealBrokenError)


async def test_a_dossier_without_its_key_has_no_content(small: SmallDocuments, database: Database) -> None:
    """Its rows are as good as gone."""
    await committed(small, database, three())
    async with database.begin() as connection:
        await connection.execute(delete(dossier_key).where(dossier_key.c.dossier == DOSSIER))
    assert await small.read(VERSIONS) == {PLACES[1]: CONTENTS[1]}
