"""Cells of the cases' matrices: what they stand for, and how few rows say the same."""

import random
from itertools import product
from pathlib import Path

import pytest

from policy.errors import PolicyFileError
from policy.review.cells import Axis, Product, products

PLACE = (Path("groups.csv"), 3)
FRUIT = Axis("fruit", ("apple", "pear", "plum", "fig", "lime"), {"stone": frozenset({"plum", "fig", "lime"})})


@pytest.mark.parametrize(
    "text, expected",
    [
        ("pear", {"pear"}),
        ("pear apple", {"apple", "pear"}),
        ("all", {"apple", "pear", "plum", "fig", "lime"}),
        ("stone apple", {"apple", "plum", "fig", "lime"}),
        ("all but stone", {"apple", "pear"}),
        ("stone pear but fig pear", {"plum", "lime"}),
    ],
)
def test_a_cell_stands_for_names(text: str, expected: set[str]) -> None:
    """Single ones, groups, all of them, less what stands behind `but`."""
    assert FRUIT.read(PLACE, text) == expected


@pytest.mark.parametrize(
    "text, fault",
    [
        ("stome", "'stome' is no known fruit; did you mean stone?"),
        ("pear but pear", "'pear but pear' names no fruit"),
        ("all but pech", "'pech' is no known fruit"),
    ],
)
def test_a_cell_that_names_nothing_known_is_refused(text: str, fault: str) -> None:
    """With file and line."""
    with pytest.raises(PolicyFileError) as refused:
        FRUIT.read(PLACE, text)
    assert str(refused.value) == f"groups.csv:3: {fault}"


@pytest.mark.parametrize("text", ["pear", "apple pear", "all", "stone", "stone apple", "all but fig"])
def test_names_are_written_as_a_reviewer_would(text: str) -> None:
    """By a group or by what is left out, where that is shorter; in the order of the names."""
    assert FRUIT.write(FRUIT.read(PLACE, text)) == text


def test_what_is_written_is_read_back() -> None:
    """Whatever the names."""
    names = [{name for name, kept in zip(FRUIT.names, bits, strict=True) if kept} for bits in product([0, 1], repeat=5)]
    assert [FRUIT.read(PLACE, FRUIT.write(some)) for some in names if some] == [some for some in names if some]


def test_a_matrix_knows_its_own_names_only() -> None:
    """A group is what is left of it there; one of which nothing is left does not exist."""
    axis = FRUIT.within(["fig", "pear"])
    assert (axis.read(PLACE, "all"), axis.groups) == (frozenset({"fig", "pear"}), {"stone": frozenset({"fig"})})
    assert FRUIT.within(["pear"]).groups == {}


def cases_of(product_: Product) -> set[tuple[str, ...]]:
    """What a product stands for."""
    return set(product(*product_))


@pytest.mark.parametrize("seed", range(20))
def test_products_are_the_same_cases(seed: int) -> None:
    """Each exactly once, in no more products than there are cases."""
    drawn = random.Random(seed)
    every = list(product("ab", "cd", "ef", "gh", "ij"))
    given = drawn.sample(every, drawn.randrange(1, len(every)))
    found = products(Product._make(frozenset({word}) for word in case) for case in given)
    told = [case for each in found for case in cases_of(each)]
    assert sorted(told) == sorted(given)


def test_cases_that_are_a_product_become_one() -> None:
    """One row."""
    given = [Product._make(frozenset({word}) for word in case) for case in product("ab", "cde", "f", "gh", "i")]
    assert [list(map(sorted, each)) for each in products(given)] == [
        [["a", "b"], ["c", "d", "e"], ["f"], ["g", "h"], ["i"]]
    ]
