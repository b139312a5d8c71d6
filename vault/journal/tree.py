"""The hash tree of RFC 6962 §2.1 (the same in RFC 9162 §2.1), pure: no storage, no signature, no entry.

A tree over the leaves D[0:n] is cut, as the RFC cuts it, into *perfect* subtrees: those over 2^level leaves from a
multiple of 2^level on. A perfect subtree never changes once its leaves are there, so these are what is stored and
combined; `Node` names one. Levels that are multiples of 8 cut the tree into tiles of 256, of which the ledger keeps
the roots.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


def leaf_hash(data: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right); the prefix keeps a node from passing for a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Node(NamedTuple):
    """The perfect subtree over the 2^level leaves from position * 2^level on."""

    level: int
    position: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed of a tree to append to it: its size and the roots of its perfect subtrees, largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        whole = all(len(subtree) == HASH_SIZE for subtree in self.hashes)
        if not whole or self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError("a frontier has one hash for each bit set in its size")

    @classmethod
    def decode(cls, size: int, data: bytes) -> "Frontier":
        """Read the hashes as `encode` joins them. Raises ValueError when they do not fit the size."""
        return cls(size, tuple(data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)))

    def encode(self) -> bytes:
        return b"".join(self.hashes)

    def extend(self, leaves: Iterable[bytes]) -> "tuple[Frontier, dict[Node, bytes]]":
        """The tree with these leaf hashes added, and the roots of the tiles that they completed."""
        size, hashes, tiles = self.size, list(self.hashes), dict[Node, bytes]()
        for leaf in leaves:
            current, level = leaf, 0
            while size >> level & 1:
                current = node_hash(hashes.pop(), current)
                level += 1
                if level % TILE_HEIGHT == 0:
                    tiles[Node(level, size >> level)] = current
            hashes.append(current)
            size += 1
        return Frontier(size, tuple(hashes)), tiles

    def root(self) -> bytes:
        """MTH of all leaves so far."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over adjacent perfect subtrees, largest first: the RFC always splits off the largest on the left."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def perfect(start: int, end: int) -> list[Node]:
    """The perfect subtrees that D[start:end] consists of, for a `start` that the RFC's cuts produce."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def inclusion(position: int, size: int) -> list[list[Node]]:
    """PATH(m, D[n]) of RFC 6962 §2.1.1, nearest the leaf first: each hash as the subtrees to fold.

    Raises ValueError when the tree has no such leaf.
    """
    if not 0 <= position < size:
        raise ValueError("the tree has no such leaf")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            path.append(perfect(middle, end))
            end = middle
        else:
            path.append(perfect(start, middle))
            start = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[list[Node]]:
    """PROOF(m, D[n]) of RFC 6962 §2.1.2: each hash as the subtrees to fold.

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError("a consistency proof leads from a tree with leaves to one not smaller")
    path = []
    start, end, whole = 0, new, True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(perfect(middle, end))
            end = middle
        else:
            path.append(perfect(start, middle))
            start, whole = middle, False
    return ([] if whole else [perfect(start, end)]) + path[::-1]


def verify_inclusion(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf stands at this position of the tree with this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= position < size:
        return False
    fn, sn, current = position, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            current = node_hash(sibling, current)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node_hash(current, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and current == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the older tree is a beginning of the newer (RFC 9162 §2.1.4.2); the empty one always is."""
    if not 0 <= old <= new or old in {0, new}:
        trivial = old_root == EMPTY_ROOT if old == 0 else old_root == new_root
        return 0 <= old <= new and trivial and not path
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            newer = node_hash(newer, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and older == old_root and newer == new_root


def stored(node: Node) -> list[Node]:
    """The nodes in storage, leaves or roots of tiles, that a perfect subtree is computed from; at most 128."""
    level = node.level - node.level % TILE_HEIGHT
    width = 1 << node.level - level
    return [Node(level, node.position * width + offset) for offset in range(width)]


def compute(subtrees: Sequence[Node], hashes: Mapping[Node, bytes]) -> bytes:
    """The root over adjacent perfect subtrees, from stored nodes. Raises KeyError naming the node that is missing."""
    return fold([_perfect_root([hashes[part] for part in stored(node)]) for node in subtrees])


def _perfect_root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
