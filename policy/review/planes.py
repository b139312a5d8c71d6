"""Many situations at once: for each fact an integer with one bit for each situation, however many millions there are.

A condition is then a few operations on integers. A `Plane` holds every situation of one role and one action; facts that
nobody asks about are left out of it, and each of its bits stands for all situations that differ in those only. A
`Sample` holds situations that were picked.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from math import prod

from models.vocabulary import Action
from policy.conditions import Condition
from policy.situation import Situation
from policy.space import Dimension, dimensions
from policy.words import Fact, Role

MEETINGS = tuple((role, action) for role in Role for action in (None, *Action) if dimensions(role, action))
"""Every role with every action that it can ask for."""


class Situations:
    """Situations of one role and one action; `columns` tells for each fact in which of them it holds."""

    def __init__(self, role: Role, action: Action | None, size: int) -> None:
        self.role = role
        self.action = action
        self.size = size
        self.all = (1 << size) - 1
        self.columns: dict[Fact, int] = dict.fromkeys(Fact, 0)

    def where(self, condition: Condition) -> int:
        """Where the condition is met."""
        column = self.all
        for fact in condition.required:
            column &= self.columns[fact]
        for fact in condition.forbidden:
            column ^= column & self.columns[fact]
        return column


class Sample(Situations):
    """Situations that were picked, in their order."""

    def __init__(self, role: Role, action: Action | None, picked: Sequence[Situation]) -> None:
        super().__init__(role, action, len(picked))
        for place, situation in enumerate(picked):
            for fact in situation.facts:
                self.columns[fact] |= 1 << place


class Plane(Situations):
    """Every situation of one role and one action, as far as the facts asked about tell them apart."""

    def __init__(self, role: Role, action: Action | None, asked: Iterable[Fact]) -> None:
        wanted = frozenset(asked)
        bearing = dimensions(role, action)
        self.dimensions = tuple(each for each in bearing if each.facts & wanted)
        self._untold = tuple(each for each in bearing if not each.facts & wanted)
        super().__init__(role, action, prod(len(each.alternatives) for each in self.dimensions))
        self._strides = []
        stride = 1
        for dimension in self.dimensions:
            self._strides.append(stride)
            for place, some in enumerate(dimension.alternatives):
                column = self._slice(dimension, stride, place)
                for fact in some:
                    self.columns[fact] |= column
            stride *= len(dimension.alternatives)

    @cached_property
    def weight(self) -> int:
        """For how many situations each bit stands."""
        return prod(len(each.alternatives) for each in self._untold)

    @property
    def told(self) -> Iterator[tuple[int, Dimension]]:
        """Each dimension with its stride: how far apart two neighbouring alternatives stand."""
        return zip(self._strides, self.dimensions, strict=True)

    def tells(self, conditions: Iterable[Condition]) -> bool:
        """Whether the plane tells apart all that the conditions ask about, as far as it means something here."""
        untold = frozenset[Fact]().union(*(each.facts for each in self._untold))
        return all(untold.isdisjoint(condition.facts) for condition in conditions)

    def situation(self, number: int) -> Situation:
        """The plainest of the situations that a bit stands for."""
        facts = frozenset[Fact]()
        for dimension in self.dimensions:
            number, place = divmod(number, len(dimension.alternatives))
            facts |= dimension.alternatives[place]
        return self.completed(facts)

    def completed(self, facts: frozenset[Fact]) -> Situation:
        """The plainest situation with these facts of the dimensions that the plane tells."""
        untold = (plainest(each) for each in self._untold)
        return Situation.of(self.role, self.action, facts.union(*untold))

    def turned(self, fact: Fact, here: int, there: int) -> int:
        """Where `here` holds with the fact, and `there` in the same situation but for the fact."""
        found = 0
        for stride, dimension in self.told:
            alternatives = dimension.alternatives
            for place, some in enumerate(alternatives):
                if fact in some and some - {fact} in alternatives:
                    shift = (alternatives.index(some - {fact}) - place) * stride
                    moved = there >> shift if shift > 0 else there << -shift
                    found |= here & moved & self._slice(dimension, stride, place)
        return found

    def _slice(self, dimension: Dimension, stride: int, place: int) -> int:
        """Where a dimension has the alternative of this place."""
        width = stride * len(dimension.alternatives)
        return _repeat(((1 << stride) - 1) << place * stride, width, self.size // width)


def plainest(dimension: Dimension) -> frozenset[Fact]:
    """The alternative that says least; of the modes, the normal one."""
    return min(dimension.alternatives, key=len)


def situations_of(role: Role, action: Action | None) -> int:
    """How many situations this role and this action have."""
    return prod(len(each.alternatives) for each in dimensions(role, action))


def _repeat(pattern: int, width: int, times: int) -> int:
    """The pattern, that many times beside itself."""
    if times == 1:
        return pattern
    half = _repeat(pattern, width, times // 2)
    whole = half | half << width * (times // 2)
    return whole if times % 2 == 0 else whole | pattern << width * (times - 1)
