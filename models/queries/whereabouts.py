"""In which dossier documents and messages are: looked up, written, and forgotten."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Read, Reads, Shards, asking, change, joining, load_or_change, look_up, whole
from models.errors import ConstraintError, DatabaseError
from models.queries.holding import hold
from models.queries.statements import padded
from models.tables import whereabouts
from models.whereabouts import ENTRY_SIZE, are_apart, bucket_of, entries_of, find_dossier, without

_AT_ONCE = 512


async def find_dossiers(database: Reads, identities: Collection[UUID]) -> dict[UUID, UUID]:
    """The dossier of each of these documents and messages that there is, deleted or not, by one `read` for 512."""
    return dict(whole(await find_apart(database, identities)))


async def find_apart(database: Reads, identities: Collection[UUID]) -> dict[UUID, UUID | DatabaseError]:
    """The same; where a node of a cluster does not answer, that stands in the place of what it knows."""
    found: dict[UUID, UUID | DatabaseError] = {}
    asked = [(identity, bucket_of(identity)) for identity in dict.fromkeys(identities)]
    for begin in range(0, len(asked), _AT_ONCE):
        some = asked[begin : begin + _AT_ONCE]
        entries = await look_up(database, sorted({bucket for _, bucket in some}), _itself, _read_entries)
        for identity, bucket in some:
            if isinstance(kept := entries.get(bucket, b""), DatabaseError):
                found[identity] = kept
            elif (dossier := find_dossier(kept, identity)) is not None:
                found[identity] = dossier
    return found


async def _read_entries(read: Read, shards: Shards | None, buckets: Sequence[int]) -> dict[int, bytes]:
    asked = padded(buckets)
    return dict(await read(buckets_statement(len(asked), shards), *asked))  # type: ignore[arg-type]  # rows of two columns


def _itself(bucket: int) -> int:
    return bucket


async def add_whereabouts(connection: AsyncConnection, placed: Iterable[tuple[UUID, UUID]]) -> None:
    """Say in which dossiers these new ids are; whoever does holds the dossiers already.

    Raises ConstraintError if one of the ids is taken.
    """
    await add_entries(connection, entries_of(placed))


async def add_entries(connection: AsyncConnection, added: Mapping[int, bytes]) -> None:
    """The same, of the entries of some buckets, which ascend."""
    both = "whereabouts.entries || excluded.entries"
    both = both if connection.dialect.name == "postgresql" else f"CAST({both} AS BLOB)"
    rows = list(added.items())
    shared = f"length(entries) > {ENTRY_SIZE}"
    kept = await load_or_change(connection, whereabouts, ("bucket", "entries"), rows, f"entries = {both}", shared)
    if not all(are_apart(entries, len(added[bucket])) for bucket, entries in kept):
        raise ConstraintError("the id is that of another document or message")


async def remove_whereabouts(connection: AsyncConnection, identities: Collection[UUID]) -> None:
    """Forget where these were.

    A bucket that is left empty goes: whoever adds to it meanwhile waits for the row, and then begins it anew.
    """
    gone: dict[int, list[UUID]] = defaultdict(list)
    for identity in identities:
        gone[bucket_of(identity)].append(identity)
    kept = await _read(connection, sorted(gone))
    left = {bucket: without(entries, gone[bucket]) for bucket, entries in kept.items()}
    rows = [(bucket, entries) for bucket, entries in left.items() if entries]
    if rows:
        await change(connection, whereabouts, ("entries",), rows)
    empty = [bucket for bucket, entries in left.items() if not entries]
    for begin in range(0, len(empty), _AT_ONCE):
        some = padded(empty[begin : begin + _AT_ONCE])
        await connection.execute(delete(whereabouts).where(whereabouts.c.bucket.in_(some)))


@lru_cache(maxsize=128)
def buckets_statement(buckets: int, shards: Shards | None = None) -> str:
    """Parameters: the buckets."""
    numbers = ", ".join(f"(${number}::integer)" for number in range(1, buckets + 1))
    joined = joining("JOIN", "whereabouts", "w", "w.bucket = q.bucket", shards)
    return f"{asking(('bucket',), numbers, 'bucket', shards)} SELECT w.bucket, w.entries FROM q {joined}"  # noqa: S608  # placeholders and our own names only


async def _read(connection: AsyncConnection, buckets: Sequence[int]) -> dict[int, bytes]:
    """These buckets, which ascend, and which nobody else changes until the transaction ends."""
    rows = await hold(connection, select(whereabouts).with_for_update(), whereabouts.c.bucket, buckets)
    return {row.bucket: row.entries for row in rows}
