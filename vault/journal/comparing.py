"""The journal against what was published of it: checkpoints in the database and in the store, hashes and tiles.

Whoever has the database can set it back with its checkpoints; whoever has the store, if nothing locks it, can replace
what is there. He is found out unless he changes both to the same effect, which takes the signing key too.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TypeVar

from sqlalchemy import Row, Select, select

from models.database import Database
from models.tables import journal_checkpoint
from vault.errors import NoObjectError, ProofError
from vault.journal.checkpoint import Checkpoint, Verifier, open_note
from vault.journal.hashes import read_hashes
from vault.journal.published import CHECKPOINTS, LARGEST_NOTE, checkpoint_name, size_of
from vault.journal.tiles import LARGEST_TILE, Tile, full_tiles, partial_tiles
from vault.journal.tree import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Node
from vault.records import JOURNAL, RecordStore

_AT_ONCE = 32
_TILES = f"{JOURNAL}tile/"

T = TypeVar("T")
_Row = Row[int, str, datetime | None]
_COLUMNS = select(journal_checkpoint.c.size, journal_checkpoint.c.note, journal_checkpoint.c.published_at)


@dataclass(slots=True)
class Signed:
    """What was ever signed for publication, and what is wrong with it.

    `unlike` is what the tree must be held to beside the database's own checkpoints: those of the store that are others,
    and the database's largest, which a tree that was cut short does not reach. `published` is how many are in the
    store, `largest` the size of the last of them that the log signed.
    """

    unlike: list[Checkpoint] = field(default_factory=list)
    published: int = 0
    largest: int = 0
    wrong: list[str] = field(default_factory=list)


async def read_checkpoints(database: Database, store: RecordStore, verifiers: Sequence[Verifier]) -> Signed:
    """Every checkpoint of the store held against the database's, whose signatures `vault.journal.audit` verifies.

    One that waits to be published does not lack in the store. Memory grows by a few hundred bytes for each.
    """
    signed = Signed()
    rows = {row.size: row for row in await _rows(database, _COLUMNS.order_by(journal_checkpoint.c.size))}
    missing = {size for size, row in rows.items() if row.published_at is not None}
    sizes: list[int] = []
    async for name, data in _records(store, CHECKPOINTS, LARGEST_NOTE):
        size = size_of(name)
        if size is None or data is None:
            signed.wrong.append(f"{name} in the object store is no checkpoint")
            continue
        sizes.append(size)
        missing.discard(size)
        row = rows[size] if size in rows else await _signed_meanwhile(database, size)
        if row is None:
            signed.wrong.append(f"checkpoint {size} is in the object store and not in the database")
        elif row.note.encode() != data:
            signed.wrong.append(f"checkpoint {size} in the object store is not the one in the database")
        if row is None or row.note.encode() != data:
            _open(signed, size, data.decode(errors="replace"), "object store", verifiers)
    signed.wrong += [f"checkpoint {size} was published and is not in the object store" for size in sorted(missing)]
    if rows:
        last = rows[max(rows)]
        _open(signed, last.size, last.note, "database", verifiers)
    signed.published, signed.largest = len(sizes), await _largest(store, sizes, verifiers)
    return signed


async def _largest(store: RecordStore, sizes: Sequence[int], verifiers: Sequence[Verifier]) -> int:
    """The last of these, in ascending order, that the log signed: anybody can lay down a name that claims more."""
    for size in reversed(sizes):
        data = await _read(store, checkpoint_name(size), LARGEST_NOTE) or b""
        with suppress(ProofError):
            if open_note(data.decode(errors="replace"), verifiers).size == size:
                return size
    return 0


def _open(signed: Signed, size: int, note: str, where: str, verifiers: Sequence[Verifier]) -> None:
    """Take a note that stands for a tree of this size for what it is."""
    try:
        checkpoint = open_note(note, verifiers)
    except ProofError as error:
        signed.wrong.append(f"checkpoint {size} in the {where}: {error}")
        return
    if checkpoint.size != size:
        signed.wrong.append(f"checkpoint {size} in the {where} is over {checkpoint.size} entries")
    signed.unlike.append(checkpoint)


async def _signed_meanwhile(database: Database, size: int) -> _Row | None:
    return next(iter(await _rows(database, _COLUMNS.where(journal_checkpoint.c.size == size))), None)


async def _rows(database: Database, statement: Select[int, str, datetime | None]) -> Sequence[_Row]:
    async with database.connect() as connection:
        return (await connection.execute(statement)).all()


async def compare_tiles(database: Database, store: RecordStore, size: int) -> tuple[int, list[str]]:
    """How many tiles are published, and what is wrong with them, if the database's hashes are right.

    The tree of the largest published checkpoint, of this size, has all of its tiles in the store.
    """
    wrong: list[str] = []
    lacking, found = _count(size), 0
    edge = set(partial_tiles(size))
    async for batch in _batches(_records(store, _TILES, LARGEST_TILE + 1)):
        tiles = {name: Tile.parse(name.removeprefix(JOURNAL)) for name, _ in batch}
        async with database.connect() as connection:
            nodes = {node for tile in tiles.values() if tile is not None for node in tile.nodes()}
            hashes = await read_hashes(connection, nodes)
        for name, data in batch:
            tile = tiles[name]
            if tile is None or data is None:
                wrong.append(f"{name} in the object store is no tile")
                continue
            found += 1
            lacking -= tile in edge or (tile.width == TILE_WIDTH and tile.end <= size)
            wrong += _differences(name, tile, data, hashes)
    if lacking:
        wrong += [path async for path in _lacking(store, size)]
    return found, wrong


def _differences(name: str, tile: Tile, data: bytes, hashes: dict[Node, bytes]) -> list[str]:
    """What the bytes of a tile say other than the database does: nothing, or of which entries first."""
    if len(data) != tile.width * HASH_SIZE:
        return [f"{name} has not the size of a tile"]
    for number, node in enumerate(tile.nodes()):
        if hashes.get(node) != data[number * HASH_SIZE : (number + 1) * HASH_SIZE]:
            first, last = node.position << node.level, (node.position + 1 << node.level) - 1
            entries = f"entry {first}" if first == last else f"entries {first} to {last}"
            return [f"{entries}: not what {name} was published of"]
    return []


def _count(size: int) -> int:
    """How many tiles a tree has."""
    full, count = size >> TILE_HEIGHT, len(partial_tiles(size))
    while full:
        full, count = full >> TILE_HEIGHT, count + full
    return count


async def _lacking(store: RecordStore, size: int) -> AsyncIterator[str]:
    for tile in chain(full_tiles(0, size), partial_tiles(size)):
        try:
            await store.read_record(JOURNAL + tile.path(), 1)
        except NoObjectError:
            yield f"{JOURNAL}{tile.path()} was published and is not in the object store"


async def _records(store: RecordStore, folder: str, most: int) -> AsyncIterator[tuple[str, bytes | None]]:
    """Names and bytes of all records of a folder, in the order of names; several are read at once."""
    async for names in _batches(store.record_names(folder)):
        read = await asyncio.gather(*(_read(store, name, most) for name in names))
        for record in zip(names, read, strict=True):
            yield record


async def _read(store: RecordStore, name: str, most: int) -> bytes | None:
    """What is there, unless it has a name that the store would never have given."""
    try:
        return await store.read_record(name, most)
    except NoObjectError:
        return None


async def _batches(items: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
