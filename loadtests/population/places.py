"""In which bucket of `whereabouts` each document is, and all entries of some buckets of a population.

A CRC is affine: that of 16 bytes is that of 16 zeros, changed by what each byte changes in its place.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from loadtests.population.draws import Numbers
from loadtests.population.people import Block
from loadtests.population.sheets import Ids
from models.whereabouts import ENTRY_SIZE

BUCKETS = 1 << 24
"""As `models.whereabouts` has them."""

_SIZE = 16
_HALF = 256
_ENTRY = np.dtype([("id", f"V{_SIZE}"), ("dossier", f"V{_SIZE}")])
assert _ENTRY.itemsize == ENTRY_SIZE  # noqa: S101 - a contradiction in the program


class Entries(NamedTuple):
    """Entries and their buckets, in ascending order of these."""

    buckets: Numbers
    entries: NDArray[np.void]


def buckets_of(ids: Ids) -> NDArray[np.uint32]:
    """As `models.whereabouts.bucket_of`, of many."""
    tables, zeros = _tables()
    pairs = ids.view("<u2").reshape(len(ids), _SIZE // 2)
    crcs = np.full(len(ids), zeros, dtype=np.uint32)
    for place, table in enumerate(tables):
        crcs ^= table[pairs[:, place]]
    return crcs % np.uint32(BUCKETS)


def entries_between(blocks: Iterable[tuple[Block, Ids]], first: int, end: int) -> Entries:
    """What is in these buckets, from the first until before the end, of blocks with their holders' pseudonyms."""
    buckets, entries = _together([_entries(block, holders, first, end) for block, holders in blocks])
    order = np.sort((buckets << 32) + np.arange(len(buckets)))
    order &= 0xFFFFFFFF
    return Entries(buckets[order], entries[order])


def _together(parts: list[Entries]) -> Entries:
    """The parts' own arrays are free again when this is done: together they take most of the memory."""
    return Entries(np.concatenate([each.buckets for each in parts]), np.concatenate([each.entries for each in parts]))


def _entries(block: Block, holders: Ids, first: int, end: int) -> Entries:
    ids = block.documents.ids()
    buckets = buckets_of(ids)
    chosen = np.flatnonzero((buckets >= first) & (buckets < end))
    entries = np.empty(len(chosen), dtype=_ENTRY)
    entries["id"] = ids[chosen]
    entries["dossier"] = holders[block.documents.owners[chosen]]
    return Entries(buckets[chosen].astype(np.int64), entries)


@lru_cache(maxsize=1)
def _tables() -> tuple[list[NDArray[np.uint32]], int]:
    """What two bytes change in each of their eight places, and the CRC of zeros."""
    zeros = crc32(bytes(_SIZE))
    changes = [
        np.array([crc32(bytes(place) + bytes([byte]) + bytes(_SIZE - 1 - place)) ^ zeros for byte in range(_HALF)])
        for place in range(_SIZE)
    ]
    pairs = zip(changes[::2], changes[1::2], strict=True)
    return [(low[None, :] ^ high[:, None]).astype(np.uint32).ravel() for low, high in pairs], zeros
