"""Groups of roles and of actions, so that rows read like the law."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy.errors import PolicyFileError
from policy.text import Line, refuse_unknown
from policy.words import ACTION_WORDS, ALWAYS, ANY_RULE, Fact, Role

_DEEPEST = 9  # Casbin's role manager denies without a word beyond 10
_RESERVED = frozenset({*Role, *ACTION_WORDS, *Fact, ALWAYS, ANY_RULE})


@dataclass(frozen=True)
class Groups:
    """Named groups of words: `edges` as written (member, group), `members` worked out down to the words."""

    edges: tuple[tuple[str, str], ...]
    members: Mapping[str, frozenset[str]]

    def includes(self, name: str, word: str) -> bool:
        """Whether the word is the one named, or belongs to the group named."""
        return name == word or word in self.members.get(name, frozenset())


def read_groups(lines: list[Line], words: tuple[str, ...], what: str) -> Groups:
    """The groups of roles or of actions: no unknown member, no cycle, no name that means something else.

    Raises PolicyFileError.
    """
    places = {(member, group): place for place, (member, group) in reversed(lines)}
    parents = dict.fromkeys(group for _, (_, group) in lines)
    for place, (member, group) in lines:
        if places[member, group] != place:
            raise PolicyFileError(*place, f"{member} is in {group} already on line {places[member, group][1]}")
        if group in _RESERVED or not group.replace("_", "").isalnum() or group != group.lower():
            raise PolicyFileError(*place, f"{group!r} cannot name a group")
        refuse_unknown(*place, f"{what} or group of {what}s", member, (*words, *parents))
    children = {group: [member for member, parent in places if parent == group] for group in parents}

    def members(name: str, above: tuple[str, ...]) -> frozenset[str]:
        if name in words:
            return frozenset({name})
        if name in above or len(above) >= _DEEPEST:
            fault = "contains itself" if name in above else f"is nested more than {_DEEPEST} groups deep"
            raise PolicyFileError(*places[name, above[-1]], f"the group {name} {fault}")
        return frozenset[str]().union(*(members(child, (*above, name)) for child in children[name]))

    return Groups(tuple(sorted(places)), {group: members(group, ()) for group in parents})
