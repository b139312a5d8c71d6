"""The tree against the text of RFC 6962 and its published test data."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.journal import tree
from vault.journal.tree import EMPTY_ROOT, Frontier, Node

# The test data of the RFC's reference implementation (certificate-transparency, merkle_tree_test).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


# What follows is the RFC's definition, word for word, and deliberately not the way the module does it.


def mth(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves_of(size: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(size)]


def grown(leaves: Sequence[bytes]) -> tuple[Frontier, dict[Node, bytes]]:
    """The frontier, and all that the ledger would have stored."""
    hashes = [tree.leaf_hash(leaf) for leaf in leaves]
    frontier, tiles = Frontier().extend(hashes)
    return frontier, tiles | {Node(0, position): leaf for position, leaf in enumerate(hashes)}


def proved(steps: list[list[Node]], stored: dict[Node, bytes]) -> list[bytes]:
    return [tree.compute(step, stored) for step in steps]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_published(size: int) -> None:
    """The tree over the first n inputs of the published data has the published root."""
    assert grown(INPUTS[:size])[0].root().hex() == ROOTS[size]


@pytest.mark.parametrize(
    "position,size,expected",
    [
        (0, 1, []),
        (0, 8, [N1, N23, N47]),
        (5, 8, [N4, N67, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], N23, N4]),
    ],
)
def test_paths_are_those_published(position: int, size: int, expected: list[str]) -> None:
    """Inclusion paths over the published data are the published ones, and verify."""
    frontier, stored = grown(INPUTS[:size])
    found = proved(tree.inclusion(position, size), stored)
    assert [step.hex() for step in found] == expected
    assert tree.verify_inclusion(stored[Node(0, position)], position, size, found, frontier.root())


@pytest.mark.parametrize(
    "old,new,expected",
    [(1, 1, []), (1, 8, [N1, N23, N47]), (6, 8, [N45, N67, ROOTS[4]]), (2, 5, [N23, N4])],
)
def test_consistency_paths_are_those_published(old: int, new: int, expected: list[str]) -> None:
    """Consistency paths over the published data are the published ones, and verify."""
    frontier, stored = grown(INPUTS[:new])
    found = proved(tree.consistency(old, new), stored)
    assert [step.hex() for step in found] == expected
    assert tree.verify_consistency(old, new, bytes.fromhex(ROOTS[old]), frontier.root(), found)


@pytest.mark.parametrize("size", [*range(1, 40), 255, 256, 257, 300, 513])
def test_every_inclusion_path_is_the_definitions(size: int) -> None:
    """Every leaf's path is what the RFC's definition gives, and verifies against the root that it gives."""
    leaves = leaves_of(size)
    frontier, stored = grown(leaves)
    root = mth(leaves)
    assert frontier.root() == root
    for position in range(0, size, 1 if size < 40 else 17):
        found = proved(tree.inclusion(position, size), stored)
        assert found == path(position, leaves)
        assert tree.verify_inclusion(stored[Node(0, position)], position, size, found, root)


@pytest.mark.parametrize("new", [*range(1, 40), 255, 256, 257, 300, 513])
def test_every_consistency_path_is_the_definitions(new: int) -> None:
    """Every earlier size's consistency path is what the RFC's definition gives, and verifies."""
    leaves = leaves_of(new)
    stored = grown(leaves)[1]
    root = mth(leaves)
    for old in range(1, new + 1, 1 if new < 40 else 17):
        found = proved(tree.consistency(old, new), stored)
        assert found == subproof(old, leaves, True)
        assert tree.verify_consistency(old, new, mth(leaves[:old]), root, found)


@given(st.integers(0, 700), st.lists(st.integers(0, 300), max_size=4))
def test_a_tree_grows_the_same_in_any_portions(first: int, portions: list[int]) -> None:
    """However the leaves are portioned out, the tree and the tiles that were completed are the same."""
    ends = [first]
    for portion in portions:
        ends.append(ends[-1] + portion)
    hashes = [tree.leaf_hash(leaf) for leaf in leaves_of(ends[-1])]
    frontier, tiles = Frontier(), dict[Node, bytes]()
    for start, end in pairwise([0, *ends]):
        frontier, completed = Frontier.decode(frontier.size, frontier.encode()).extend(hashes[start:end])
        tiles |= completed
    assert (frontier, tiles) == Frontier().extend(hashes)


def test_tiles_are_the_subtrees_of_256() -> None:
    """What is kept beside the leaves are the roots over 256 of them, and over 256 such roots."""
    hashes = [b"\x05" * 32] * 65536
    frontier, tiles = Frontier().extend(hashes)
    assert set(tiles) == {Node(8, position) for position in range(256)} | {Node(16, 0)}
    assert tiles[Node(16, 0)] == frontier.root()


def test_a_path_reads_few_of_the_stored_hashes() -> None:
    """In a tree of 2^40 leaves a path is computed from at most 512 hashes for each level of tiles."""
    size, position = 2**40 - 1, 2**39 + 12_345
    parts = {part for step in tree.inclusion(position, size) for node in step for part in tree.stored(node)}
    assert {node.level for node in parts} == {0, 8, 16, 24, 32}
    assert max(sum(node.level == level for node in parts) for level in range(0, 40, 8)) <= 512


@pytest.mark.parametrize("position,size", [(-1, 3), (3, 3), (0, 0)])
def test_no_path_for_what_is_not_there(position: int, size: int) -> None:
    """A leaf that the tree does not have has no path, and none verifies."""
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion(position, size)
    assert not tree.verify_inclusion(b"\x00" * 32, position, size, [], b"\x00" * 32)


@pytest.mark.parametrize("old,new", [(0, 3), (4, 3), (-1, 3)])
def test_no_consistency_path_between_such_sizes(old: int, new: int) -> None:
    """Only a tree with leaves leads to one that is not smaller."""
    with pytest.raises(ValueError, match="consistency"):
        tree.consistency(old, new)


@given(st.data())
def test_no_altered_inclusion_proof_verifies(data: st.DataObject) -> None:
    """A path with a hash changed, dropped or added, or for another leaf, place or root, does not verify."""
    size = data.draw(st.integers(2, 70))
    position = data.draw(st.integers(0, size - 1))
    frontier, stored = grown(leaves_of(size))
    root, leaf, found = frontier.root(), stored[Node(0, position)], proved(tree.inclusion(position, size), stored)
    at = data.draw(st.integers(0, len(found) - 1))
    wrong = b"\x00" * 32
    altered = [*found[:at], wrong, *found[at + 1 :]]
    shorter = [*found[:at], *found[at + 1 :]]
    longer = [*found[:at], wrong, *found[at:]]
    assert not any(tree.verify_inclusion(leaf, position, size, other, root) for other in (altered, shorter, longer))
    assert not tree.verify_inclusion(leaf, position, size, [*found, wrong], root)
    assert not tree.verify_inclusion(wrong, position, size, found, root)
    assert not tree.verify_inclusion(leaf, position, size, found, wrong)
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != position))
    assert not tree.verify_inclusion(leaf, elsewhere, size, found, root)


@given(st.data())
def test_no_altered_consistency_proof_verifies(data: st.DataObject) -> None:
    """A path with a hash changed, dropped or added, or between other roots, does not verify."""
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    leaves = leaves_of(new)
    old_root, root = mth(leaves[:old]), mth(leaves)
    found = proved(tree.consistency(old, new), grown(leaves)[1])
    at = data.draw(st.integers(0, len(found) - 1))
    wrong = b"\x00" * 32
    altered = [*found[:at], wrong, *found[at + 1 :]]
    shorter = [*found[:at], *found[at + 1 :]]
    longer = [*found, wrong]
    assert not any(tree.verify_consistency(old, new, old_root, root, other) for other in (altered, shorter, longer, []))
    assert not tree.verify_consistency(old, new, wrong, root, found)
    assert not tree.verify_consistency(old, new, old_root, wrong, found)


@pytest.mark.parametrize(
    "old,new,old_root,new_root,steps,expected",
    [
        (0, 5, EMPTY_ROOT, b"\x01" * 32, [], True),
        (0, 5, b"\x01" * 32, b"\x01" * 32, [], False),
        (0, 5, EMPTY_ROOT, b"\x01" * 32, [b"\x02" * 32], False),
        (5, 5, b"\x01" * 32, b"\x01" * 32, [], True),
        (5, 5, b"\x01" * 32, b"\x02" * 32, [], False),
        (6, 5, b"\x01" * 32, b"\x01" * 32, [], False),
        (-1, 5, b"\x01" * 32, b"\x01" * 32, [], False),
        (3, 5, b"\x01" * 32, b"\x01" * 32, [], False),
    ],
)
def test_consistency_at_its_edges(
    old: int, new: int, old_root: bytes, new_root: bytes, steps: list[bytes], *, expected: bool
) -> None:
    """Every tree continues the empty one and itself, with nothing to show for it; none continues a larger one."""
    assert tree.verify_consistency(old, new, old_root, new_root, steps) == expected


@pytest.mark.parametrize(
    "size,hashes", [(1, []), (3, [b"\x00" * 32]), (0, [b"\x00" * 32]), (-1, [b"\x00" * 32]), (1, [b"\x00" * 31])]
)
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, hashes: list[bytes]) -> None:
    """A damaged head is noticed before anything is added to it."""
    with pytest.raises(ValueError, match="frontier"):
        Frontier.decode(size, b"".join(hashes))


def test_a_missing_hash_is_named() -> None:
    """What storage lacks is named by its place."""
    with pytest.raises(KeyError) as raised:
        tree.compute([Node(1, 4)], {Node(0, 8): b"\x00" * 32})
    assert raised.value.args == (Node(0, 9),)
