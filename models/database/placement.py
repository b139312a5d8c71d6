"""Where the rows of a distributed database are: on which node, in which of its tables.

Citus keeps a row by the hash of its distribution column, in the shard whose range has that hash. The hash is
PostgreSQL's own (`hash_bytes`: Bob Jenkins' lookup3, in the public domain), the same on all its platforms that store
the low byte first; `tests/models/test_placement.py` holds the two together.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_Value = TypeVar("_Value", bound=UUID | int)

_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9 + 3923095
_uuid = Struct("<4I")


LOCATE = """
SELECT t.logicalrelid::text, s.shardid, s.shardminvalue::integer, n.nodename, n.nodeport, t.colocationid
FROM pg_dist_partition AS t
JOIN pg_dist_shard AS s ON s.logicalrelid = t.logicalrelid
JOIN pg_dist_placement AS p ON p.shardid = s.shardid
JOIN pg_dist_node AS n ON n.groupid = p.groupid AND n.noderole = 'primary'
WHERE t.partmethod = 'h' OR n.shouldhaveshards
"""
"""Where every shard is, told by the coordinator: of a table on every node, each of its copies."""


@dataclass(frozen=True, slots=True)
class Place:
    """A range of hashes on one node: what its tables are called there, and those that are on every node."""

    host: str
    port: int
    tables: Mapping[str, str]
    shard: int
    """One of them, which is on this node as long as all are."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Places by the hash with which they begin: of what is distributed by dossier, and of `whereabouts`."""

    by_dossier: Mapping[int, Place]
    by_bucket: Mapping[int, Place]
    _dossiers: Sequence[int] = field(init=False, repr=False)
    _buckets: Sequence[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_dossiers", sorted(self.by_dossier))
        object.__setattr__(self, "_buckets", sorted(self.by_bucket))

    @classmethod
    def located(cls, rows: Iterable[Sequence[Any]]) -> "Placement":
        """From the rows of `LOCATE`."""
        names: dict[tuple[int, int | None], dict[str, str]] = defaultdict(dict)
        everywhere: dict[str, str] = {}
        nodes: dict[tuple[int, int], tuple[str, int, int]] = {}
        groups: dict[str, int] = {}
        for table, shard, begin, host, port, group in rows:
            if begin is None:
                everywhere[table] = f"{table}_{shard}"
                continue
            groups[table] = group
            names[group, begin][table] = f"{table}_{shard}"
            nodes[group, begin] = host, port, shard

        def ranges(table: str) -> dict[int, Place]:
            return {
                begin: Place(host, port, names[group, begin] | everywhere, shard)
                for (group, begin), (host, port, shard) in nodes.items()
                if group == groups[table]
            }

        return cls(ranges("dossier"), ranges("whereabouts"))

    def place_of(self, value: UUID | int) -> Place:
        """Where a dossier is, or a bucket of `whereabouts`."""
        return (self.by_bucket if isinstance(value, int) else self.by_dossier)[self.begin_of(value)]

    def together(self, values: Sequence[_Value]) -> list[list[_Value]]:
        """Values of one place, in their order; places in the order of their hashes."""
        places: dict[int, list[_Value]] = defaultdict(list)
        for value in values:
            places[self.begin_of(value)].append(value)
        return [places[begin] for begin in sorted(places)]

    def begin_of(self, value: UUID | int) -> int:
        """The hash with which its place begins."""
        begins = self._buckets if isinstance(value, int) else self._dossiers
        return begins[bisect_right(begins, hash_of(value)) - 1]


def placement_of(connection: AsyncConnection) -> Placement | None:
    """Where rows are, in the database of a connection; None in one that is not distributed."""
    inside = connection.sync_connection
    return inside.get_execution_options().get("placement") if inside is not None else None


def hash_of(value: UUID | int) -> int:
    """The hash by which rows are distributed: of a uuid, or of an integer."""
    if isinstance(value, int):
        begin = (_GOLDEN + 4) & _MASK
        return _signed(_last((begin + value) & _MASK, begin, begin))
    return _hash_of_uuid(value.bytes)


def _hash_of_uuid(value: bytes) -> int:
    first, second, third, fourth = _uuid.unpack(value)
    begin = (_GOLDEN + 16) & _MASK
    a, b, c = (begin + first) & _MASK, (begin + second) & _MASK, (begin + third) & _MASK
    a = ((a - c) & _MASK) ^ (c << 4 & _MASK | c >> 28)
    c = (c + b) & _MASK
    b = ((b - a) & _MASK) ^ (a << 6 & _MASK | a >> 26)
    a = (a + c) & _MASK
    c = ((c - b) & _MASK) ^ (b << 8 & _MASK | b >> 24)
    b = (b + a) & _MASK
    a = ((a - c) & _MASK) ^ (c << 16 & _MASK | c >> 16)
    c = (c + b) & _MASK
    b = ((b - a) & _MASK) ^ (a << 19 & _MASK | a >> 13)
    a = (a + c) & _MASK
    c = ((c - b) & _MASK) ^ (b << 4 & _MASK | b >> 28)
    b = (b + a) & _MASK
    return _signed(_last((a + fourth) & _MASK, b, c))


def _last(a: int, b: int, c: int) -> int:
    c = ((c ^ b) - (b << 14 & _MASK | b >> 18)) & _MASK
    a = ((a ^ c) - (c << 11 & _MASK | c >> 21)) & _MASK
    b = ((b ^ a) - (a << 25 & _MASK | a >> 7)) & _MASK
    c = ((c ^ b) - (b << 16 & _MASK | b >> 16)) & _MASK
    a = ((a ^ c) - (c << 4 & _MASK | c >> 28)) & _MASK
    b = ((b ^ a) - (a << 14 & _MASK | a >> 18)) & _MASK
    return ((c ^ b) - (b << 24 & _MASK | b >> 8)) & _MASK


def _signed(number: int) -> int:
    return number - (1 << 32) if number >> 31 else number
