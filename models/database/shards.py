"""How statements of look-ups are written: for the tables as they are called, and for a node's own shards of them.

`q` is what is looked up, a row for each look-up; tables are joined to it. On a node of a cluster each distributed
table is the union of its shards there, of which a look-up reaches no other than its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.database.distributing import REFERENCE
from models.database.placement import Place

_HASHES = {"dossier": "uuid_hash", "bucket": "hashint4"}

# In the snapshot in which the rows are read: a shard that was moved stays for a while where it was left. And what the
# coordinator committed, and told, may be unfinished on a node that was restarted or cut off meanwhile, and not be seen.
_STILL_HERE = (
    "1 = 1 / (SELECT (count(*) = {} AND NOT EXISTS (SELECT FROM pg_prepared_xact() WHERE prepared <"
    " greatest(pg_postmaster_start_time(), now() - interval '5 s')))::integer"
    " FROM pg_dist_placement JOIN pg_dist_local_group USING (groupid) WHERE shardid IN ({}))"
)


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """Some places of one node, by their numbers among all places, which begin with these hashes."""

    begins: Sequence[int]
    places: Sequence[tuple[int, Place]]

    @property
    def node(self) -> tuple[str, int]:
        """Its host and port."""
        return self.places[0][1].host, self.places[0][1].port


def asking(names: Sequence[str], rows: str, key: str, shards: Shards | None) -> str:
    """The beginning of a statement: `q`, of these columns; by `key`, one of them, tables are distributed.

    On a node the statement fails, by a division by zero, unless all of the shards are still there and as committed.
    """
    columns = ", ".join(names)
    if shards is None:
        return f"WITH q({columns}) AS (VALUES {rows})"
    if key not in names:
        raise ValueError(f"what is asked of shards has a {key}")
    number = f"width_bucket({_HASHES[key]}({key}), ARRAY[{', '.join(map(str, shards.begins))}])"
    still_here = _STILL_HERE.format(len(shards.places), ", ".join(str(place.shard) for _, place in shards.places))
    asked = f"SELECT *, {number} AS place FROM (VALUES {rows}) AS v({columns}) WHERE {still_here}"  # noqa: S608  # our own names and numbers
    return f"WITH q AS MATERIALIZED ({asked})"


def called(table: str, shards: Shards | None) -> str:
    """What a table is called that is on every node."""
    return table if shards is None else shards.places[0][1].tables[table]


def joining(how: str, table: str, alias: str, on: str, shards: Shards | None) -> str:
    """The join of a table under an alias, by a condition on its columns and those of `q`."""
    if shards is None or table in REFERENCE:
        return f"{how} {called(table, shards)} AS {alias} ON {on}"
    arms = (
        f"SELECT {alias}.* FROM {place.tables[table]} AS {alias} WHERE q.place = {number} AND {on}"  # noqa: S608  # as above
        for number, place in shards.places
    )
    return f"{how} LATERAL ({' UNION ALL '.join(arms)}) AS {alias} ON TRUE"
