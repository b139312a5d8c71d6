"""The masters in a token: which there are, in what state, and how new ones are made. Everything here blocks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vault.errors import KeyStateError, KeysUnavailableError
from vault.keys.keyset import Keyset
from vault.keys.remembering import Clock
from vault.keys.service import KeyState, Tree
from vault.pkcs11_token import OpenToken, TokenKey

SETTLE = 2.0
"""Seconds within which a maker of masters goes from looking to making, and waits before he looks again."""

_ROUNDS = 4
_FIRST = 1

Settle = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Masters:
    """What a token held when it was read: its masters by their key ids, and the keysets that they make up."""

    keys: Mapping[str, TokenKey]
    keysets: Mapping[Tree, Keyset]

    @classmethod
    def read(cls, token: OpenToken) -> "Masters":
        """Raises KeysUnavailableError where it is not clear which key is meant."""
        keys: dict[str, TokenKey] = {}
        for key in token.read_keys():
            if not key.candidate and keys.setdefault(key.key_id, key) is not key:
                raise KeysUnavailableError(f"the token holds two masters {key.key_id}: one of them is not ours")
        floors = token.read_floors()
        keysets = {
            tree: _keyset(tree, versions, floors.get(tree, _FIRST))
            for tree in Tree
            if (versions := {key.version: key.usable for key in keys.values() if key.tree == tree})
        }
        return cls(keys, keysets)

    @property
    def lacking(self) -> list[tuple[Tree, int]]:
        """The first master of each tree that has none."""
        return [(tree, _FIRST) for tree in Tree if tree not in self.keysets]

    def primary(self, tree: Tree) -> TokenKey:
        return self.keys[f"{tree}/{self.keysets[tree].primary}"]

    def opener(self, key_id: str) -> TokenKey | None:
        """The master of that id, if it may unwrap."""
        key = self.keys.get(key_id)
        return key if key and self.keysets[key.tree].unwraps(key.version) else None

    def keyset(self, tree: Tree) -> Keyset:
        """Raises KeyStateError if the tree has no master yet."""
        if tree not in self.keysets:
            raise KeyStateError(f"there is no master of {tree} yet")
        return self.keysets[tree]


def _keyset(tree: Tree, usable: Mapping[int, bool], floor: int) -> Keyset:
    """The highest that is usable is primary. What is not there, below one that is, was destroyed."""
    primary = max((version for version in usable if usable[version]), default=None)
    states = {
        version: KeyState.PRIMARY
        if version == primary
        else {True: KeyState.ENABLED, False: KeyState.DISABLED, None: KeyState.DESTROYED}[usable.get(version)]
        for version in range(_FIRST, max(usable) + 1)
    }
    try:
        return Keyset(tree, states, floor)
    except ValueError:
        raise KeysUnavailableError(f"the token has no usable master of {tree}, or its floor is above them") from None


def make(token: OpenToken, wanted: Sequence[tuple[Tree, int]], settle: Settle, clock: Clock) -> None:
    """Masters of these trees and versions; one of each, however many processes make them at once.

    PKCS#11 has neither unique labels nor locks. So nobody makes a master: he makes a candidate, which nothing uses,
    waits SETTLE seconds and looks again. The candidate with the lowest id becomes the master, the others are destroyed
    by those who made them. Whoever looked and found no candidate makes his within SETTLE seconds, or gives it up; so
    when a maker looks again he sees every rival that will ever be, and all of them agree on the lowest.

    Raises KeysUnavailableError if others do not finish. What lay there all the while is somebody's who died, and is
    cleared away for the next try.
    """
    lingering: set[TokenKey] | None = None
    for _ in range(_ROUNDS):
        until = clock() + SETTLE
        found = token.read_keys()
        masters = {(key.tree, key.version) for key in found if not key.candidate}
        missing = [name for name in wanted if name not in masters]
        if not missing:
            return
        rivals = {key for key in found if key.candidate and (key.tree, key.version) in missing}
        lingering = rivals if lingering is None else rivals & lingering
        made = [] if rivals else [token.generate(tree, version) for tree, version in missing]
        in_time = clock() <= until
        settle()
        _decide(token, made, in_time=in_time)
    for rival in lingering or ():
        token.destroy(rival)
    raise KeysUnavailableError("others are making masters in the token and do not finish: try again")


def _decide(token: OpenToken, made: list[TokenKey], *, in_time: bool) -> None:
    found = token.read_keys() if made else []
    for mine in made:
        same = [key for key in found if key.key_id == mine.key_id]
        if in_time and all(key.candidate for key in same) and mine == min(same, key=lambda key: key.id):
            token.promote(mine)
        else:
            token.destroy(mine)
