"""What is written about documents: facts, never content."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.errors import ConstraintError
from models.facts import Document
from models.queries.dossiers import hold_dossier
from models.queries.keys import KEY_COLUMNS, KeyRow, key_of_row
from models.queries.statements import MOST_NAMED, among, padded
from models.tables import document, place
from models.vocabulary import DocumentStatus

Place = tuple[UUID, UUID]
"""A document's dossier, and its id."""

_PLACE = tuple_(document.c.dossier, document.c.id)
_TYPES = select(document.c.dossier, document.c.id, document.c.document_type)
_PLACES = 1_000
"""So many are named in one statement."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of what a document is: `series` is the id of the first."""

    series: UUID
    version: int


async def add_document(connection: AsyncConnection, dossier: UUID, added: Document) -> Version:
    """Write a new document's facts. Raises ConstraintError if the id is taken or there is no such dossier."""
    first = Version(added.id, 1)
    await _insert(connection, dossier, added, first)
    return first


async def add_version(connection: AsyncConnection, dossier: UUID, added: Document, replaces: UUID) -> Version:
    """Write a document that takes a current one's place, which becomes superseded.

    It inherits the visibility of what it replaces, whatever `added` says (RULES §4.2). Raises ConstraintError if that
    document is no longer current: somebody else was first.
    """
    replaced = (
        update(document)
        .where(
            document.c.dossier == dossier,
            document.c.id == replaces,
            document.c.status == DocumentStatus.CURRENT.value,
        )
        .values(status=DocumentStatus.SUPERSEDED.value)
        .returning(
            document.c.series,
            document.c.version,
            document.c.masked,
            document.c.withheld_until,
            document.c.hidden_from_representatives,
        )
    )
    row = (await connection.execute(replaced)).one_or_none()
    if row is None:
        raise ConstraintError("the document to replace is not current")
    following = Version(row.series, row.version + 1)
    inherited = replace(
        added,
        masked=row.masked,
        withheld_until=row.withheld_until,
        hidden_from_representatives=row.hidden_from_representatives,
    )
    await _insert(connection, dossier, inherited, following)
    return following


async def set_visibility(
    connection: AsyncConnection,
    dossier: UUID,
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
    if not values:
        return
    series = select(document.c.series).where(document.c.dossier == dossier, document.c.id == identity).scalar_subquery()
    await connection.execute(
        update(document).where(document.c.dossier == dossier, document.c.series == series).values(values)
    )


async def set_status(
    connection: AsyncConnection, dossier: UUID, identity: UUID, status: DocumentStatus, *, was: DocumentStatus
) -> bool:
    """Archive, restore or delete; False, and nothing done, if the status is no longer what the decision saw."""
    changed = (
        update(document)
        .where(document.c.dossier == dossier, document.c.id == identity, document.c.status == was.value)
        .values(status=status.value)
    )
    return (await connection.execute(changed)).rowcount == 1


async def set_contest(connection: AsyncConnection, dossier: UUID, identity: UUID, sealed: bytes | None) -> None:
    """The contest and its answer so far, sealed; None when there is none any more.

    Raises ConstraintError for a contest of a dossier that was erased meanwhile.
    """
    if sealed is not None:
        await hold_dossier(connection, dossier)
    await connection.execute(
        update(document).where(document.c.dossier == dossier, document.c.id == identity).values(contest_sealed=sealed)
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A document that nobody else changes until the transaction ends: its status, and its contest, sealed, if any."""

    status: DocumentStatus
    contest_sealed: bytes | None


async def hold_document(connection: AsyncConnection, dossier: UUID, identity: UUID) -> Held:
    """Hold a document's row. Raises ConstraintError if its dossier was erased meanwhile."""
    query = (
        select(document.c.status, document.c.contest_sealed)
        .where(document.c.dossier == dossier, document.c.id == identity)
        .with_for_update()
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise ConstraintError("there is no such document")
    return Held(DocumentStatus(row.status), row.contest_sealed)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a document's facts do not say and an answer about it does; `key` is the dossier's, for the contest."""

    version: Version
    contest_sealed: bytes | None = None
    key: KeyRow | None = field(default=None, repr=False)


_STANDING = (
    f"SELECT id, series, document.version, contest_sealed, {KEY_COLUMNS} FROM document "  # noqa: S608  # names of our own tables
    "LEFT JOIN dossier_key ON dossier_key.dossier = document.dossier WHERE document.dossier = $1::uuid"
)


async def read_standings(
    database: Database, dossier: UUID, documents: Collection[UUID] | None = None
) -> dict[UUID, Standing]:
    """Version and contest of these documents of a dossier, or of all, but for deleted ones, by one `read`."""
    if documents is not None and not documents:
        return {}
    named = documents is not None and len(documents) <= MOST_NAMED
    wanted = padded(sorted(documents or ())) if named else []
    statement = f"{_STANDING} AND status <> 'deleted'"
    rows = await database.read(
        f"{statement} AND {among('id', len(wanted), 2)}" if named else statement, dossier, *wanted
    )
    return {row[0]: _standing(row) for row in rows if documents is None or row[0] in documents}


async def read_types(database: Database, documents: Collection[Place]) -> dict[Place, str]:
    """The type of each of these documents that is still known: of deleted ones too, not of erased dossiers'."""
    wanted = sorted(set(documents))
    types: dict[Place, str] = {}
    async with database.connect() as connection:
        for start in range(0, len(wanted), _PLACES):
            found = _TYPES.where(_PLACE.in_(wanted[start : start + _PLACES]))
            types |= {(row.dossier, row.id): row.document_type for row in await connection.execute(found)}
    return types


async def read_standing(database: Database, dossier: UUID, identity: UUID) -> Standing | None:
    """Version and contest of one document, deleted or not, by one `read`."""
    rows = await database.read(
        f"{_STANDING} AND id = $2::uuid",
        dossier,
        identity,
    )
    return _standing(rows[0]) if rows else None


def _standing(row: Sequence[Any]) -> Standing:
    return Standing(Version(row[1], row[2]), row[3], key_of_row(row))


async def _insert(connection: AsyncConnection, dossier: UUID, added: Document, version: Version) -> None:
    await hold_dossier(connection, dossier)
    await connection.execute(insert(place).values(id=added.id, dossier=dossier))
    await connection.execute(
        insert(document).values(
            dossier=dossier,
            id=added.id,
            series=version.series,
            version=version.version,
            document_type=added.document_type,
            author_type=added.author.type,
            author_id=added.author.id,
            created_at=added.created_at,
            masked=added.masked,
            withheld_until=added.withheld_until,
            hidden_from_representatives=added.hidden_from_representatives,
            status=added.status.value,
        )
    )
