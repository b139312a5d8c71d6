"""What a feed reads and writes of many dossiers at once: a fixed number of statements, however many dossiers.

Rows are locked by ascending dossier, in one order of tables, and feeds of one dossier wait for each other before they
write anything of it: so no two of them wait in a circle.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, load, storable
from models.errors import ConstraintError
from models.facts import Document, Reference
from models.queries.documents import succession
from models.queries.idempotency import KeptAnswer
from models.queries.sheets import hold_sheets, keep_sheets
from models.queries.statements import among, padded
from models.queries.whereabouts import add_whereabouts, find_dossiers
from models.sheets import Filed, Sheet, Version, append, latest, rewrite
from models.tables import idempotency

_AT_ONCE = 512


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
        asked = spans[begin : begin + _AT_ONCE]
        dossiers = padded([span.dossier for span in asked])
        sheets = {row[0]: row[1] or b"" for row in await database.read(sheets_statement(len(dossiers)), *dossiers)}
        for home, since, until in asked:
            for each, version in latest(sheets.get(home, b""), document_type, author, since, until):
                found[version.series] = Latest(home, each, version)
    return found


async def find_taken(database: Database, identities: Sequence[UUID]) -> set[UUID]:
    """Which of these ids are a document's or a message's, deleted or not, by one `read` for 512."""
    return set(await find_dossiers(database, identities))


async def add_documents(connection: AsyncConnection, added: Sequence[Added]) -> None:
    """Write documents of many dossiers, which are held until the transaction ends.

    What replaces another inherits its visibility, whatever is said of it (RULES §4.2). Raises ConstraintError if a
    dossier is gone or full, an id taken, or what was to be replaced not current any more: somebody else was first.
    """
    of_each: dict[UUID, list[Added]] = defaultdict(list)
    for each in added:
        of_each[each.dossier].append(each)
    was = await hold_sheets(connection, of_each)
    if len(was) != len(of_each):
        raise ConstraintError("there is no such dossier")
    now = {home: sheet._replace(documents=_grown(sheet, of_each[home])) for home, sheet in was.items()}
    await keep_sheets(connection, was, now)
    await add_whereabouts(connection, ((each.document.id, each.dossier) for each in added))


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


def _grown(sheet: Sheet, added: Sequence[Added]) -> bytes:
    """The documents of a sheet, with these."""
    documents, filed = sheet.documents, []
    for each in added:
        if each.replaces is None:
            filed.append(Filed(each.document, each.version))
        else:
            superseded, following = succession(documents, each.document, each.replaces)
            documents = rewrite(documents, {each.replaces: superseded})
            filed.append(following)
    try:
        return append(documents, filed)
    except ValueError as error:
        raise ConstraintError(str(error)) from None


@lru_cache(maxsize=16)
def sheets_statement(count: int) -> str:
    """Parameters: the dossiers."""
    return f"SELECT id, documents FROM dossier WHERE {among('id', count, 1)}"  # noqa: S608  # placeholders only


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
