"""The "bouton DMP": one question of one subject about many dossiers at once.

Facts of the subject are read once, and those of the dossiers together: what `fetch_cases` would look up again for each.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from models.database import Database
from models.facts import Case, Dossier, Person, Professional, Question, Reference, Relation
from models.queries.hot import fetch_case, parties_of
from models.queries.statements import among, padded
from models.sheets import relations_with, representations_by
from models.vocabulary import DossierState, ResourceType

_DOSSIER = (
    "id",
    "born",
    "protected",
    "care_team_consent",
    "refuses_break_glass",
    "refuses_centre_15",
    "masked_in_emergency",
)
_TIES = len(_DOSSIER)


async def fetch_open(database: Database, question: Question, dossiers: Sequence[UUID]) -> tuple[Case, dict[UUID, Case]]:
    """The case of the question about no dossier, and those about each of these that is open, by two `read`s.

    These are the cases that `fetch_cases` gives of a known subject; the resource of `question` does not count.
    """
    alone = await fetch_case(database, replace(question, resource=Reference(ResourceType.DOSSIER, "")))
    if not dossiers:
        return alone, {}
    asked, subject = padded(dossiers), alone.subject
    reader = [subject.rpps] if isinstance(subject, Professional) else []
    rows = await database.read(open_statement(len(asked), reader=bool(reader)), *asked, *reader)
    parties = parties_of(question.subject, subject)
    words = [party.id.encode(errors="replace") for party in parties]
    return alone, {row[0]: _case(alone, _relations(row[_TIES], parties, words), row) for row in rows}


@lru_cache(maxsize=32)
def open_statement(dossiers: int, *, reader: bool) -> str:
    """A row for each of these dossiers that is open. Parameters: they, and the professional who asks, if any."""
    columns = [*(f"d.{name}" for name in _DOSSIER), "d.ties", "h.professional" if reader else "NULL"]
    has_read = f"LEFT JOIN has_read AS h ON h.dossier = d.id AND h.professional = ${dossiers + 1}::text"
    return (
        f"SELECT {', '.join(columns)} FROM dossier AS d {has_read if reader else ''} "  # noqa: S608  # our own names only, values are parameters
        f"WHERE d.state = '{DossierState.OPEN}' AND {among('d.id', dossiers, 1)}"
    )


def _relations(ties: bytes | None, parties: Sequence[Reference], words: Sequence[bytes]) -> tuple[Relation, ...]:
    """Most dossiers of a day are tied to others: where none of the parties' ids stands, nothing is looked for."""
    return relations_with(ties, parties) if ties and any(word in ties for word in words) else ()


def _case(alone: Case, relations: tuple[Relation, ...], row: Sequence[Any]) -> Case:
    identity, *rest, ties, reader = row
    asked, subject = alone.question, alone.subject
    about = Reference(ResourceType.DOSSIER, str(identity))
    return Case(
        Question(asked.subject, asked.action, about, asked.at, asked.context, asked.particulars),
        subject,
        Dossier(identity, DossierState.OPEN, *rest),
        relations,
        representations_by(ties, subject.id) if ties and isinstance(subject, Person) else (),
        has_read=reader is not None,
    )
