"""Who opened a dossier, as it is counted: his kind, his number and where he is, and never for whom."""

from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from models.facts import Case, Organization, Person, Professional, Staff
from models.queries.openings import Opening, find_kind
from models.reference.departments import department_of
from models.vocabulary import OrganizationKind, SubjectType

_PARIS = ZoneInfo("Europe/Paris")
_WITH_FINESS = frozenset({OrganizationKind.HEALTH_FACILITY, OrganizationKind.LABORATORY, OrganizationKind.PHARMACY})


async def opening_of(connection: AsyncConnection, case: Case) -> Opening:
    """What is counted of an opening, decided on these facts."""
    day = case.question.at.astimezone(_PARIS).date()
    match case.subject:
        case Professional(rpps=rpps) as professional:
            place = _place(professional, case.question.context.organization)
            kind = None if place is None else await find_kind(connection, place)
            return Opening(day, SubjectType.PROFESSIONAL.value, rpps, _department(place, kind))
        case Organization(id=identity, kind=kind) | Staff(organization=Organization(id=identity, kind=kind)):
            return Opening(day, kind.value, identity, _department(identity, kind))
        case Person() | None:
            return Opening(day, SubjectType.PERSON.value, None, None)


def _place(professional: Professional, stated: str | None) -> str | None:
    """Where he exercises: the organization that he stated, if it is one of his, else the only one that he has."""
    if stated in professional.organizations:
        return stated
    return next(iter(professional.organizations)) if len(professional.organizations) == 1 else None


def _department(identity: str | None, kind: OrganizationKind | None) -> str | None:
    """Where a structure is; the number of one that has no FINESS does not tell."""
    return department_of(identity) if identity is not None and kind in _WITH_FINESS else None
