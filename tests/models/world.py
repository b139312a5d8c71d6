"""A few people, structures and dossiers, stored for the tests of what is read and written about them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import Database
from models.facts import (
    Document,
    Dossier,
    Organization,
    Professional,
    Question,
    Reference,
    Relation,
    Representation,
    Staff,
)
from models.queries.sheets import hold_sheet, keep_sheet
from models.sheets import Sheet, pack_ties
from models.vocabulary import DossierState, OrganizationKind, RelationKind, RepresentationKind

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)

ALICE, BASILE, NOBODY = UUID(int=0xA11CE), UUID(int=0xBA51), UUID(int=0x404)

CHU = Organization("750000002", OrganizationKind.HEALTH_FACILITY)
PRACTICE = Organization("750000010", OrganizationKind.HEALTH_FACILITY)
BANK = Organization("750000028", OrganizationKind.BANK)
SECRETARY = Staff("sec-1", CHU)

# In two organizations, with a person of her own; in none, and a regulator; in one.
JULIE = Professional("10001234565", "physician", organizations=frozenset({CHU.id, PRACTICE.id}), person=BASILE)
KARIM = Professional("10001234573", "nurse", samu_regulator=True)
LEA = Professional("10001234581", "pharmacist", organizations=frozenset({CHU.id}))


def professional(who: Professional) -> Reference:
    return Reference("professional", who.rpps)


def structure(which: Organization) -> Reference:
    return Reference("organization", which.id)


DOSSIER = Dossier(
    ALICE,
    DossierState.OPEN,
    born=date(1985, 5, 12),
    protected=True,
    care_team_consent=False,
    refuses_break_glass=True,
    refuses_centre_15=False,
    masked_in_emergency=True,
)
OTHER_DOSSIER = Dossier(BASILE, DossierState.SUSPENDED, care_team_consent=True, refuses_centre_15=True)

TREATING = Relation(professional(JULIE), RelationKind.TREATING_PHYSICIAN, since=AT)
TEAM = Relation(professional(JULIE), RelationKind.CARE_TEAM, until=AT)
OF_CHU = Relation(structure(CHU), RelationKind.GRANTED, AT, LATER)
OF_CHU_TOO = Relation(structure(CHU), RelationKind.BLOCKED)
OF_PRACTICE = Relation(structure(PRACTICE), RelationKind.CARE_TEAM)
OF_KARIM = Relation(professional(KARIM), RelationKind.BLOCKED)
GUARDIAN = Representation(BASILE, RepresentationKind.LEGAL_REPRESENTATIVE, until=LATER)
CARER = Representation(BASILE, RepresentationKind.CAREGIVER)


def document(number: int, **facts: Any) -> Document:
    """A document of Alice's dossier, one day older with each number."""
    standard = {"document_type": "11488-4", "author": professional(JULIE), "created_at": AT - timedelta(days=number)}
    return Document(UUID(int=0xD0C0 + number), **{**standard, **facts})


def question(subject: Reference, resource: Reference, action: str = "document:read", **more: Any) -> Question:
    return Question(subject, action, resource, AT, **more)


async def settle(database: Database) -> None:
    """Store all of the above."""
    async with database.begin() as connection:
        await _directory(connection)
        await connection.execute(insert(tables.dossier), [_dossier_row(DOSSIER), _dossier_row(OTHER_DOSSIER)])
        relations = [TREATING, TEAM, OF_CHU, OF_CHU_TOO, OF_PRACTICE, OF_KARIM]
        sheet = Sheet(pack_ties(relations, [GUARDIAN, CARER]))
        await keep_sheet(connection, ALICE, await hold_sheet(connection, ALICE), sheet)
        await connection.execute(insert(tables.has_read), {"dossier": ALICE, "professional": JULIE.rpps})


async def _directory(connection: AsyncConnection) -> None:
    structures = [{"id": each.id, "kind": each.kind, "name": "a structure"} for each in (CHU, PRACTICE, BANK)]
    people = [
        {
            "rpps": each.rpps,
            "profession": each.profession,
            "samu_regulator": each.samu_regulator,
            "person": each.person,
        }
        for each in (JULIE, KARIM, LEA)
    ]
    places = [
        {"professional": each.rpps, "organization": organization}
        for each in (JULIE, LEA)
        for organization in sorted(each.organizations)
    ]
    await connection.execute(insert(tables.organization), structures)
    await connection.execute(insert(tables.professional), people)
    await connection.execute(insert(tables.exercise), places)
    await connection.execute(insert(tables.staff), {"id": SECRETARY.id, "organization": CHU.id})


def _dossier_row(dossier: Dossier) -> dict[str, Any]:
    names = ("id", "state", "born", "protected", "care_team_consent")
    switches = ("refuses_break_glass", "refuses_centre_15", "masked_in_emergency")
    return {"state_since": AT, **{name: getattr(dossier, name) for name in (*names, *switches)}}
