"""Cells of the cases' matrices: names, groups of names, `all` of them, and what is left out (`all but these`)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from policy.errors import PolicyFileError
from policy.text import Place, refuse_unknown

ALL, BUT = "all", "but"
RESERVED = frozenset({ALL, BUT})

_FEW = 3
_ORDERS = [(*order[at:], *order[:at]) for order in ((4, 3, 2, 1, 0), (4, 0, 1, 2, 3)) for at in range(5)]
"""In which orders fields are joined; the one that gives fewest products is kept."""


class Product(NamedTuple):
    """A row's cells, each as the names that it stands for; the row is about all their combinations."""

    circumstances: frozenset[str]
    personas: frozenset[str]
    documents: frozenset[str]
    actions: frozenset[str]
    histories: frozenset[str]


@dataclass(frozen=True)
class Axis:
    """The names that a cell may hold, in their order, and the groups of them."""

    what: str
    names: tuple[str, ...]
    groups: Mapping[str, frozenset[str]]

    def read(self, place: Place, text: str) -> frozenset[str]:
        """The names that a cell stands for, of which there is one. Raises PolicyFileError."""
        named, but, left_out = text.partition(f" {BUT} ")
        found = self._union(place, named) - (self._union(place, left_out) if but else frozenset())
        if not found:
            raise PolicyFileError(*place, f"{text!r} names no {self.what}")
        return found

    def _union(self, place: Place, text: str) -> frozenset[str]:
        words = text.split()
        for word in words:
            refuse_unknown(*place, self.what, word, (ALL, *self.names, *self.groups))
        return frozenset[str]().union(*(self._members(word) for word in words))

    def _members(self, word: str) -> frozenset[str]:
        if word == ALL:
            return frozenset(self.names)
        return self.groups.get(word, frozenset({word}))

    def within(self, names: Collection[str]) -> "Axis":
        """The same for a matrix in which only some names can stand."""
        groups = {group: members.intersection(names) for group, members in self.groups.items()}
        kept = tuple(name for name in self.names if name in names)
        return replace(self, names=kept, groups={group: members for group, members in groups.items() if members})

    def write(self, found: Collection[str]) -> str:
        """A cell that stands for these names: `all`, a group, or what is left out where that is short."""
        wanted = frozenset(found)
        if len(wanted) > 1:
            named = {ALL: frozenset(self.names), **self.groups}
            for word, members in named.items():
                if members == wanted:
                    return word
            for word, members in named.items():
                if members > wanted and len(members - wanted) <= min(_FEW, len(wanted) - 1):
                    return f"{word} {BUT} {' '.join(self._in_order(members - wanted))}"
        return " ".join(self._in_order(wanted))

    def _in_order(self, found: Collection[str]) -> Iterable[str]:
        return (name for name in self.names if name in found)


def products(cases: Iterable[Product]) -> list[Product]:
    """The same cases in few products, none of which shares a case with another."""
    given = list(dict.fromkeys(cases))
    return min((reduce(_joined, order, given) for order in _ORDERS), key=len)


def _joined(found: list[Product], field: int) -> list[Product]:
    """Products that are alike but for one field, made one."""
    together: dict[tuple[frozenset[str], ...], frozenset[str]] = {}
    for each in found:
        rest = (*each[:field], *each[field + 1 :])
        together[rest] = together.get(rest, frozenset()) | each[field]
    return [Product._make((*rest[:field], some, *rest[field:])) for rest, some in together.items()]
