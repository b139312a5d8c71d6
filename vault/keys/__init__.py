"""Keys: who keeps them, and how a dossier's key comes out of the database.

The key service keeps the master key and wraps one random key for each dossier. From a dossier's key everything else of
the dossier is derived: what wraps its documents' keys, what seals its small values. So whoever destroys the one row of
`dossier_key` has destroyed the dossier. A wrapped key names the key that wraps it; none is ever found by trying.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.tables import dossier_key
from vault.errors import NoContentError
from vault.sealing import NONCE_SIZE, SealingKey, derive

INS_PURPOSE = "ins"
"""Under which a dossier's INS is sealed."""

_DOSSIER_KEY_PURPOSE = "dossier"
_DOSSIER_KEY_NUMBER = 1
_READ_KEY = "SELECT key_id, wrapped FROM dossier_key WHERE dossier = $1"

Randomness = Callable[[int], bytes]
Clock = Callable[[], float]


class Secret(StrEnum):
    """Secrets of the deployment that are no wrapping keys; 32 random bytes each."""

    PSEUDONYM = "pseudonym"
    JOURNAL_SIGNING = "journal-signing"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as the database keeps it: useless without the key service."""

    key_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True, repr=False)
class GeneratedKey:
    """A fresh key, and the same wrapped."""

    key: bytes
    wrapped: WrappedKey


class KeyService(Protocol):
    """Keeps the deployment's master keys and secrets. Any method raises KeysUnavailableError."""

    async def generate(self, purpose: str, owners: Sequence[bytes]) -> list[GeneratedKey]:
        """One random key of 32 bytes for each owner, wrapped under the primary master key.

        Purpose and owner are authenticated with it: a key moved to another owner does not unwrap.
        """
        ...

    async def unwrap(self, purpose: str, owner: bytes, wrapped: WrappedKey) -> bytes:
        """The key, by the master key that it names. Raises SealBrokenError."""
        ...

    async def secret(self, name: Secret) -> bytes: ...

    async def probe(self) -> None:
        """Return if the service answers."""
        ...


class DossierKey:
    """A dossier's key, unwrapped. It serves for nothing but deriving others, one for each use."""

    __slots__ = ("_dossier", "_key", "_randomness")

    def __init__(self, dossier: UUID, key: bytes, randomness: Randomness = os.urandom) -> None:
        self._dossier = dossier
        self._key = key
        self._randomness = randomness

    def __repr__(self) -> str:
        return f"DossierKey({self._dossier})"

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
        return SealingKey.of(_DOSSIER_KEY_NUMBER, derive(self._key, *info, self._dossier.bytes))

    def _facts(self, *use: str) -> tuple[bytes, ...]:
        return (*(part.encode() for part in use), self._dossier.bytes)


@dataclass(frozen=True, slots=True)
class NewDossier:
    """A dossier's new key, for `dossier_key`, and its INS under that key, for `dossier.ins_sealed`."""

    dossier: UUID
    key_id: str
    wrapped: bytes
    ins_sealed: bytes


class DossierKeys:
    """Dossiers' keys: their rows in the database, unwrapped by the key service.

    What was unwrapped is remembered under the wrapped bytes themselves, for a while and for so many: whoever finds a
    key here has just read its row, so an erased or replaced key is never used again.
    """

    def __init__(
        self,
        database: Database,
        service: KeyService,
        *,
        randomness: Randomness = os.urandom,
        clock: Clock = time.monotonic,
        capacity: int = 10_000,
        seconds: float = 60.0,
    ) -> None:
        self._database = database
        self._service = service
        self._randomness = randomness
        self._clock = clock
        self._capacity = capacity
        self._seconds = seconds
        self._known: OrderedDict[tuple[UUID, WrappedKey], tuple[float, DossierKey]] = OrderedDict()

    async def read(self, dossier: UUID) -> DossierKey:
        """The key of a dossier as committed. Raises NoContentError if it has none, SealBrokenError."""
        rows = await self._database.read(_READ_KEY, dossier)
        if not rows:
            raise NoContentError
        return await self.unwrap(dossier, WrappedKey(*rows[0]))

    async def ensure(self, connection: AsyncConnection, dossier: UUID) -> DossierKey:
        """The key of a dossier inside this transaction, made if it has none.

        The row is held until the transaction ends, so that it cannot be erased meanwhile.
        """
        query = (
            select(dossier_key.c.key_id, dossier_key.c.wrapped)
            .where(dossier_key.c.dossier == dossier)
            .with_for_update(read=True)
        )
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            (generated,) = await self._service.generate(_DOSSIER_KEY_PURPOSE, [dossier.bytes])
            wrapped = generated.wrapped
            values = {"dossier": dossier, "key_id": wrapped.key_id, "wrapped": wrapped.wrapped}
            await connection.execute(insert(connection, dossier_key).values(values).on_conflict_do_nothing())
            row = (await connection.execute(query)).one()
        return await self.unwrap(dossier, WrappedKey(*row))

    async def seal_text(self, connection: AsyncConnection, dossier: UUID, purpose: str, text: bytes) -> bytes:
        """A small value of the dossier, to be written in this transaction."""
        return (await self.ensure(connection, dossier)).seal_text(purpose, text)

    async def open_text(self, dossier: UUID, purpose: str, sealed: bytes) -> bytes:
        """Raises NoContentError if the dossier's key is gone, SealBrokenError."""
        return (await self.read(dossier)).open_text(purpose, sealed)

    async def seal_ins_batch(self, dossiers: Sequence[tuple[UUID, bytes]]) -> list[NewDossier]:
        """Keys for many dossiers at once, each with its INS sealed; the caller writes both or neither."""
        owners = [dossier.bytes for dossier, _ in dossiers]
        generated = await self._service.generate(_DOSSIER_KEY_PURPOSE, owners)
        return [
            NewDossier(
                dossier,
                fresh.wrapped.key_id,
                fresh.wrapped.wrapped,
                DossierKey(dossier, fresh.key, self._randomness).seal_text(INS_PURPOSE, ins),
            )
            for (dossier, ins), fresh in zip(dossiers, generated, strict=True)
        ]

    async def unwrap(self, dossier: UUID, wrapped: WrappedKey) -> DossierKey:
        """The key whose row has just been read. Raises SealBrokenError."""
        now = self._clock()
        name = (dossier, wrapped)
        until, key = self._known.get(name, (now, None))
        if key is not None and now < until:
            self._known.move_to_end(name)
            return key
        plain = await self._service.unwrap(_DOSSIER_KEY_PURPOSE, dossier.bytes, wrapped)
        key = DossierKey(dossier, plain, self._randomness)
        self._known[name] = (now + self._seconds, key)
        self._known.move_to_end(name)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return key
