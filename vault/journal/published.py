"""What is published, held to itself: whether a checkpoint is of the log whose tiles these are.

Neither database nor key service is asked, so whoever has a copy of the published records can find out that a log was
forked: of two checkpoints of one log, each is over a beginning of the log that a third is over.
"""

from collections.abc import Sequence

from vault.errors import NoObjectError, ProofError
from vault.journal.checkpoint import Checkpoint, Verifier, open_note
from vault.journal.tiles import LARGEST_TILE, Tile, above, edge_root, partial_tiles, tile_root, within
from vault.records import JOURNAL, RecordStore

CHECKPOINTS = f"{JOURNAL}checkpoint/"

LARGEST_NOTE = 1 << 17
"""In bytes."""

_DIGITS = 20
_LARGEST = 2**63 - 1
"""No tree is larger: it is what a column holds."""


def checkpoint_name(size: int) -> str:
    """Where the checkpoint over so many entries is published: names have the order of sizes."""
    return f"{CHECKPOINTS}{size:0{_DIGITS}}"


def size_of(name: str) -> int | None:
    """The size that a name in the folder of checkpoints stands for, or None if it has no checkpoint's name."""
    digits = name.removeprefix(CHECKPOINTS)
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    size = int(digits)
    return size if name == checkpoint_name(size) and size <= _LARGEST else None


async def newest_published(records: RecordStore, verifiers: Sequence[Verifier]) -> Checkpoint:
    """The last checkpoint that is published. Raises ProofError if there is none, or it is not the log's."""
    last = None
    async for name in records.record_names(CHECKPOINTS):
        last = name
    if last is None:
        raise ProofError("no checkpoint is published there")
    data = await records.read_record(last, LARGEST_NOTE)
    checkpoint = open_note(data.decode(errors="replace"), verifiers)
    if checkpoint_name(checkpoint.size) != last:
        raise ProofError("the newest checkpoint does not stand where it was published")
    return checkpoint


async def hold_of_one_log(
    records: RecordStore, verifiers: Sequence[Verifier], held: Sequence[Checkpoint]
) -> Checkpoint:
    """The newest published checkpoint, once it is certain that these are over beginnings of its log.

    Raises ProofError, which says of a checkpoint that it is of a fork, or larger than what is published.
    """
    newest = await newest_published(records, verifiers)
    tiles = Tiles(records, newest)
    for checkpoint in held:
        if checkpoint.size > newest.size:
            msg = f"the checkpoint of {checkpoint.size} entries is newer than what is published, of {newest.size}"
            raise ProofError(msg)
        if await tiles.root(checkpoint.size) != checkpoint.root:
            msg = f"the checkpoint of {checkpoint.size} entries is not of the log that is published: there is a fork"
            raise ProofError(msg)
    return newest


class Tiles:
    """The tiles of one checkpoint: none is believed that does not lead to its root."""

    def __init__(self, records: RecordStore, checkpoint: Checkpoint) -> None:
        self._records = records
        self._checkpoint = checkpoint
        self._known: dict[Tile, list[bytes]] = {}

    async def root(self, size: int) -> bytes:
        """The root of the log as it was when it had so many entries, no more than the checkpoint says.

        Raises ProofError if a tile is missing, or not what the checkpoint was signed over.
        """
        await self._hold_edge()
        edge = [(await self._read(within(tile, self._checkpoint.size)))[: tile.width] for tile in partial_tiles(size)]
        return edge_root(edge)

    async def _hold_edge(self) -> None:
        if self._known:
            return
        edge = {tile: await self._fetch(tile) for tile in partial_tiles(self._checkpoint.size)}
        if edge_root(list(edge.values())) != self._checkpoint.root:
            raise ProofError("the published tiles are not those that the newest checkpoint was signed over")
        self._known = edge

    async def _read(self, tile: Tile) -> list[bytes]:
        """The hashes of a tile of the checkpoint's tree: a full one is held to the tile above it."""
        if tile not in self._known:
            higher, place = above(tile)
            expected = (await self._read(within(higher, self._checkpoint.size)))[place]
            hashes = await self._fetch(tile)
            if tile_root(hashes) != expected:
                msg = f"{JOURNAL}{tile.path()} is not the tile that the newest checkpoint was signed over"
                raise ProofError(msg)
            self._known[tile] = hashes
        return self._known[tile]

    async def _fetch(self, tile: Tile) -> list[bytes]:
        try:
            return tile.decode(await self._records.read_record(JOURNAL + tile.path(), LARGEST_TILE + 1))
        except NoObjectError:
            msg = f"{JOURNAL}{tile.path()} is not there"
            raise ProofError(msg) from None
