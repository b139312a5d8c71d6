"""The tree against an implementation by others: pymerkle, whose trees are RFC 6962's too."""

import random

import pytest
from pymerkle import (  # type: ignore[import-untyped]  # it says nothing of its types
    InmemoryTree,
    verify_consistency,
    verify_inclusion,
)

from vault.journal import tree
from vault.journal.tree import Frontier, Node, compute, consistency, inclusion, leaf_hash


def both(size: int, seed: int) -> tuple[InmemoryTree, list[bytes]]:
    """Their tree over random data, and our leaf hashes of the same."""
    drawn = random.Random(seed)
    data = [drawn.randbytes(drawn.randrange(1, 200)) for _ in range(size)]
    theirs = InmemoryTree(algorithm="sha256")
    for each in data:
        theirs.append_entry(each)
    return theirs, [leaf_hash(each) for each in data]


def stored_of(leaves: list[bytes]) -> dict[Node, bytes]:
    return dict(Frontier().extend(leaves)[1]) | {Node(0, position): leaf for position, leaf in enumerate(leaves)}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 700])
def test_roots_and_proofs_are_the_same(size: int) -> None:
    """The same root, the same inclusion paths; consistency, which they prove in another form, is proved alike."""
    theirs, leaves = both(size, size)
    stored, drawn = stored_of(leaves), random.Random(size)
    root = Frontier().extend(leaves)[0].root()
    assert root == theirs.get_root()
    for position in {0, size - 1, *(drawn.randrange(size) for _ in range(20))}:
        path = [compute(step, stored) for step in inclusion(position, size)]
        proof = theirs.prove_inclusion(position + 1)
        assert path == proof.path[1:]
        verify_inclusion(leaves[position], root, proof)
    for old in {1, size, *(drawn.randrange(1, size + 1) for _ in range(20))}:
        path = [compute(step, stored) for step in consistency(old, size)]
        proof = theirs.prove_consistency(old, size)
        older = Frontier().extend(leaves[:old])[0].root()
        assert older == theirs.get_root(old)
        verify_consistency(older, root, proof)
        assert tree.verify_consistency(old, size, older, root, path)
        assert old == size or not tree.verify_consistency(old, size, theirs.get_root(old - 1), root, path)
