"""Dossiers' keys: one row of `dossier_key` each, under a key of the dossier's shard.

From a dossier's key everything else of the dossier is derived: what wraps its documents' keys, what seals its small
values. So whoever destroys that one row has destroyed the dossier. A dossier's key has a version, by which what it
sealed names it.
"""

import os
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, find, insert
from models.queries.keys import KEY_COLUMNS, KeyRow
from models.tables import dossier_key
from vault.errors import NoContentError, SealBrokenError
from vault.keys.keyset import WrappingKey
from vault.keys.remembering import Clock, Remembered
from vault.keys.service import Name, Tree, WrappedKey
from vault.keys.shards import Randomness, ShardKeys, shard_of
from vault.sealing import NONCE_SIZE, SealingKey, derive

INS_PURPOSE = "ins"
"""Under which a dossier's INS is sealed."""

_FIRST_VERSION = 1
_VERSIONS = range(_FIRST_VERSION, 2**31)
_READ_KEY = f"SELECT {KEY_COLUMNS} FROM dossier_key WHERE dossier = $1"  # noqa: S608  # names of our own table


def dossier_key_name(dossier: UUID, version: int) -> Name:
    """The name of a key of `dossier_key`, which a shard key wraps."""
    return Name("dossier", dossier.bytes, version)


class DossierKey:
    """A dossier's key, unwrapped. It serves for nothing but deriving others, one for each use."""

    __slots__ = ("_dossier", "_key", "_randomness", "version")

    def __init__(self, dossier: UUID, version: int, key: bytes, randomness: Randomness = os.urandom) -> None:
        self.version = version
        self._dossier = dossier
        self._key = key
        self._randomness = randomness

    def __repr__(self) -> str:
        return f"DossierKey({self._dossier}, version={self.version})"

    def seal_text(self, purpose: str, text: bytes) -> bytes:
        """A small value of the dossier. The purpose says what and of what: `title/<document>`."""
        return self._for("text", purpose).seal(text, self._randomness(NONCE_SIZE), *self._facts("text", purpose))

    def open_text(self, purpose: str, sealed: bytes) -> bytes:
        """What was sealed for this purpose in this dossier. Raises SealBrokenError."""
        return self._for("text", purpose).open(sealed, *self._facts("text", purpose))

    def wrap(self, key: bytes, *facts: bytes) -> bytes:
        """A document's key, to be unwrapped with the same facts only."""
        return self._for("wrap").seal(key, self._randomness(NONCE_SIZE), *self._facts("wrap"), *facts)

    def unwrap(self, wrapped: bytes, *facts: bytes) -> bytes:
        """Raises SealBrokenError."""
        return self._for("wrap").open(wrapped, *self._facts("wrap"), *facts)

    def _for(self, *use: str) -> SealingKey:
        info = (part.encode() for part in use)
        return SealingKey.of(self.version, derive(self._key, *info, self._dossier.bytes))

    def _facts(self, *use: str) -> tuple[bytes, ...]:
        return (*(part.encode() for part in use), self._dossier.bytes)


@dataclass(frozen=True, slots=True)
class NewDossier:
    """A dossier's new key, for `dossier_key`, and its INS under that key, for `dossier.ins_sealed`."""

    dossier: UUID
    version: int
    key_id: str
    wrapped: bytes
    ins_sealed: bytes


class DossierKeys:
    """Dossiers' keys: their rows in the database, unwrapped by the shards' keys.

    What was unwrapped is remembered under the row itself, for a while and for so many: whoever finds a key here has
    just read its row, so an erased or replaced key is never used again.
    """

    def __init__(
        self,
        database: Database,
        shards: ShardKeys,
        *,
        randomness: Randomness = os.urandom,
        clock: Clock = time.monotonic,
        capacity: int = 10_000,
        seconds: float = 60.0,
    ) -> None:
        self._database = database
        self._shards = shards
        self._randomness = randomness
        self._known: Remembered[tuple[UUID, KeyRow], DossierKey] = Remembered(clock, capacity, seconds)

    async def read(self, dossier: UUID) -> DossierKey:
        """The key of a dossier as committed. Raises NoContentError if it has none, SealBrokenError."""
        rows = await self._database.read(_READ_KEY, dossier)
        return await self.unwrap(dossier, KeyRow(*rows[0]) if rows else None)

    async def ensure(self, connection: AsyncConnection, dossier: UUID) -> DossierKey:
        """The key of a dossier inside this transaction, made if it has none.

        The row is held until the transaction ends, so that it cannot be erased or replaced meanwhile.
        """
        return (await self.ensure_all(connection, [dossier]))[dossier]

    async def ensure_all(self, connection: AsyncConnection, dossiers: Collection[UUID]) -> dict[UUID, DossierKey]:
        """As `ensure`, for many dossiers, whose rows are held in the order of their ids."""
        held = await self._held(connection, dossiers)
        missing = sorted(set(dossiers) - set(held))
        made = await self._make(connection, missing) if missing else {}
        kept = await self._held(connection, missing) if missing else {}
        await self.learn(held | kept)
        keys: dict[UUID, DossierKey] = {}
        for dossier, row in (held | kept).items():
            row_made, fresh = made.get(dossier, (None, b""))
            if row == row_made:
                # Under a row that nobody may ever see, if the transaction fails: it is found by that row alone.
                keys[dossier] = self._remember(dossier, row, fresh)
            else:
                keys[dossier] = await self.unwrap(dossier, row)
        return keys

    async def seal_text(self, connection: AsyncConnection, dossier: UUID, purpose: str, text: bytes) -> bytes:
        """A small value of the dossier, to be written in this transaction."""
        return (await self.ensure(connection, dossier)).seal_text(purpose, text)

    async def open_text(self, dossier: UUID, row: KeyRow | None, purpose: str, sealed: bytes) -> bytes:
        """What was read in one statement with the key. Raises NoContentError if that is gone, SealBrokenError."""
        return (await self.unwrap(dossier, row)).open_text(purpose, sealed)

    async def unwrap(self, dossier: UUID, row: KeyRow | None) -> DossierKey:
        """The key whose row has just been read. Raises NoContentError if there is none, SealBrokenError."""
        if row is None:
            raise NoContentError
        if row.version not in _VERSIONS:
            raise SealBrokenError
        key = self._known.get((dossier, row))
        if key is None:
            name = dossier_key_name(dossier, row.version)
            key = self._remember(dossier, row, await self._shards.unwrap(name, WrappedKey(row.key_id, row.wrapped)))
        return key

    async def _held(self, connection: AsyncConnection, dossiers: Collection[UUID]) -> dict[UUID, KeyRow]:
        rows = await find(connection, dossier_key, ("dossier", *KeyRow._fields), sorted(set(dossiers)), "SHARE")
        return {dossier: KeyRow(*row) for dossier, *row in rows}

    async def _make(self, connection: AsyncConnection, dossiers: Sequence[UUID]) -> dict[UUID, tuple[KeyRow, bytes]]:
        """New keys, of which those stand that nobody else has made meanwhile."""
        named = [(shard_of(dossier), dossier_key_name(dossier, _FIRST_VERSION)) for dossier in dossiers]
        made = {
            dossier: (KeyRow(_FIRST_VERSION, fresh.wrapped.key_id, fresh.wrapped.wrapped), fresh.key)
            for dossier, fresh in zip(
                dossiers, await self._shards.generate(connection, Tree.DOSSIER, named), strict=True
            )
        }
        rows = [{"dossier": dossier, **row._asdict()} for dossier, (row, _) in made.items()]
        await connection.execute(insert(connection, dossier_key).on_conflict_do_nothing(), rows)
        return made

    async def learn(self, rows: Mapping[UUID, KeyRow]) -> None:
        """Have at hand what unwraps these rows, before each is unwrapped."""
        await self._shards.learn(
            {row.key_id for dossier, row in rows.items() if self._known.get((dossier, row)) is None}
        )

    def _remember(self, dossier: UUID, row: KeyRow, plain: bytes) -> DossierKey:
        key = DossierKey(dossier, row.version, plain, self._randomness)
        self._known.put((dossier, row), key)
        return key

    def sealing(self) -> "Sealing":
        """What gives keys to the dossiers of one import."""
        return Sealing(self._shards, self._randomness)


class Sealing:
    """Keys for the dossiers of one import, in its one transaction (`models.importing.SealDossiers`)."""

    def __init__(self, shards: ShardKeys, randomness: Randomness) -> None:
        self._shards = shards
        self._randomness = randomness
        self._held: dict[int, WrappingKey] = {}
        self._used: Counter[tuple[int, int]] = Counter()

    async def seal(self, connection: AsyncConnection, dossiers: Sequence[tuple[UUID, bytes]]) -> list[NewDossier]:
        """Keys for many dossiers at once, each with its INS sealed; the caller writes both or neither."""
        shards = [shard_of(dossier) for dossier, _ in dossiers]
        if missing := set(shards) - set(self._held):
            self._held |= await self._shards.hold(connection, Tree.DOSSIER, missing)
        self._used.update((shard, self._held[shard].version) for shard in shards)
        generated = self._shards.wrapped_fresh(
            [
                (self._held[shard], dossier_key_name(dossier, _FIRST_VERSION))
                for shard, (dossier, _) in zip(shards, dossiers, strict=True)
            ]
        )
        return [
            NewDossier(
                dossier,
                _FIRST_VERSION,
                fresh.wrapped.key_id,
                fresh.wrapped.wrapped,
                DossierKey(dossier, _FIRST_VERSION, fresh.key, self._randomness).seal_text(INS_PURPOSE, ins),
            )
            for (dossier, ins), fresh in zip(dossiers, generated, strict=True)
        ]

    async def settle(self, connection: AsyncConnection) -> None:
        """Count what was wrapped: last, since others that count wait from then on."""
        await self._shards.count(connection, Tree.DOSSIER, self._used)
