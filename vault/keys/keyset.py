"""Keys that wrap other keys, and which of them may. Pure; bytes in vault/FORMAT.md §2."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag

from vault.errors import KeyStateError, SealBrokenError
from vault.keys.service import KeyState, Name, WrappedKey
from vault.sealing import NONCE_SIZE, SealingKey, pack

_USABLE = frozenset({KeyState.PRIMARY, KeyState.ENABLED})
_VERSIONS = range(1, 2**32)
_PREFIX_SIZE = 5
_NONCE_END = _PREFIX_SIZE + NONCE_SIZE


class WrappingKey:
    """An AES-256-GCM key by its id.

    What it wraps are the sealed values of `SealingKey` with the facts of `Name`; what all of them have in common is
    packed once, since a rotation wraps many.
    """

    __slots__ = ("_decrypt", "_encrypt", "_head", "_prefix", "key", "key_id", "version")

    def __init__(self, key_id: str, version: int, key: bytes) -> None:
        self.key_id = key_id
        self.version = version
        self.key = key
        sealing = SealingKey.of(version, key)
        self._prefix = sealing.prefix
        self._head = pack(self._prefix, b"key", key_id.encode())
        self._encrypt, self._decrypt = sealing.cipher.encrypt, sealing.cipher.decrypt

    def __repr__(self) -> str:
        return f"WrappingKey({self.key_id!r})"

    def wrap(self, name: Name, key: bytes, nonce: bytes) -> WrappedKey:
        """The key of that name; `nonce` is 12 random bytes."""
        return self._sealed(pack(*name.own_facts()), key, nonce)

    def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """The key of that name. Raises SealBrokenError, whatever is wrong."""
        return self._opened(pack(*name.own_facts()), wrapped)

    def rewrap(self, name: Name, wrapped: WrappedKey, primary: "WrappingKey", nonce: bytes) -> WrappedKey:
        """The key of that name, which this one wrapped, under another. Raises SealBrokenError."""
        facts = pack(*name.own_facts())
        return primary._sealed(facts, self._opened(facts, wrapped), nonce)  # noqa: SLF001  # another of the same class

    def _sealed(self, facts: bytes, key: bytes, nonce: bytes) -> WrappedKey:
        return WrappedKey(self.key_id, self._prefix + nonce + self._encrypt(nonce, key, self._head + facts))

    def _opened(self, facts: bytes, wrapped: WrappedKey) -> bytes:
        sealed = wrapped.wrapped
        nonce = sealed[_PREFIX_SIZE:_NONCE_END]
        if wrapped.key_id != self.key_id or sealed[:_PREFIX_SIZE] != self._prefix or len(nonce) != NONCE_SIZE:
            raise SealBrokenError
        try:
            return self._decrypt(nonce, sealed[_NONCE_END:], self._head + facts)
        except InvalidTag:
            raise SealBrokenError from None


@dataclass(frozen=True, slots=True)
class Keyset:
    """The versions of one key, and below which of them none unwraps any more.

    Every change gives another keyset, or raises KeyStateError, which names the version by the keyset's `name`. Raises
    ValueError unless one version is primary and the floor is not above it.
    """

    name: str
    states: Mapping[int, KeyState]
    floor: int = 1

    def __post_init__(self) -> None:
        primaries = [version for version, state in self.states.items() if state is KeyState.PRIMARY]
        known = all(version in _VERSIONS for version in self.states)
        if len(primaries) != 1 or not known or not 1 <= self.floor <= primaries[0]:
            raise ValueError(self.name)

    @classmethod
    def first(cls, name: str) -> "Keyset":
        """One version, which is primary."""
        return cls(name, {1: KeyState.PRIMARY})

    @property
    def primary(self) -> int:
        """The version that wraps."""
        (primary,) = (version for version, state in self.states.items() if state is KeyState.PRIMARY)
        return primary

    def unwraps(self, version: int) -> bool:
        """Whether what names this version may be unwrapped."""
        return self.states.get(version) in _USABLE and version >= self.floor

    def rotated(self) -> "Keyset":
        """With a new version as the primary; the one before is enabled."""
        return self._with({self.primary: KeyState.ENABLED, max(self.states) + 1: KeyState.PRIMARY})

    def enabled(self, version: int) -> "Keyset":
        """With this version as it was before it was disabled."""
        state = self._state(version)
        if state is KeyState.DESTROYED:
            raise KeyStateError(f"{self.name}/{version} is destroyed")
        return self._with({version: KeyState.ENABLED}) if state is KeyState.DISABLED else self

    def disabled(self, version: int) -> "Keyset":
        """With this version put out of use until it is enabled."""
        state = self._state(version)
        if state in {KeyState.PRIMARY, KeyState.DESTROYED}:
            raise KeyStateError(f"{self.name}/{version} is {state}")
        return self._with({version: KeyState.DISABLED})

    def destroyed(self, version: int) -> "Keyset":
        """With this version gone for ever."""
        if self._state(version) is KeyState.PRIMARY:
            raise KeyStateError(f"{self.name}/{version} is primary: rotate first")
        return self._with({version: KeyState.DESTROYED})

    def with_floor(self, version: int) -> "Keyset":
        """With no version below this one unwrapping any more."""
        if not self.floor <= version <= self.primary:
            raise KeyStateError(f"the floor of {self.name} goes from {self.floor} to {self.primary}, not {version}")
        return replace(self, floor=version)

    def _state(self, version: int) -> KeyState:
        if version not in self.states:
            raise KeyStateError(f"there is no {self.name}/{version}")
        return self.states[version]

    def _with(self, states: Mapping[int, KeyState]) -> "Keyset":
        return replace(self, states={**self.states, **states})
