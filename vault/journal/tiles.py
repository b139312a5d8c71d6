"""The tree cut into tiles as C2SP tlog-tiles publishes it, pure: names, bytes, and what may be believed of them.

A tile holds up to 256 neighbouring hashes: leaf hashes at level 0, above it the root of each full tile of the level
below. So whoever has the tiles can compute every proof by himself. A full tile never changes; the partial ones at the
right edge belong to one size of the tree.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vault.errors import ProofError
from vault.journal.tree import EMPTY_ROOT, HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Frontier, Node, fold

LARGEST_TILE = TILE_WIDTH * HASH_SIZE
"""In bytes."""

_PATH = re.compile(
    r"tile/(0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)
_MOST_TILES = 2**63 // TILE_WIDTH
_DIGITS = 3
_THOUSAND = 10**_DIGITS


@dataclass(frozen=True, slots=True)
class Tile:
    """The hashes from `index` * 256 on of the tree's level `level` * 8, `width` of them."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Where it is published: `tile/0/x001/x234/067`, with `.p/<width>` if it is partial."""
        rest, last = divmod(self.index, _THOUSAND)
        elements = [f"{last:03}"]
        while rest:
            rest, next_ = divmod(rest, _THOUSAND)
            elements.insert(0, f"x{next_:03}")
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(elements)}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile | None":
        """The tile that is published there, or None where none ever is."""
        if not (found := _PATH.fullmatch(path)):
            return None
        tile = cls(int(found[1]), int(re.sub("[x/]", "", found[2])), int(found[3] or TILE_WIDTH))
        return tile if tile.path() == path and tile.index < _MOST_TILES else None

    @property
    def start(self) -> int:
        """The first leaf under it."""
        return self.index * TILE_WIDTH << self.level * TILE_HEIGHT

    @property
    def end(self) -> int:
        """The leaf behind the last one under it: it stands in no smaller tree."""
        return self.index * TILE_WIDTH + self.width << self.level * TILE_HEIGHT

    def nodes(self) -> list[Node]:
        """The subtrees whose roots it holds, all of them in storage."""
        first = self.index * TILE_WIDTH
        return [Node(self.level * TILE_HEIGHT, position) for position in range(first, first + self.width)]

    def encode(self, hashes: Mapping[Node, bytes]) -> bytes:
        """Its bytes. Raises KeyError naming the hash that is missing."""
        return b"".join(hashes[node] for node in self.nodes())

    def decode(self, data: bytes) -> list[bytes]:
        """Its hashes. Raises ProofError when the bytes are not those of a tile so wide."""
        if len(data) != self.width * HASH_SIZE:
            msg = f"{self.path()} has not the size of a tile"
            raise ProofError(msg)
        return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def full_tiles(old: int, new: int) -> Iterator[Tile]:
    """The full tiles that a tree of `new` leaves has and one of `old` has not, lowest level first."""
    level, old, new = 0, old >> TILE_HEIGHT, new >> TILE_HEIGHT
    while new:
        yield from (Tile(level, index) for index in range(old, new))
        level, old, new = level + 1, old >> TILE_HEIGHT, new >> TILE_HEIGHT


def partial_tiles(size: int) -> list[Tile]:
    """The partial tiles at the edge of a tree, lowest level first."""
    tiles, level = [], 0
    while size:
        index, width = divmod(size, TILE_WIDTH)
        if width:
            tiles.append(Tile(level, index, width))
        level, size = level + 1, index
    return tiles


def within(tile: Tile, size: int) -> Tile:
    """The tile at the same place as a larger tree has it: full, or as wide as its edge."""
    return replace(tile, width=min(TILE_WIDTH, (size >> tile.level * TILE_HEIGHT) - tile.index * TILE_WIDTH))


def above(tile: Tile) -> tuple[Tile, int]:
    """Where the root of a full tile stands: a tile of which the width does not matter, and which of its hashes."""
    index, place = divmod(tile.index, TILE_WIDTH)
    return Tile(tile.level + 1, index), place


def tile_root(hashes: Iterable[bytes]) -> bytes:
    """What the tile above holds of a full tile."""
    return Frontier().extend(hashes)[0].root()


def edge_root(edge: Sequence[Iterable[bytes]]) -> bytes:
    """The root of a tree from the hashes of its partial tiles, lowest level first."""
    subtrees = [root for hashes in reversed(edge) for root in Frontier().extend(hashes)[0].hashes]
    return fold(subtrees) if subtrees else EMPTY_ROOT
