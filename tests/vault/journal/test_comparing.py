"""Database and object store are held against each other: whoever changes one of them is found out by the other."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, update

from models.database import Database
from models.tables import journal_checkpoint, journal_leaf, journal_node
from tests.doubles.records import MemoryRecords
from tests.vault.journal.entries import AT
from tests.vault.journal.forest import grow, leaves, publication, replant
from vault.filesystem_blobs import FilesystemBlobStore
from vault.journal.checkpoint import Signer
from vault.journal.comparing import compare_tiles, read_checkpoints
from vault.journal.published import checkpoint_name
from vault.journal.tree import Frontier
from vault.locations import Store
from vault.records import RecordStore

SIZES = (300, 600, 700)
OTHER = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))


def note_of(size: int, signer: Signer, name: str = "leaf") -> str:
    return signer.sign(size, Frontier().extend(leaves(0, size, name))[0].root())


async def execute(database: Database, *statements: Any) -> None:
    async with database.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


async def know(database: Database, signer: Signer, *sizes: int) -> None:
    """Let the database have published these checkpoints."""
    rows = [{"size": size, "note": note_of(size, signer), "at": AT, "published_at": AT} for size in sizes]
    await execute(database, insert(journal_checkpoint).values(rows))


@pytest.fixture
async def records(database: Database, signer: Signer) -> MemoryRecords:
    """What a journal has published that has grown since, and where that is known."""
    await grow(database, 710)
    await know(database, signer, *SIZES)
    kept = MemoryRecords()
    kept.records |= publication(signer, *SIZES)
    return kept


async def wrong_checkpoints(database: Database, records: RecordStore, signer: Signer) -> list[str]:
    return (await read_checkpoints(database, records, [signer.verifier])).wrong


async def wrong_tiles(database: Database, records: RecordStore, size: int = SIZES[-1]) -> list[str]:
    return (await compare_tiles(database, records, size))[1]


async def test_what_was_published(database: Database, store: Store, signer: Signer) -> None:
    """Checkpoints of every store, each once, and all tiles, beside one that waits to be published."""
    await grow(database, 710)
    await know(database, signer, *SIZES)
    waiting = {"size": 710, "note": note_of(710, signer), "at": AT, "published_at": None}
    await execute(database, insert(journal_checkpoint).values(waiting))
    for name, data in publication(signer, *SIZES).items():
        await store.keep(name, data)
    signed = await read_checkpoints(database, store, [signer.verifier])
    last = signer.verifier.open(note_of(710, signer))
    assert (signed.unlike, signed.published, signed.largest, signed.wrong) == ([last], 3, 700, [])
    # Full ones, and the edges of three trees: one of them is the same for two.
    assert await compare_tiles(database, store, 700) == (2 + 5, [])


async def test_many_tiles(database: Database, signer: Signer) -> None:
    """However many there are."""
    await grow(database, 256 * 40 + 1)
    records = MemoryRecords()
    records.records |= publication(signer, 256 * 40 + 1)
    assert await compare_tiles(database, records, 256 * 40 + 1) == (42, [])


async def test_nothing_was_published(database: Database, signer: Signer) -> None:
    """Nothing is wrong with that."""
    signed = await read_checkpoints(database, MemoryRecords(), [signer.verifier])
    assert (signed.unlike, signed.published, signed.largest, signed.wrong) == ([], 0, 0, [])
    assert await compare_tiles(database, MemoryRecords(), 0) == (0, [])


async def test_checkpoints_of_every_key_of_the_log(database: Database, signer: Signer) -> None:
    """Those that were signed before the key changed are held to the key of then."""
    await know(database, OTHER, 300)
    await know(database, signer, 600)
    records = MemoryRecords()
    records.records[checkpoint_name(300)] = note_of(300, OTHER).encode()
    records.records[checkpoint_name(600)] = note_of(600, signer).encode()
    assert (await read_checkpoints(database, records, [signer.verifier, OTHER.verifier])).wrong == []


async def test_one_published_while_they_are_read(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """A checkpoint that was signed since the table was read is looked up there before it is told."""

    async def meanwhile() -> None:
        if checkpoint_name(705) not in records.records:
            await know(database, signer, 705)
            records.records |= publication(signer, 705)

    records.before_listing = meanwhile  # type: ignore[method-assign]  # what happens while the store answers
    signed = await read_checkpoints(database, records, [signer.verifier])
    assert ([each.size for each in signed.unlike], signed.published, signed.wrong) == ([700], 4, [])


UNSIGNED = "the checkpoint is not signed by a key of this log"
DIFFERS = "checkpoint 600 in the object store is not the one in the database"


@pytest.mark.parametrize(
    "forge,what",
    [
        (lambda _: note_of(600, OTHER), UNSIGNED),
        (lambda _: note_of(600, OTHER, "forged"), UNSIGNED),
        (
            lambda signer: note_of(600, signer).replace("\n600\n", "\n601\n"),
            "the signature of the checkpoint does not hold",
        ),
        (lambda signer: note_of(600, signer).partition("\n\n")[0] + "\n", "not a signed note"),
        (lambda _: "", "not a signed note"),
    ],
)
async def test_a_checkpoint_replaced(
    forge: Callable[[Signer], str], what: str, database: Database, records: MemoryRecords, signer: Signer
) -> None:
    """By another key's, one that nobody signed, one without signature: in the store, in the table, in both."""
    forged = forge(signer)
    genuine = records.records[checkpoint_name(600)]
    records.records[checkpoint_name(600)] = forged.encode()
    assert await wrong_checkpoints(database, records, signer) == [
        DIFFERS,
        f"checkpoint 600 in the object store: {what}",
    ]
    await execute(database, update(journal_checkpoint).where(journal_checkpoint.c.size == 600).values(note=forged))
    assert await wrong_checkpoints(database, records, signer) == []  # the audit says what it is worth
    records.records[checkpoint_name(600)] = genuine
    assert await wrong_checkpoints(database, records, signer) == [DIFFERS]


async def test_a_checkpoint_of_a_fork(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """Signed with the log's own key over another tree: both are given to whoever compares them with the journal."""
    forged = note_of(600, signer, "forged")
    records.records[checkpoint_name(600)] = forged.encode()
    signed = await read_checkpoints(database, records, [signer.verifier])
    assert signed.wrong == [DIFFERS]
    assert signed.unlike[0] == signer.verifier.open(forged)


async def test_the_databases_last_checkpoint(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """It is verified even where the tree was cut short before it."""
    await replant(database, 500)
    signed = await read_checkpoints(database, records, [signer.verifier])
    assert ([each.size for each in signed.unlike], signed.wrong) == ([700], [])
    await execute(database, update(journal_checkpoint).values(note=note_of(700, OTHER)))
    assert f"checkpoint 700 in the database: {UNSIGNED}" in await wrong_checkpoints(database, records, signer)


async def test_a_checkpoint_in_the_place_of_another(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """A genuine one, which says another size than the name does."""
    records.records[checkpoint_name(600)] = records.records[checkpoint_name(300)]
    expected = [DIFFERS, "checkpoint 600 in the object store is over 300 entries"]
    assert await wrong_checkpoints(database, records, signer) == expected


async def test_a_checkpoint_of_the_store_alone(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """The database was set back, head, entries and checkpoints together: the store holds a later one."""
    await replant(database, 650, "forged", kept=600)
    await execute(database, delete(journal_checkpoint).where(journal_checkpoint.c.size > 600))
    signed = await read_checkpoints(database, records, [signer.verifier])
    assert signed.wrong == ["checkpoint 700 is in the object store and not in the database"]
    assert [each.size for each in signed.unlike] == [700, 600]


async def test_a_checkpoint_of_the_database_alone(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """Someone took what was published out of the store."""
    del records.records[checkpoint_name(300)], records.records[checkpoint_name(700)]
    assert await wrong_checkpoints(database, records, signer) == [
        f"checkpoint {size} was published and is not in the object store" for size in (300, 700)
    ]


async def test_what_is_no_checkpoint_and_no_tile(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """Other names stand out."""
    records.records |= {"journal/checkpoint/x": b"", "journal/tile/0/x": b"", "journal/tile/entries/000": b""}
    assert await wrong_checkpoints(database, records, signer) == [
        "journal/checkpoint/x in the object store is no checkpoint"
    ]
    assert await wrong_tiles(database, records) == [
        "journal/tile/0/x in the object store is no tile",
        "journal/tile/entries/000 in the object store is no tile",
    ]


async def test_a_file_with_a_name_that_no_record_has(database: Database, tmp_path: Path, signer: Signer) -> None:
    """Nor does one stop the others from being read."""
    store = FilesystemBlobStore(tmp_path / "vault")
    await store.prepare()
    await store.keep(checkpoint_name(300), b"?")
    (tmp_path / "vault/journal/checkpoint/X").touch()
    (tmp_path / "vault/journal/tile").mkdir()
    (tmp_path / "vault/journal/tile/X").touch()
    assert "journal/checkpoint/X in the object store is no checkpoint" in await wrong_checkpoints(
        database, store, signer
    )
    assert await wrong_tiles(database, store, 0) == ["journal/tile/X in the object store is no tile"]
    await store.close()


@pytest.mark.parametrize(
    "path,place,entries",
    [
        ("tile/0/001", 0, "entry 256"),
        ("tile/0/001", 255, "entry 511"),
        ("tile/0/002.p/188", 187, "entry 699"),
        ("tile/0/001.p/44", 43, "entry 299"),
        ("tile/1/000.p/2", 1, "entries 256 to 511"),
    ],
)
async def test_a_tile_altered(database: Database, records: MemoryRecords, path: str, place: int, entries: str) -> None:
    """Which entries the first altered hash is over is told."""
    name = f"journal/{path}"
    data = records.records[name]
    records.records[name] = data[: place * 32] + bytes(32) + data[(place + 1) * 32 :]
    assert await wrong_tiles(database, records) == [f"{entries}: not what {name} was published of"]
    for altered in (data[:-1], data + b"\0", b""):
        records.records[name] = altered
        assert await wrong_tiles(database, records) == [f"{name} has not the size of a tile"]


async def test_a_tile_altered_on_disk(database: Database, tmp_path: Path, signer: Signer) -> None:
    """Whoever owns the folder can make a file his own and change it."""
    await grow(database, 700)
    store = FilesystemBlobStore(tmp_path / "vault")
    await store.prepare()
    for name, data in publication(signer, 700).items():
        await store.keep(name, data)
    file = tmp_path / "vault/journal/tile/0/000"
    data = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    file.chmod(0o400)
    assert await wrong_tiles(database, store) == ["entry 255: not what journal/tile/0/000 was published of"]
    await store.close()


async def test_tiles_removed(database: Database, records: MemoryRecords) -> None:
    """Those of the newest checkpoint must all be there; the edge of an older one may go once the tile is full."""
    del records.records["journal/tile/0/001.p/44"]
    assert await wrong_tiles(database, records) == []
    for path in ("tile/0/000", "tile/0/002.p/188"):
        del records.records[f"journal/{path}"]
    assert await wrong_tiles(database, records) == [
        f"journal/{path} was published and is not in the object store" for path in ("tile/0/000", "tile/0/002.p/188")
    ]


async def test_tiles_of_a_longer_log(database: Database, records: MemoryRecords, signer: Signer) -> None:
    """What was published of entries that the database lacks is told, by the first of them."""
    records.records |= publication(signer, 900)
    assert await wrong_tiles(database, records) == [
        "entry 710: not what journal/tile/0/002 was published of",
        "entry 768: not what journal/tile/0/003.p/132 was published of",
        "entries 512 to 767: not what journal/tile/1/000.p/3 was published of",
    ]


async def altered_leaf(database: Database) -> None:
    await execute(database, update(journal_leaf).where(journal_leaf.c.position == 301).values(leaf=bytes(32)))


async def altered_node(database: Database) -> None:
    await execute(database, update(journal_node).where(journal_node.c.position == 1).values(hash=bytes(32)))


@pytest.mark.parametrize(
    "attack,what",
    [
        (altered_leaf, ["entry 301: not what journal/tile/0/001 was published of"]),
        (altered_node, ["entries 256 to 511: not what journal/tile/1/000.p/2 was published of"]),
    ],
)
async def test_a_hash_altered_in_the_database(
    attack: Callable[[Database], Awaitable[None]], what: list[str], database: Database, records: MemoryRecords
) -> None:
    """Published tiles tell which entries a changed hash is over."""
    await attack(database)
    assert await wrong_tiles(database, records) == what
