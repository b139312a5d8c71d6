"""The deployment's secrets that wrap nothing: keys of shard 0 of their trees, made when first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.database import Database
from vault.errors import KeyringError, SealBrokenError
from vault.keys.keyset import WrappingKey
from vault.keys.service import KeyState, Tree
from vault.keys.shards import ShardKeys
from vault.sealing import derive


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What the deployment's components are given when they begin; 32 bytes each.

    The index's key gives the pseudonyms of people, and what the journal is searched by. It has no successor, since
    every pseudonym would be another. Of the journal's signing keys, `seeds` gives
    those of all versions that are still in use, and `signing` says which of them signs.
    """

    index: bytes
    seeds: Mapping[int, bytes]
    signing: int

    @property
    def pseudonym(self) -> bytes:
        """Of people, by their INS (`models.identifiers`)."""
        return derive(self.index, b"pseudonym")

    @property
    def signing_seed(self) -> bytes:
        """Of the Ed25519 key that signs the journal's checkpoints."""
        return self.seeds[self.signing]


async def read_secrets(database: Database, shards: ShardKeys) -> Secrets:
    """The secrets of this database. Raises KeyringError if the key service does not open them."""
    _, index = await _versions(database, shards, Tree.INDEX)
    signing, seeds = await _versions(database, shards, Tree.SIGNING)
    (secret,) = index.values()
    return Secrets(secret, seeds, signing)


async def _versions(database: Database, shards: ShardKeys, tree: Tree) -> tuple[int, dict[int, bytes]]:
    """Which version of the tree's only shard is primary, and all of them."""
    try:
        found = await shards.versions(tree)
        if not found:
            async with database.begin() as connection:
                await shards.hold(connection, tree, [0])
            found = await shards.versions(tree)
    except SealBrokenError:
        raise KeyringError(f"the key service does not open this database's {tree} key: is it another's?") from None
    return _primary(found), {version: key.key for version, (_, key) in found.items()}


def _primary(found: Mapping[int, tuple[KeyState, WrappingKey]]) -> int:
    (primary,) = (version for version, (state, _) in found.items() if state is KeyState.PRIMARY)
    return primary
