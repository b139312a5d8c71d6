"""What a key service does: it keeps master keys, which never leave it, and wraps other keys under them.

Each tree of keys has masters of its own, so that one tree can be destroyed, or given to others to keep, alone. A tree's
masters are a keyset: one is primary and wraps, the enabled ones still unwrap, a disabled one does nothing until it is
enabled again, a destroyed one never again. Keys are chosen by their id, never by trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vault.sealing import pack


class Tree(StrEnum):
    """What hangs below a keyset of masters."""

    DOSSIER = "dossier"
    """What seals documents and small values; one key a shard, below it one a dossier."""
    JOURNAL = "journal"
    """What seals the journal's entries, which outlive the documents; as DOSSIER."""
    INDEX = "index"
    """What makes an INS into a pseudonym, and a subject into what the journal is searched by."""
    ROWS = "rows"
    """What authenticates rows of the database."""
    SIGNING = "signing"
    """What signs the journal's checkpoints."""


class KeyState(StrEnum):
    PRIMARY = "primary"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Name:
    """Whose key it is, what for, and which of his: bound into its wrapping, so that no key passes for another."""

    purpose: str
    owner: bytes
    version: int

    def facts(self, key_id: str) -> tuple[bytes, ...]:
        """What is authenticated with the key, `key_id` being the key that wraps it."""
        return b"key", key_id.encode(), *self.own_facts()

    def own_facts(self) -> tuple[bytes, bytes, bytes]:
        """Of `facts`, those that say nothing of the key that wraps it."""
        return self.purpose.encode(), self.owner, self.version.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as the database keeps it: useless without the key service. `key_id` is `tree/version` or below a shard."""

    key_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True, repr=False)
class GeneratedKey:
    """A fresh key of 32 bytes, and the same wrapped."""

    key: bytes
    wrapped: WrappedKey


@dataclass(frozen=True, slots=True)
class Master:
    """What may be told of a master key."""

    tree: Tree
    version: int
    state: KeyState

    @property
    def key_id(self) -> str:
        return f"{self.tree}/{self.version}"


@dataclass(frozen=True, slots=True)
class Status:
    """What may be told of a key service.

    `generation` goes up with every change and is 0 where the service itself cannot be set back (an HSM); `floors`
    gives, for each tree, the version below which no master unwraps.
    """

    service: str
    generation: int
    masters: tuple[Master, ...]
    floors: Mapping[Tree, int]


class KeyService(Protocol):
    """Keeps the masters. Any method raises KeysUnavailableError when the service does not answer.

    Those that name a key raise KeyStateError when there is none, or its state does not allow it.
    """

    async def generate(self, tree: Tree, names: Sequence[Name]) -> list[GeneratedKey]:
        """A random key of 32 bytes for each name, wrapped under the tree's primary."""
        ...

    async def wrap(self, tree: Tree, keys: Sequence[tuple[Name, bytes]]) -> list[WrappedKey]:
        """These keys under the tree's primary."""
        ...

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """The key, by the master that it names.

        Raises SealBrokenError, also for a master that is below the floor, disabled, destroyed or unknown.
        """
        ...

    async def rewrap(self, keys: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey]:
        """The same keys under the primaries of their trees; none leaves the service. Raises SealBrokenError."""
        ...

    async def rotate(self, tree: Tree) -> Master:
        """A new primary; the one before stays enabled."""
        ...

    async def enable(self, tree: Tree, version: int) -> None: ...

    async def disable(self, tree: Tree, version: int) -> None:
        """Not the primary."""
        ...

    async def set_floor(self, tree: Tree, version: int) -> None:
        """No master below this version unwraps any more. Never lower than before, never above the primary."""
        ...

    async def destroy(self, tree: Tree, version: int) -> None:
        """Not the primary. What it wraps is noise from then on, in every backup too."""
        ...

    async def status(self) -> Status: ...

    async def probe(self) -> None:
        """Return if the service answers."""
        ...

    async def close(self) -> None: ...


def shard_name(tree: Tree, shard: int, version: int) -> Name:
    """The name of a key of `shard_key`, which a master wraps."""
    return Name("shard", pack(tree.encode(), shard.to_bytes(2, "big")), version)
