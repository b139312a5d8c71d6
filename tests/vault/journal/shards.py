"""Shard keys that need no key service: derived from one secret, the same in every process of a test."""

import hashlib
import os
from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from vault.journal.keys import JournalKeys
from vault.keys.service import GeneratedKey, Name, Tree, WrappedKey
from vault.sealing import KEY_SIZE, NONCE_SIZE, SealingKey

_SECRET = b"\x05" * 32


class FixedShards:
    """See `vault.journal.keys.Shards`."""

    def __init__(self) -> None:
        self.unwrapped = 0

    async def generate(
        self, _connection: AsyncConnection, tree: Tree, names: Sequence[tuple[int, Name]]
    ) -> list[GeneratedKey]:
        return [_generated(f"{tree}/{shard:03x}/1", name) for shard, name in names]

    async def learn(self, key_ids: Collection[str]) -> None:
        """They are known."""

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        self.unwrapped += 1
        return _shard(wrapped.key_id).open(wrapped.wrapped, *name.facts(wrapped.key_id))


def fixed_keys() -> JournalKeys:
    return JournalKeys(FixedShards(), b"\x06" * 32)


def _generated(key_id: str, name: Name) -> GeneratedKey:
    key = os.urandom(KEY_SIZE)
    wrapped = _shard(key_id).seal(key, os.urandom(NONCE_SIZE), *name.facts(key_id))
    return GeneratedKey(key, WrappedKey(key_id, wrapped))


def _shard(key_id: str) -> SealingKey:
    return SealingKey.of(1, hashlib.sha256(_SECRET + key_id.encode()).digest())
