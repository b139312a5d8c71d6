"""Checkpoints and tiles reach the object store whatever happens on the way, and nothing is signed that is a fork."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, update

from models.database import Database
from models.tables import journal_checkpoint, journal_head, journal_leaf
from tests.doubles.records import MemoryRecords
from tests.vault.journal.entries import AT
from tests.vault.journal.forest import grow, leaves, replant
from vault.errors import ProofError, RecordChangedError, StoreUnavailableError
from vault.journal.checkpoint import Signer, Verifier
from vault.journal.published import Tiles, checkpoint_name, newest_published
from vault.journal.publishing import Publisher, last_published
from vault.journal.tiles import full_tiles, partial_tiles
from vault.journal.tree import Frontier
from vault.locations import Store
from vault.records import RecordStore

MINUTE = timedelta(minutes=1)
NOW = AT


def publisher(database: Database, store: RecordStore, signer: Signer, *older: Signer) -> Publisher:
    async def signing() -> tuple[Signer, list[Verifier]]:
        return signer, [each.verifier for each in (signer, *older)]

    return Publisher(database, store, signing, MINUTE)


async def names(store: RecordStore) -> list[str]:
    return [name async for name in store.record_names("journal/")]


def expected_names(*sizes: int) -> list[str]:
    tiles = {tile.path() for size in sizes for tile in (*full_tiles(0, size), *partial_tiles(size))}
    return sorted([*(checkpoint_name(size) for size in sizes), *(f"journal/{path}" for path in tiles)])


async def rows(database: Database) -> list[Any]:
    async with database.connect() as connection:
        return list(await connection.execute(select(journal_checkpoint).order_by(journal_checkpoint.c.size)))


async def execute(database: Database, *statements: Any) -> None:
    async with database.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_what_is_published(database: Database, store: Store, signer: Signer) -> None:
    """The note of the table, and every tile of its tree: the leaves' hashes and the roots of full tiles."""
    await grow(database, 600)
    assert await publisher(database, store, signer).publish(NOW) == [600]
    root = Frontier().extend(leaves(0, 600))[0].root()
    ((size, note, at, published_at),) = await rows(database)
    assert (size, at, published_at) == (600, NOW, NOW)
    assert note == signer.sign(600, root)
    assert await names(store) == expected_names(600)
    assert await store.read_record(checkpoint_name(600), 1000) == note.encode()
    assert await store.read_record("journal/tile/0/001", 9000) == b"".join(leaves(256, 512))
    assert await store.read_record("journal/tile/0/002.p/88", 9000) == b"".join(leaves(512, 600))
    roots = [Frontier().extend(leaves(start, start + 256))[0].root() for start in (0, 256)]
    assert await store.read_record("journal/tile/1/000.p/2", 9000) == b"".join(roots)
    assert await last_published(database) == (600, NOW)


async def test_nothing_is_published_of_nothing(database: Database, store: Store, signer: Signer) -> None:
    """A journal without entries has no checkpoint, nor has one whose head was never written."""
    assert await publisher(database, store, signer).publish(NOW) == []
    await grow(database, 0)
    assert await publisher(database, store, signer).publish(NOW) == []
    assert (await names(store), await last_published(database)) == ([], None)


async def test_one_checkpoint_an_interval_and_only_if_the_tree_grew(
    database: Database, store: Store, signer: Signer
) -> None:
    """Whoever asks and however often; and the tiles that are there already are not written again."""
    await grow(database, 200)
    first, second = publisher(database, store, signer), publisher(database, store, signer)
    assert await first.publish(NOW) == [200]
    await grow(database, 300)
    assert await second.publish(NOW + MINUTE / 2) == []
    assert await second.publish(NOW + MINUTE) == [300]
    assert await first.publish(NOW + MINUTE * 9) == []
    assert await names(store) == expected_names(200, 300)


async def test_those_who_publish_at_once(database: Database, store: Store, signer: Signer) -> None:
    """One signs; what others find to publish is the same."""
    await grow(database, 300)
    done = await asyncio.gather(*(publisher(database, store, signer).publish(NOW) for _ in range(4)))
    assert sorted(done) == [[], [], [], [300]]
    assert await names(store) == expected_names(300)


async def test_who_comes_second_has_nothing_to_sign(database: Database, signer: Signer) -> None:
    """Another may have signed between the look and the lock."""
    await grow(database, 3)
    records, other = MemoryRecords(), MemoryRecords()

    async def meanwhile() -> None:
        await publisher(database, other, signer).publish(NOW)

    records.before_listing = meanwhile  # type: ignore[method-assign]  # what happens while the store answers
    assert await publisher(database, records, signer).publish(NOW) == []
    assert (records.kept, len(other.kept)) == ([], 2)


@pytest.mark.parametrize("instant", range(6))
async def test_a_crash_at_any_instant(database: Database, signer: Signer, instant: int) -> None:
    """After any record, with or without the word that it is there: another instance publishes the same, later."""
    await grow(database, 600)
    records = MemoryRecords()
    records.answers = instant
    with pytest.raises(StoreUnavailableError):
        await publisher(database, records, signer).publish(NOW)
    (signed,) = await rows(database)
    assert (signed.size, signed.published_at) == (600, None)
    records.answers = float("inf")
    await grow(database, 700)
    assert await publisher(database, records, signer).publish(NOW + MINUTE / 2) == []
    assert await publisher(database, records, signer).publish(NOW + MINUTE) == [600, 700]
    assert sorted(records.records) == expected_names(600, 700)
    assert [(row.size, row.published_at) for row in await rows(database)] == [(600, NOW + MINUTE), (700, NOW + MINUTE)]
    assert (await rows(database))[0].note == signed.note


async def test_a_checkpoint_is_known_before_it_is_published(database: Database, signer: Signer) -> None:
    """Where the store does not take a single record, the table has the checkpoint."""
    await grow(database, 3)
    records = MemoryRecords()
    records.answers = 0
    with pytest.raises(StoreUnavailableError):
        await publisher(database, records, signer).publish(NOW)
    assert (len(await rows(database)), records.records) == (1, {})


async def test_a_tree_of_many_tiles(database: Database, signer: Signer) -> None:
    """However many tiles are to be published at once."""
    await grow(database, 256 * 40 + 17)
    records = MemoryRecords()
    assert await publisher(database, records, signer).publish(NOW) == [10_257]
    assert sorted(records.records) == expected_names(10_257)
    tiles = Tiles(records, await newest_published(records, [signer.verifier]))
    assert await tiles.root(9_000) == Frontier().extend(leaves(0, 9_000))[0].root()


async def test_checkpoints_of_an_older_key_are_continued(database: Database, signer: Signer) -> None:
    """After the key changed, the next checkpoint is signed with the new one and continues those of before."""
    older = Signer(signer.verifier.name, Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    records = MemoryRecords()
    await grow(database, 10)
    await publisher(database, records, older).publish(NOW)
    await grow(database, 20)
    assert await publisher(database, records, signer, older).publish(NOW + MINUTE) == [20]
    await grow(database, 30)
    with pytest.raises(ProofError, match="not signed by a key of this log"):
        await publisher(database, records, older).publish(NOW + 2 * MINUTE)


# Attacks: whoever has the database makes the service sign what it would not.


async def published_once(database: Database, signer: Signer, size: int = 300) -> MemoryRecords:
    records = MemoryRecords()
    await grow(database, size)
    await publisher(database, records, signer).publish(NOW)
    return records


async def refused(database: Database, records: RecordStore, signer: Signer) -> str:
    """Why nothing is signed."""
    before = await rows(database)
    with pytest.raises(ProofError) as refusal:
        await publisher(database, records, signer).publish(NOW + MINUTE)
    assert await rows(database) == before
    return str(refusal.value)


NOT_CONTINUED = "the journal does not continue what its last checkpoint was signed over"
SET_BACK = "the object store holds a checkpoint that the database does not know: it was set back"


async def test_another_tree_is_not_signed(database: Database, signer: Signer) -> None:
    """A tree in which an entry that was published over is another one gets no checkpoint."""
    records = await published_once(database, signer)
    await replant(database, 400, "forged", kept=299)
    assert await refused(database, records, signer) == NOT_CONTINUED


async def test_another_head_is_not_signed(database: Database, signer: Signer) -> None:
    """Nor a head that is not made of the leaves that stand there."""
    records = await published_once(database, signer)
    await grow(database, 400)
    forged = Frontier().extend(leaves(0, 400, "forged"))[0]
    await execute(database, update(journal_head).values(frontier=forged.encode()))
    assert await refused(database, records, signer) == NOT_CONTINUED


async def test_a_tree_with_a_gap_is_not_signed(database: Database, signer: Signer) -> None:
    """Nor one that lacks a hash."""
    records = await published_once(database, signer)
    await grow(database, 400)
    await execute(database, delete(journal_leaf).where(journal_leaf.c.position == 350))
    assert await refused(database, records, signer) == "the journal lacks a hash of its tree"


async def test_a_database_that_was_set_back_is_not_signed(database: Database, signer: Signer) -> None:
    """Head and checkpoints taken back together: the store holds a later checkpoint, and no fork of it is signed."""
    records = await published_once(database, signer)
    await execute(database, delete(journal_checkpoint))
    await replant(database, 350, "forged", kept=200)
    assert await refused(database, records, signer) == SET_BACK
    note = signer.sign(200, Frontier().extend(leaves(0, 200))[0].root())
    await execute(database, insert(journal_checkpoint).values(size=200, note=note, at=NOW, published_at=NOW))
    assert await refused(database, records, signer) == SET_BACK


async def test_a_tree_that_was_cut_short_is_told(database: Database, signer: Signer) -> None:
    """Before it grows again, and before it is time for another checkpoint."""
    records = await published_once(database, signer)
    await replant(database, 299)
    assert await refused(database, records, signer) == (
        "the journal has fewer entries than its last checkpoint was signed over"
    )


async def test_the_key_may_change_meanwhile(database: Database, signer: Signer) -> None:
    """An instance that runs signs with the new key, and continues what it signed with the old one."""
    newer = Signer(signer.verifier.name, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    signers, records = [signer], MemoryRecords()

    async def signing() -> tuple[Signer, list[Verifier]]:
        return signers[0], [each.verifier for each in signers]

    running = Publisher(database, records, signing, MINUTE)
    await grow(database, 10)
    await running.publish(NOW)
    signers.insert(0, newer)
    await grow(database, 20)
    assert await running.publish(NOW + MINUTE) == [20]
    assert (await newest_published(records, [newer.verifier])).size == 20


async def test_a_name_that_no_checkpoint_has_stops_signing(database: Database, signer: Signer) -> None:
    """What stands behind the newest checkpoint in the store was not put there by the service."""
    records = await published_once(database, signer)
    records.records["journal/checkpoint/zzz"] = b"?"
    await grow(database, 400)
    assert await refused(database, records, signer) == SET_BACK


async def test_a_checkpoint_that_was_replaced_is_not_published(database: Database, signer: Signer) -> None:
    """What waits to be published is held to the tree, and to the key."""
    await grow(database, 300)
    records = MemoryRecords()
    records.answers = 0
    with pytest.raises(StoreUnavailableError):
        await publisher(database, records, signer).publish(NOW)
    records.answers = float("inf")
    other = Signer(signer.verifier.name, Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    for note, why in (
        (other.sign(300, bytes(32)), "the checkpoint is not signed by a key of this log"),
        (signer.sign(300, bytes(32)), "the journal is not what its checkpoint was signed over"),
        ("?", "not a signed note"),
    ):
        await execute(database, update(journal_checkpoint).values(note=note))
        assert await refused(database, records, signer) == why
    await execute(database, delete(journal_leaf).where(journal_leaf.c.position == 270))
    await execute(database, update(journal_checkpoint).values(note=signer.sign(300, bytes(32))))
    assert await refused(database, records, signer) == "the journal lacks a hash of its tree"
    assert records.records == {}


async def test_a_record_that_somebody_else_put_there(database: Database, signer: Signer) -> None:
    """A tile of other bytes is not taken for ours: the checkpoint over it is not published."""
    await grow(database, 300)
    records = MemoryRecords()
    records.records["journal/tile/0/000"] = b"?"
    for later in (NOW, NOW + MINUTE):
        with pytest.raises(RecordChangedError):
            await publisher(database, records, signer).publish(later)
    assert not [name for name in records.records if name.startswith("journal/checkpoint")]
    assert await last_published(database) is None
