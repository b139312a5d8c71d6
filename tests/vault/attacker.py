"""Whoever has everything: every row, every object that ever was, and the key service with its keys.

He knows how all is made, and whose document he looks for. He tries every value of the database as a wrapped key under
every key that he has, each key that comes out being one more, until none comes out; then each of them on each object.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import select

from models.database import Database
from models.tables import metadata
from vault.documents import Deposit, key_facts
from vault.envelope import HEAD_SIZE, Context, Reader
from vault.errors import SealBrokenError
from vault.journal.keys import journal_key_name
from vault.keys import (
    INS_PURPOSE,
    KeyService,
    Name,
    Tree,
    WrappedKey,
    dossier_key_name,
    shard_key_id,
    shard_name,
    shard_of,
)
from vault.sealing import KEY_SIZE, SealingKey, derive

_VERSIONS = range(1, 4)
Rows = list[dict[str, Any]]


async def dump(database: Database) -> Rows:
    """Every row of every table."""
    rows: Rows = []
    async with database.connect() as connection:
        for table in metadata.sorted_tables:
            rows += [row._asdict() for row in await connection.execute(select(table))]
    return rows


def objects_in(folder: Path) -> list[bytes]:
    """Every object of a store on a filesystem."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@dataclass
class Attacker:
    """Looks for one document."""

    service: KeyService
    rows: Rows
    objects: Sequence[bytes]
    target: Deposit
    keys: set[bytes] = field(default_factory=set)

    async def opens(self) -> set[bytes]:
        """Whatever he gets to read of the document: its bytes, its title, its digest, the INS."""
        values = {value for row in self.rows for value in row.values() if isinstance(value, bytes)}
        self.keys = {key async for key in self._of_service(values)}
        fresh = self.keys
        while fresh:
            ways = list(self._ways())
            found = {
                plain
                for key, value, (use, facts) in product(fresh, values, ways)
                if len(plain := _tried(use(key), value, facts)) == KEY_SIZE
            }
            fresh = found - self.keys
            self.keys |= fresh
        return {*self._documents(), *self._texts(values)} - {b""}

    async def _of_service(self, values: set[bytes]) -> Any:
        """He asks the service to unwrap every value, as any key of a shard, under every master."""
        masters = [master.key_id for master in (await self.service.status()).masters]
        shards = {(Tree.DOSSIER, shard_of(self.target.dossier)), (Tree.JOURNAL, shard_of(self.target.dossier))}
        for value, (tree, shard), version, master in product(values, shards, _VERSIONS, masters):
            try:
                yield await self.service.unwrap(shard_name(tree, shard, version), WrappedKey(master, value))
            except SealBrokenError:
                continue

    def _ways(self) -> Iterator[tuple[Callable[[bytes], bytes], tuple[bytes, ...]]]:
        """How a key may be used to wrap another: as it is or derived from, and with which facts."""
        dossier, shard = self.target.dossier, shard_of(self.target.dossier)
        names: list[Name] = [journal_key_name(dossier), *(dossier_key_name(dossier, version) for version in _VERSIONS)]
        for tree, version, name in product((Tree.DOSSIER, Tree.JOURNAL), _VERSIONS, names):
            yield (lambda key: key), name.facts(shard_key_id(tree, shard, version))
        told = self.target
        facts = key_facts(told.document, told.version, told.content_type, told.size, told.head)
        yield (lambda key: derive(key, b"wrap", dossier.bytes)), (b"wrap", dossier.bytes, *facts)

    def _documents(self) -> Iterator[bytes]:
        told = self.target
        context = Context(told.dossier, told.document, told.version, told.content_type)
        for key, sealed in product(self.keys, self.objects):
            try:
                reader = Reader(key, context, sealed[:HEAD_SIZE], told.size, 0, told.size)
                plain = reader.update(sealed)
                reader.finish()
            except SealBrokenError:
                continue
            yield plain

    def _texts(self, values: set[bytes]) -> Iterator[bytes]:
        dossier, document = self.target.dossier.bytes, self.target.document
        for purpose in (INS_PURPOSE, f"title/{document}", f"sha256/{document}"):
            for key, value in product(self.keys, values):
                used = derive(key, b"text", purpose.encode(), dossier)
                yield _tried(used, value, (b"text", purpose.encode(), dossier))


def _tried(key: bytes, value: bytes, facts: tuple[bytes, ...]) -> bytes:
    """What opens; nothing if it does not."""
    try:
        return SealingKey.of(int.from_bytes(value[1:5], "big"), key).open(value, *facts)
    except SealBrokenError:
        return b""
