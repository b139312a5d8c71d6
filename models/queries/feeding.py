"""What a feed reads and writes of many dossiers at once: a fixed number of statements, however many dossiers.

Rows are locked by ascending dossier, in one order of tables, and feeds of one dossier wait for each other before they
write anything of it: so no two of them wait in a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, change_if, load, storable
from models.errors import ConstraintError
from models.facts import Document, Reference
from models.queries.documents import Version
from models.queries.idempotency import KeptAnswer
from models.queries.statements import padded
from models.tables import document, dossier, idempotency, place
from models.vocabulary import DocumentStatus

# What is asked for stands on the left of outer joins, as in `models.queries.statements`: so it is looked up in indexes,
# and no planner begins with all documents instead.
_AT_ONCE = 512
_DOCUMENT = (
    "id",
    "created_at",
    "masked",
    "withheld_until",
    "hidden_from_representatives",
    "status",
    "series",
    "version",
)
_WRITTEN = [column.name for column in document.columns if column.name != "contest_sealed"]

_HOLD = (
    select(dossier.c.id)
    .where(dossier.c.id.in_(bindparam("dossiers", expanding=True)))
    .order_by(dossier.c.id)
    .with_for_update(key_share=True)
)


class Span(NamedTuple):
    """Documents of a dossier dated from an instant on, before another."""

    dossier: UUID
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest version of a document that is not deleted."""

    dossier: UUID
    document: Document = field(repr=False)
    version: Version


@dataclass(frozen=True, slots=True)
class Added:
    """A document to write: a first version, or one that takes the place of `replaces`."""

    dossier: UUID
    document: Document = field(repr=False)
    version: Version
    replaces: UUID | None = None


async def fetch_latest(
    database: Database, spans: Sequence[Span], document_type: str, author: Reference
) -> dict[UUID, Latest]:
    """The latest versions, by series, of an author's documents of a type in these spans, by one `read` for 512."""
    found: dict[UUID, Latest] = {}
    for begin in range(0, len(spans), _AT_ONCE):
        asked = padded(spans[begin : begin + _AT_ONCE])
        values = [value for span in asked for value in span]
        for row in await database.read(latest_statement(len(asked)), document_type, author.type, author.id, *values):
            home, identity, created_at, masked, withheld_until, hidden, status, series, number = row
            if home is None:
                continue
            if series not in found or found[series].version.version < number:
                seen = (masked, withheld_until, hidden, DocumentStatus(status))
                about = Document(identity, document_type, author, created_at, *seen)
                found[series] = Latest(home, about, Version(series, number))
    return found


async def find_taken(database: Database, identities: Sequence[UUID]) -> set[UUID]:
    """Which of these ids are a document's or a message's, deleted or not, by one `read` for 512."""
    taken: set[UUID] = set()
    for begin in range(0, len(identities), _AT_ONCE):
        asked = padded(identities[begin : begin + _AT_ONCE])
        rows = await database.read(taken_statement(len(asked)), *asked)
        taken |= {row[0] for row in rows if row[0] is not None}
    return taken


async def add_documents(connection: AsyncConnection, added: Sequence[Added]) -> None:
    """Write documents of many dossiers, which are held until the transaction ends.

    What replaces another inherits its visibility, whatever is said of it (RULES §4.2). Raises ConstraintError if a
    dossier is gone, an id taken, or what was to be replaced not current any more: somebody else was first.
    """
    await hold_dossiers(connection, {each.dossier for each in added})
    ordered = sorted(added, key=lambda each: (each.dossier, each.version.series))
    inherited = await _supersede(connection, [(each.dossier, each.replaces) for each in ordered if each.replaces])
    await load(connection, place, [(each.document.id, each.dossier) for each in ordered])
    rows = [_row(each, inherited[each.replaces] if each.replaces else _visibility(each.document)) for each in ordered]
    await load(connection, document, rows, _WRITTEN)


async def hold_dossiers(connection: AsyncConnection, identities: Collection[UUID]) -> None:
    """Keep dossiers from being erased, and from other feeds, until the transaction ends.

    Raises ConstraintError if one of them is not there.
    """
    held = await connection.execute(_HOLD, {"dossiers": padded(sorted(identities))})
    if len(held.all()) != len(identities):
        raise ConstraintError("there is no such dossier")


async def find_answers(
    database: Database, client: str, asked: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], str]:
    """What this client was answered under these dossiers' keys, by one `read` for 512 of them."""
    keys = sorted(asked)
    found: dict[tuple[UUID, str], str] = {}
    for begin in range(0, len(keys), _AT_ONCE):
        some = padded(keys[begin : begin + _AT_ONCE])
        values = [value for home, key in some for value in (home, client, key)]
        rows = await database.read(answers_statement(len(some)), *values)
        found |= {(row[0], row[1]): row[2] for row in rows if row[0] is not None}
    return found


async def keep_answers(connection: AsyncConnection, client: str, kept: Mapping[tuple[UUID, str], KeptAnswer]) -> None:
    """In the transaction of what was done. Raises ConstraintError if there is an answer already."""
    rows = [
        (home, client, key, each.request, each.answer, storable(each.answered_at))
        for (home, key), each in sorted(kept.items())
    ]
    await load(connection, idempotency, rows)


_Visibility = tuple[bool, datetime | None, bool]


def _visibility(about: Document) -> _Visibility:
    return about.masked, about.withheld_until, about.hidden_from_representatives


async def _supersede(connection: AsyncConnection, replaced: Sequence[tuple[UUID, UUID]]) -> dict[UUID, _Visibility]:
    """What is inherited of these documents, which are superseded from now on."""
    if not replaced:
        return {}
    columns = (
        document.c.id,
        document.c.masked,
        document.c.withheld_until,
        document.c.hidden_from_representatives,
    )
    was, to = {"status": DocumentStatus.CURRENT.value}, {"status": DocumentStatus.SUPERSEDED.value}
    inherited = {row[0]: tuple(row[1:]) for row in await change_if(connection, document, replaced, was, to, columns)}
    if len(inherited) != len(replaced):
        raise ConstraintError("a document to replace is not current")
    return inherited


def _row(added: Added, visibility: _Visibility) -> tuple[object, ...]:
    about, version = added.document, added.version
    masked, withheld_until, hidden = visibility
    return (
        added.dossier,
        about.id,
        version.series,
        version.version,
        about.document_type,
        about.author.type,
        about.author.id,
        storable(about.created_at),
        masked,
        withheld_until,
        hidden,
        about.status.value,
    )


@lru_cache(maxsize=16)
def latest_statement(count: int) -> str:
    """Parameters: the type, the author's type and id, then for each span its dossier and the two instants."""
    spans = ", ".join(
        f"(${3 * number + 4}::uuid, ${3 * number + 5}::timestamptz, ${3 * number + 6}::timestamptz)"
        for number in range(count)
    )
    return (
        f"WITH q(dossier, since, until) AS (VALUES {spans}) "  # noqa: S608  # our own names only, values are parameters
        f"SELECT d.dossier, {', '.join(f'd.{name}' for name in _DOCUMENT)} FROM q "
        "LEFT JOIN document AS d ON d.dossier = q.dossier AND d.created_at >= q.since AND d.created_at < q.until "
        "AND d.status <> 'deleted' AND d.document_type = $1::text AND d.author_type = $2::text "
        "AND d.author_id = $3::text"
    )


@lru_cache(maxsize=16)
def taken_statement(count: int) -> str:
    """Parameters: the ids."""
    ids = ", ".join(f"(${number}::uuid)" for number in range(1, count + 1))
    return f"WITH q(id) AS (VALUES {ids}) SELECT place.id FROM q LEFT JOIN place ON place.id = q.id"  # noqa: S608  # as above


@lru_cache(maxsize=16)
def answers_statement(count: int) -> str:
    """Parameters: for each key its dossier, the client, and itself."""
    keys = ", ".join(
        f"(${3 * number + 1}::uuid, ${3 * number + 2}::text, ${3 * number + 3}::text)" for number in range(count)
    )
    return (
        f"WITH q(dossier, client, key) AS (VALUES {keys}) SELECT i.dossier, i.key, i.answer FROM q "  # noqa: S608  # as above
        "LEFT JOIN idempotency AS i ON i.dossier = q.dossier AND i.client = q.client AND i.key = q.key"
    )
