"""Cells of the cases' matrices: names, groups of names, `all` of them, and what is left out (`all but these`)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from policy.errors import PolicyFileError
from policy.text import Place, refuse_unknown

ALL, BUT = "all", "but"
RESERVED = frozenset({ALL, BUT})

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
        """The shortest cell that stands for these names, by groups and by what is left out."""
        wanted = frozenset(found)
        wholes = {ALL: frozenset(self.names), **self.groups}
        ways = [self._words(wanted)]
        for word, members in wholes.items():
            if members == wanted and len(wanted) > 1:
                ways.append([word])
            elif members > wanted:
                ways.append([word, BUT, *self._words(members - wanted)])
        return min((" ".join(words) for words in ways), key=lambda cell: cell.count(" "))

    def _words(self, wanted: frozenset[str]) -> list[str]:
        """Groups of which all members are among these names, the largest first, and the names that are left."""
        words, left = [], wanted
        for group, members in sorted(self.groups.items(), key=lambda each: -len(each[1])):
            if members <= wanted and len(members & left) > 1:
                words.append(group)
                left -= members
        return [*words, *(name for name in self.names if name in left)]


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
