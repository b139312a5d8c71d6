"""Sets of situations as decision diagrams: small however many situations they hold.

A plane's column is cut along its dimensions, one level each, and equal parts are kept once; what a set does not depend
on has no level in it. From such a diagram come the plainest situation of a set, the situation nearest to another one,
and a cover of the set by few conditions.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import inf

from policy.conditions import Condition
from policy.review.planes import Plane, plainest
from policy.situation import Situation
from policy.space import Dimension
from policy.words import Fact

NOWHERE, EVERYWHERE = 0, 1

_Node = tuple[int, tuple[int, ...]]
Cost = Callable[[frozenset[Fact], Dimension], int]


class Diagram:
    """Diagrams of one plane. A set is the number of its top node; equal sets have equal numbers."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        told = list(plane.told)
        self._strides = [stride for stride, _ in told]
        self._dimensions = [dimension for _, dimension in told]
        self._bits = [[_bits(some) for some in dimension.alternatives] for dimension in self._dimensions]
        self._masks = [_bits(dimension.facts) for dimension in self._dimensions]
        self._top = len(told) - 1
        self._nodes: list[_Node] = [(-1, ()), (-1, ())]
        self._numbers: dict[_Node, int] = {}

    def of(self, column: int) -> int:
        """The set that a column of the plane is."""

        @cache
        def node(level: int, part: int) -> int:
            if part == 0 or level < 0:
                return part
            stride = self._strides[level]
            mask = (1 << stride) - 1
            places = range(len(self._bits[level]))
            return self._node(level, [node(level - 1, part >> at * stride & mask) for at in places])

        return node(self._top, column)

    def without(self, number: int, condition: Condition) -> int:
        """What is left of a set when all situations that meet the condition are taken out."""

        @cache
        def rest(level: int, node: int) -> int:
            if node == NOWHERE or level < 0:
                return NOWHERE
            met = self._met(level, condition)
            below = zip(self._children(node, level), met, strict=True)
            return self._node(level, [rest(level - 1, child) if here else child for child, here in below])

        return rest(self._top, number)

    def holds_wherever(self, number: int, condition: Condition) -> bool:
        """Whether all situations that meet the condition, of which there is one, are in the set."""

        @cache
        def holds(node: int) -> bool:
            if node <= EVERYWHERE:
                return node == EVERYWHERE
            level, children = self._nodes[node]
            met = self._met(level, condition)
            return all(holds(child) for child, here in zip(children, met, strict=True) if here)

        return holds(number)

    def nearest(self, number: int, cost: Cost) -> Situation:
        """The situation of the set that costs least, the costs of its alternatives added up. The set is not empty."""
        return self.plane.completed(next(self.all_nearest(number, cost)))

    def all_nearest(self, number: int, cost: Cost) -> Iterator[frozenset[Fact]]:
        """The facts of every situation of the set that costs least, of the dimensions that the plane tells.

        The same set and cost always give the same order. An empty set has none.
        """

        @cache
        def ways(node: int, level: int) -> list[tuple[float, frozenset[Fact], int]]:
            dimension = self._dimensions[level]
            below = zip(dimension.alternatives, self._children(node, level), strict=True)
            return [(cheapest(child, level - 1) + cost(some, dimension), some, child) for some, child in below]

        @cache
        def cheapest(node: int, level: int) -> float:
            if node == NOWHERE:
                return inf
            return 0 if level < 0 else min(price for price, _, _ in ways(node, level))

        def walk(node: int, level: int) -> Iterator[frozenset[Fact]]:
            if level < 0:
                yield frozenset()
                return
            least = cheapest(node, level)
            for price, some, child in ways(node, level):
                if price == least:
                    yield from (some | rest for rest in walk(child, level - 1))

        if number != NOWHERE:
            yield from walk(number, self._top)

    def smallest(self, number: int) -> Situation:
        """The situation of the set with the fewest facts. The set is not empty."""
        return self.nearest(number, lambda some, dimension: len(some) - len(plainest(dimension)))

    def cover(self, number: int) -> list[Condition]:
        """Conditions that together are met in the set and nowhere else.

        None can be left out, and no literal of any can be dropped.
        """
        found: list[Condition] = []
        rest = number
        while rest != NOWHERE:
            condition = self._widest(number, self.smallest(rest).facts)
            found.append(condition)
            rest = self.without(rest, condition)
        for condition in list(found):
            others = [each for each in found if each is not condition]
            if self._all_out(number, others) == NOWHERE:
                found = others
        return found

    def _all_out(self, number: int, conditions: Sequence[Condition]) -> int:
        for condition in conditions:
            number = self.without(number, condition)
        return number

    def _widest(self, number: int, facts: frozenset[Fact]) -> Condition:
        """The condition of fewest literals, among some, that these facts meet and that is met in the set only."""
        told = self._told(number)
        positive = [fact for fact in Fact if fact in told & facts]
        negative = [fact for fact in Fact if fact in told - facts]
        orders = (
            [*reversed(negative), *reversed(positive)],
            [*reversed(positive), *reversed(negative)],
            [*positive, *negative],
        )
        return min((self._narrowed(number, facts, order) for order in orders), key=lambda each: len(each.facts))

    def _narrowed(self, number: int, facts: frozenset[Fact], order: Sequence[Fact]) -> Condition:
        """What is left of all literals when each that is not needed is dropped, in this order."""
        kept = frozenset(order)
        for fact in order:
            fewer = kept - {fact}
            if self.holds_wherever(number, Condition(fewer & facts, fewer - facts)):
                kept = fewer
        return Condition(kept & facts, kept - facts)

    def _told(self, number: int) -> frozenset[Fact]:
        """The facts of the dimensions that the set depends on."""
        levels = {self._nodes[node][0] for node in self._below(number)}
        return frozenset[Fact]().union(*(self._dimensions[level].facts for level in levels))

    def _below(self, number: int) -> Iterator[int]:
        """The nodes of a set, each once."""
        seen, waiting = set[int](), [number]
        while waiting:
            node = waiting.pop()
            if node > EVERYWHERE and node not in seen:
                seen.add(node)
                waiting.extend(self._nodes[node][1])
                yield node

    def _met(self, level: int, condition: Condition) -> list[bool]:
        """Which alternatives of a level agree with the condition."""
        mask = self._masks[level]
        needs, bars = condition.needs & mask, condition.bars & mask
        return [some & needs == needs and not some & bars for some in self._bits[level]]

    def _children(self, node: int, level: int) -> Sequence[int]:
        """What a node has below each alternative of a level that it may not depend on."""
        at, children = self._nodes[node]
        return children if at == level else (node,) * len(self._bits[level])

    def _node(self, level: int, children: Sequence[int]) -> int:
        if all(child == children[0] for child in children):
            return children[0]
        key = (level, tuple(children))
        if key not in self._numbers:
            self._numbers[key] = len(self._nodes)
            self._nodes.append(key)
        return self._numbers[key]


def _bits(facts: frozenset[Fact]) -> int:
    return sum(fact.bit for fact in facts)
