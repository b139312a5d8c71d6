"""What is written about documents: facts, never content."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, insert
from models.errors import ConstraintError
from models.facts import Document
from models.queries.dossiers import hold_dossier
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row
from models.queries.sheets import hold_sheet, keep_sheet
from models.queries.whereabouts import add_whereabouts
from models.sheets import Filed, Sheet, Version, append, filed_in, find_document, find_filed, rewrite
from models.tables import contest, dossier
from models.vocabulary import DocumentStatus

Place = tuple[UUID, UUID]
"""A document's dossier, and its id."""

_DOSSIERS = 1_000
"""So many are named in one statement."""


async def add_document(connection: AsyncConnection, home: UUID, added: Document) -> Version:
    """Write a new document's facts.

    Raises ConstraintError if the id is taken, there is no such dossier, or it holds as many as it can.
    """
    sheet, first = await hold_sheet(connection, home), Version(added.id, 1)
    await _file(connection, home, sheet, sheet.documents, Filed(added, first))
    return first


async def add_version(connection: AsyncConnection, home: UUID, added: Document, replaces: UUID) -> Version:
    """Write a document that takes a current one's place, which becomes superseded.

    It inherits the visibility of what it replaces, whatever `added` says (RULES §4.2). Raises ConstraintError if that
    document is no longer current: somebody else was first.
    """
    sheet = await hold_sheet(connection, home)
    superseded, following = succession(sheet.documents, added, replaces)
    await _file(connection, home, sheet, rewrite(sheet.documents, {replaces: superseded}), following)
    return following.version


def succession(documents: bytes, added: Document, replaces: UUID) -> tuple[Document, Filed]:
    """What becomes of a current document of a sheet, and what takes its place, as `add_version` says."""
    replaced = find_filed(documents, replaces)
    if replaced is None or replaced.document.status is not DocumentStatus.CURRENT:
        raise ConstraintError("the document to replace is not current")
    was, version = replaced
    inherited = replace(
        added,
        masked=was.masked,
        withheld_until=was.withheld_until,
        hidden_from_representatives=was.hidden_from_representatives,
    )
    following = Filed(inherited, Version(version.series, version.version + 1))
    return replace(was, status=DocumentStatus.SUPERSEDED), following


async def set_visibility(
    connection: AsyncConnection,
    home: UUID,
    identity: UUID,
    *,
    masked: bool | None = None,
    revealed: bool = False,
    hidden_from_representatives: bool | None = None,
) -> None:
    """Change what is said, for all versions of a document at once (RULES §4.2). `revealed` ends its withholding."""
    values: dict[str, Any] = {}
    if masked is not None:
        values["masked"] = masked
    if revealed:
        values["withheld_until"] = None
    if hidden_from_representatives is not None:
        values["hidden_from_representatives"] = hidden_from_representatives
    sheet = await hold_sheet(connection, home)
    filed = filed_in(sheet.documents)
    series = {version.series for document, version in filed if document.id == identity}
    changed = {document.id: replace(document, **values) for document, version in filed if version.series in series}
    await _rewrite(connection, home, sheet, changed)


async def set_status(
    connection: AsyncConnection, home: UUID, identity: UUID, status: DocumentStatus, *, was: DocumentStatus
) -> bool:
    """Archive, restore or delete; False, and nothing done, if the status is no longer what the decision saw."""
    sheet = await hold_sheet(connection, home)
    document = find_document(sheet.documents, identity)
    if document is None or document.status is not was:
        return False
    await _rewrite(connection, home, sheet, {identity: replace(document, status=status)})
    return True


async def set_contest(connection: AsyncConnection, home: UUID, identity: UUID, sealed: bytes | None) -> None:
    """The contest and its answer so far, sealed; None when there is none any more.

    Raises ConstraintError for a contest of a dossier that was erased meanwhile.
    """
    if sealed is None:
        here = (contest.c.dossier == home, contest.c.document == identity)
        await connection.execute(delete(contest).where(*here))
        return
    await hold_dossier(connection, home)
    stated = insert(connection, contest).values(dossier=home, document=identity, sealed=sealed)
    await connection.execute(
        stated.on_conflict_do_update(
            index_elements=[contest.c.dossier, contest.c.document], set_={"sealed": stated.excluded.sealed}
        )
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A document that nobody else changes until the transaction ends: its status, and its contest, sealed, if any."""

    status: DocumentStatus
    contest_sealed: bytes | None


async def hold_document(connection: AsyncConnection, home: UUID, identity: UUID) -> Held:
    """Hold a document. Raises ConstraintError if its dossier was erased meanwhile."""
    document = find_document((await hold_sheet(connection, home)).documents, identity)
    if document is None:
        raise ConstraintError("there is no such document")
    stated = select(contest.c.sealed).where(contest.c.dossier == home, contest.c.document == identity)
    return Held(document.status, await connection.scalar(stated))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a document's facts do not say and an answer about it does; `key` is the dossier's, for the contest."""

    version: Version
    contest_sealed: bytes | None = None
    key: KeyRow | None = field(default=None, repr=False)


# The sheet comes with the first row alone, however many contests there are.
STANDINGS = (
    "SELECT CASE WHEN row_number() OVER () = 1 THEN d.documents END, "  # noqa: S608  # names of our own tables
    f"contest.document, contest.sealed, {KEY_COLUMNS} FROM dossier AS d "
    "LEFT JOIN contest ON contest.dossier = d.id "
    "LEFT JOIN dossier_key ON dossier_key.dossier = d.id WHERE d.id = $1::uuid"
)


async def read_standings(
    database: Database, home: UUID, documents: Collection[UUID] | None = None
) -> dict[UUID, Standing]:
    """Version and contest of these documents of a dossier, or of all, but for deleted ones, by one `read`."""
    return {
        document.id: standing
        for document, standing in await _standings(database, home, documents)
        if document.status is not DocumentStatus.DELETED
    }


async def read_standing(database: Database, home: UUID, identity: UUID) -> Standing | None:
    """Version and contest of one document, deleted or not, by one `read`."""
    return next((standing for _, standing in await _standings(database, home, {identity})), None)


async def read_types(database: Database, documents: Collection[Place]) -> dict[Place, str]:
    """The type of each of these documents that is still known: of deleted ones too, not of erased dossiers'."""
    homes = sorted({home for home, _ in documents})
    sheets: dict[UUID, bytes] = {}
    async with database.connect() as connection:
        for start in range(0, len(homes), _DOSSIERS):
            some = select(dossier.c.id, dossier.c.documents).where(dossier.c.id.in_(homes[start : start + _DOSSIERS]))
            sheets |= {row.id: row.documents or b"" for row in await connection.execute(some)}
    found = {(home, identity): find_document(sheets.get(home, b""), identity) for home, identity in documents}
    return {place: document.document_type for place, document in found.items() if document is not None}


async def _standings(
    database: Database, home: UUID, identities: Collection[UUID] | None
) -> list[tuple[Document, Standing]]:
    rows = await database.read(STANDINGS, home)
    if not rows:
        return []
    documents = next((row[0] for row in rows if row[0] is not None), b"")
    contests: Mapping[UUID, bytes] = {row[1]: row[2] for row in rows if row[1] is not None}
    key = key_of_row(rows[0])
    return [
        (document, Standing(version, contests.get(document.id), key))
        for document, version in filed_in(documents, identities)
    ]


async def _file(connection: AsyncConnection, home: UUID, sheet: Sheet, documents: bytes, added: Filed) -> None:
    try:
        grown = append(documents, [added])
    except ValueError as error:
        raise ConstraintError(str(error)) from None
    await keep_sheet(connection, home, sheet, sheet._replace(documents=grown))
    await add_whereabouts(connection, [(added.document.id, home)])


async def _rewrite(connection: AsyncConnection, home: UUID, sheet: Sheet, changed: Mapping[UUID, Document]) -> None:
    changed_sheet = sheet._replace(documents=rewrite(sheet.documents, changed))
    await keep_sheet(connection, home, sheet, changed_sheet)
