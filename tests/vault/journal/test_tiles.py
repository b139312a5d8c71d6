"""Tiles against C2SP tlog-tiles: its examples, its definition word for word, and trees computed from them alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.journal.test_tree import grown, leaves_of, mth
from vault.errors import ProofError
from vault.journal.tiles import Tile, above, edge_root, full_tiles, partial_tiles, tile_root, within
from vault.journal.tree import TILE_WIDTH, Node


@pytest.mark.parametrize(
    "tile,path",
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1_000), "tile/0/x001/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 1_234_067, 8), "tile/1/x001/x234/067.p/8"),
        (Tile(63, 7, 255), "tile/63/007.p/255"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    """The specification's example, and the borders around it; each path is read back."""
    assert path == tile.path()
    assert tile == Tile.parse(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/08",
        "tile/0/000.p",
        "tile/entries/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_what_is_no_path(path: str) -> None:
    """Every tile has one path: what another reader might take for the same is none."""
    assert Tile.parse(path) is None


def test_the_tiles_of_the_specification() -> None:
    """A tree of 70,000 leaves has the tiles that the text lists for it, and one of 256 those that it lists for that."""
    full = list(full_tiles(0, 70_000))
    assert [Tile(0, index) for index in range(273)] + [Tile(1, 0)] == full
    assert [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)] == partial_tiles(70_000)
    assert [Tile(0, 0)] == list(full_tiles(0, 256))
    assert [Tile(1, 0, 1)] == partial_tiles(256)
    assert not [*full_tiles(0, 0), *partial_tiles(0)]


@given(st.integers(0, 2**40), st.integers(0, 2**12))
def test_no_tile_is_left_out_between_two_sizes(old: int, growth: int) -> None:
    """What is published from checkpoint to checkpoint is what would have been published at once."""
    new, middle = old + growth, old + growth // 2
    at_once = list(full_tiles(old, new))
    assert set(at_once) == {*full_tiles(old, middle), *full_tiles(middle, new)}
    assert all(old < tile.end <= new for tile in at_once)
    assert all(tile.end <= new < replace(tile, width=TILE_WIDTH).end for tile in partial_tiles(new))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_a_tile_is_the_definitions(size: int) -> None:
    """The i-th hash of tile n at level l is MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l])."""
    leaves = leaves_of(size)
    stored = grown(leaves)[1]
    for tile in [*full_tiles(0, size), *partial_tiles(size)]:
        span = 256**tile.level
        first = tile.index * 256
        expected = [mth(leaves[i * span : (i + 1) * span]) for i in range(first, first + tile.width)]
        assert expected == tile.decode(tile.encode(stored))
        assert (first * span, (first + tile.width) * span) == (tile.start, tile.end)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700, 65_536, 65_793])
def test_the_edge_gives_the_root(size: int) -> None:
    """The partial tiles of a tree alone give its root, as the full ones give what stands above them."""
    frontier, stored = grown(leaves_of(size))
    assert frontier.root() == edge_root([[stored[node] for node in tile.nodes()] for tile in partial_tiles(size)])
    for tile in full_tiles(0, size):
        parent, place = above(tile)
        assert stored[parent.nodes()[place]] == tile_root(stored[node] for node in tile.nodes())


def test_a_place_in_a_larger_tree() -> None:
    """Where a smaller tree has a partial tile, a larger one has one that is wider, or the full one."""
    assert Tile(0, 1, 200) == within(Tile(0, 1, 12), 456)
    assert Tile(0, 1) == within(Tile(0, 1, 12), 512)
    assert Tile(1, 0, 2) == within(Tile(1, 0, 1), 767)


def test_bytes_that_do_not_fit() -> None:
    """A tile of another width is refused, and a missing hash is named."""
    with pytest.raises(ProofError, match=r"tile/0/000\.p/2 has not the size of a tile"):
        Tile(0, 0, 2).decode(bytes(63))
    with pytest.raises(KeyError) as missing:
        Tile(0, 0, 2).encode({Node(0, 0): bytes(32)})
    assert (Node(0, 1),) == missing.value.args
