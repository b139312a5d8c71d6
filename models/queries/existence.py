"""The "bouton DMP": one question of one subject about many dossiers at once.

Facts of the subject are read once, and those of the dossiers together: what `fetch_cases` would look up again for each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID

from models.database import Database
from models.facts import Case, Dossier, Person, Professional, Question, Reference, Relation, Representation
from models.queries.hot import fetch_case
from models.queries.statements import padded
from models.vocabulary import DossierState, RelationKind, RepresentationKind, ResourceType, SubjectType

_DOSSIER = (
    "id",
    "born",
    "protected",
    "care_team_consent",
    "refuses_break_glass",
    "refuses_centre_15",
    "masked_in_emergency",
)
_RELATION = slice(len(_DOSSIER), len(_DOSSIER) + 5)
_REPRESENTATION = slice(_RELATION.stop, _RELATION.stop + 2)
_HAS_READ = _REPRESENTATION.stop


async def fetch_open(database: Database, question: Question, dossiers: Sequence[UUID]) -> tuple[Case, dict[UUID, Case]]:
    """The case of the question about no dossier, and those about each of these that is open, by two `read`s.

    These are the cases that `fetch_cases` gives of a known subject; the resource of `question` does not count.
    """
    alone = await fetch_case(database, replace(question, resource=Reference(ResourceType.DOSSIER, "")))
    if not dossiers:
        return alone, {}
    asked, parties = padded(dossiers), _parties(alone)
    person = alone.subject.id if isinstance(alone.subject, Person) else None
    reader = alone.subject.rpps if isinstance(alone.subject, Professional) else None
    statement = open_statement(len(asked), len(parties), person is not None, reader is not None)
    told = [value for value in (person, reader) if value is not None]
    rows = await database.read(statement, *asked, *told, *(party.id for party in parties))
    by_dossier = groupby(sorted(rows, key=lambda row: row[0].int), key=lambda row: row[0])
    return alone, {identity: _case(alone, frozenset(parties), list(its)) for identity, its in by_dossier}


def _parties(case: Case) -> list[Reference]:
    """Whose relations count: the subject's own, and those of where a professional exercises."""
    subject = case.question.subject
    if case.subject is None or subject.type not in {SubjectType.PROFESSIONAL, SubjectType.ORGANIZATION}:
        return []
    organizations = sorted(case.subject.organizations) if isinstance(case.subject, Professional) else []
    return padded([subject, *(Reference(SubjectType.ORGANIZATION, each) for each in organizations)])


@lru_cache(maxsize=64)
def open_statement(dossiers: int, parties: int, person: bool, reader: bool) -> str:  # noqa: FBT001  # a cache's key
    """Rows of open dossiers. Parameters: these, the person or the professional who asks, and the ids of the parties."""
    asker = dossiers + 1
    joins, columns = [], [f"d.{name}" for name in _DOSSIER]
    if parties:
        held_by = _placeholders(asker + (person or reader), parties, "text")
        joins.append(f"LEFT JOIN relation AS r ON r.dossier = d.id AND r.party IN ({held_by})")
    columns += [f"r.{name}" if parties else "NULL" for name in ("party_type", "party", "kind", "since", "until")]
    if person:
        joins.append(f"LEFT JOIN representation AS p ON p.dossier = d.id AND p.person = ${asker}::uuid")
    columns += [f"p.{name}" if person else "NULL" for name in ("kind", "until")]
    if reader:
        joins.append(f"LEFT JOIN has_read AS h ON h.dossier = d.id AND h.professional = ${asker}::text")
    columns.append("h.professional" if reader else "NULL")
    return (
        f"SELECT {', '.join(columns)} FROM dossier AS d {' '.join(joins)}"  # noqa: S608  # our own names only, values are parameters
        f" WHERE d.state = '{DossierState.OPEN}' AND d.id IN ({_placeholders(1, dossiers, 'uuid')})"
    )


def _placeholders(first: int, count: int, type_: str) -> str:
    return ", ".join(f"${number}::{type_}" for number in range(first, first + count))


def _case(alone: Case, parties: frozenset[Reference], rows: Sequence[Sequence[Any]]) -> Case:
    identity, *rest = rows[0][: len(_DOSSIER)]
    asked = alone.question
    about = Reference(ResourceType.DOSSIER, str(identity))
    return Case(
        Question(asked.subject, asked.action, about, asked.at, asked.context, asked.particulars),
        alone.subject,
        Dossier(identity, DossierState.OPEN, *rest),
        tuple(_relations(asked.subject, parties, rows)),
        tuple(_representations(alone, rows)),
        has_read=rows[0][_HAS_READ] is not None,
    )


def _relations(subject: Reference, parties: frozenset[Reference], rows: Iterable[Sequence[Any]]) -> Iterator[Relation]:
    """His own, then those of his organizations, in order; an id may be that of a party of another kind, too."""
    found: dict[tuple[str, str], Relation] = {}
    for row in rows:
        party_type, party, kind, since, until = row[_RELATION]
        if kind is not None and (held_by := Reference(party_type, party)) in parties:
            own = held_by == subject
            found["" if own else party, kind] = Relation(held_by, RelationKind(kind), since, until)
    return (found[key] for key in sorted(found))


def _representations(alone: Case, rows: Iterable[Sequence[Any]]) -> Iterator[Representation]:
    if isinstance(alone.subject, Person):
        held = {kind: until for row in rows for kind, until in [row[_REPRESENTATION]] if kind is not None}
        for kind in sorted(held):
            yield Representation(alone.subject.id, RepresentationKind(kind), held[kind])
