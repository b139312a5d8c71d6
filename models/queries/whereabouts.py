"""In which dossier documents and messages are: looked up, written, and forgotten."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Reads, change, load_or_change
from models.errors import ConstraintError
from models.queries.holding import hold
from models.queries.statements import padded
from models.tables import whereabouts
from models.whereabouts import ENTRY_SIZE, are_apart, bucket_of, entries_of, find_dossier, without

_AT_ONCE = 512


async def find_dossiers(database: Reads, identities: Collection[UUID]) -> dict[UUID, UUID]:
    """The dossier of each of these documents and messages that there is, deleted or not, by one `read` for 512."""
    found: dict[UUID, UUID] = {}
    asked = [(identity, bucket_of(identity)) for identity in dict.fromkeys(identities)]
    for begin in range(0, len(asked), _AT_ONCE):
        some = asked[begin : begin + _AT_ONCE]
        buckets = padded(sorted({bucket for _, bucket in some}))
        entries: dict[int, bytes] = dict(await database.read(buckets_statement(len(buckets)), *buckets))  # type: ignore[arg-type]  # rows of two columns
        for identity, bucket in some:
            if (dossier := find_dossier(entries.get(bucket, b""), identity)) is not None:
                found[identity] = dossier
    return found


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


@lru_cache(maxsize=16)
def buckets_statement(buckets: int) -> str:
    """Parameters: the buckets."""
    numbers = ", ".join(f"(${number}::integer)" for number in range(1, buckets + 1))
    return (
        f"WITH q(bucket) AS (VALUES {numbers}) SELECT w.bucket, w.entries FROM q "  # noqa: S608  # placeholders only
        "JOIN whereabouts AS w ON w.bucket = q.bucket"
    )


async def _read(connection: AsyncConnection, buckets: Sequence[int]) -> dict[int, bytes]:
    """These buckets, which ascend, and which nobody else changes until the transaction ends."""
    rows = await hold(connection, select(whereabouts).with_for_update(), whereabouts.c.bucket, buckets)
    return {row.bucket: row.entries for row in rows}
