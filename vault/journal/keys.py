"""The keys of the journal: one for each dossier, which seals its entries, and one that hides whom they are about.

A dossier's journal key stands in the row of its chain, wrapped under a shard of the tree `journal`. It is not the
dossier's key: traces outlive documents. Destroying it leaves the hashes, and so every proof, and nothing to read.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy.ext.asyncio import AsyncConnection

from models.facts import Reference
from vault.journal.entry import SALT_SIZE
from vault.keys.remembering import Clock, Remembered
from vault.keys.service import GeneratedKey, Name, Tree, WrappedKey
from vault.keys.shards import shard_of
from vault.sealing import NONCE_SIZE, SealingKey, derive

DRAWN = SALT_SIZE + NONCE_SIZE
"""How many random bytes an entry takes: its salt, and the nonce under which it is sealed."""

_PURPOSE = "journal"
_VERSION = 1
_SUBJECT_SIZE = 16

Randomness = Callable[[int], bytes]


class Shards(Protocol):
    """The keys between the masters and those of dossiers (`vault.keys.shards`)."""

    async def generate(
        self, connection: AsyncConnection, tree: Tree, names: Sequence[tuple[int, Name]]
    ) -> list[GeneratedKey]:
        """A random key for each name, wrapped under the primary of its shard, which counts it in this transaction."""
        ...

    async def learn(self, key_ids: Collection[str]) -> None:
        """Have at hand what unwraps, before each is asked for."""
        ...

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """Raises SealBrokenError."""
        ...


class JournalKey:
    """A dossier's journal key, unwrapped."""

    __slots__ = ("_cipher", "_dossier")

    def __init__(self, dossier: UUID, key: bytes) -> None:
        self._dossier = dossier.bytes
        self._cipher = SealingKey.of(_VERSION, key)

    def seal(self, sequence: int, payload: bytes, drawn: bytes) -> bytes:
        """Salt and entry as the database keeps them; `drawn` is the salt, and a nonce that no other value has."""
        salt, nonce = drawn[:SALT_SIZE], drawn[SALT_SIZE:]
        return self._cipher.seal(
            salt + payload, nonce, b"entry", self._dossier, sequence.to_bytes(8, "big", signed=True)
        )

    def open(self, sequence: int, sealed: bytes) -> tuple[bytes, bytes]:
        """Salt and entry. Raises SealBrokenError."""
        opened = self._cipher.open(sealed, b"entry", self._dossier, sequence.to_bytes(8, "big", signed=True))
        return opened[:SALT_SIZE], opened[SALT_SIZE:]


class JournalKeys:
    """Dossiers' journal keys as their rows give them, and the keyed hash of subjects.

    What was unwrapped is remembered under the wrapped bytes, for a while and for so many: whoever opens an entry has
    just read the row of its key, so an erased or replaced key is never used again.
    """

    def __init__(
        self,
        shards: Shards,
        index: bytes,
        *,
        clock: Clock = time.monotonic,
        capacity: int = 10_000,
        seconds: float = 60.0,
    ) -> None:
        self._shards = shards
        self._subjects = HMAC(derive(index, b"journal-subject"), SHA256())
        self._known: Remembered[UUID, tuple[WrappedKey, JournalKey]] = Remembered(clock, capacity, seconds)

    def subject(self, subject: Reference) -> bytes:
        """What entries are searched by: 16 bytes that tell whoever lacks the key nothing, and never change."""
        hashing = self._subjects.copy()
        hashing.update(f"{subject.type}/{subject.id}".encode())
        return hashing.finalize()[:_SUBJECT_SIZE]

    def remembers(self, dossier: UUID) -> bool:
        """Whether the key of a dossier was lately read."""
        return self._known.get(dossier) is not None

    def forget(self, dossier: UUID) -> None:
        self._known.forget(dossier)

    async def learn(self, rows: Iterable[tuple[UUID, WrappedKey]]) -> None:
        """Have at hand what unwraps these rows, before each is unwrapped."""
        known = ((self._known.get(dossier), wrapped) for dossier, wrapped in rows)
        await self._shards.learn({wrapped.key_id for found, wrapped in known if found is None or found[0] != wrapped})

    async def unwrap(self, dossier: UUID, wrapped: WrappedKey) -> JournalKey:
        """The key whose row has just been read. Raises SealBrokenError, KeysUnavailableError."""
        known = self._known.get(dossier)
        if known is not None and known[0] == wrapped:
            return known[1]
        key = JournalKey(dossier, await self._shards.unwrap(journal_key_name(dossier), wrapped))
        self._known.put(dossier, (wrapped, key))
        return key

    async def generate(
        self, connection: AsyncConnection, dossiers: Sequence[UUID]
    ) -> dict[UUID, tuple[WrappedKey, JournalKey]]:
        """New keys, to be written in this transaction; nothing is remembered of them until they are read."""
        named = [(shard_of(dossier), journal_key_name(dossier)) for dossier in dossiers]
        generated = await self._shards.generate(connection, Tree.JOURNAL, named)
        return {
            dossier: (fresh.wrapped, JournalKey(dossier, fresh.key))
            for dossier, fresh in zip(dossiers, generated, strict=True)
        }


def journal_key_name(dossier: UUID) -> Name:
    """The name of a key of `journal_chain`, which a shard key wraps."""
    return Name(_PURPOSE, dossier.bytes, _VERSION)
