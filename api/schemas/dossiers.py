"""What travels about dossiers, rights and people."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """An INS, in the body since it must not stand in an address."""

    ins: str


class Pseudonym(Struct, frozen=True):
    person: UUID


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    ins: str
    born: date
    protected: bool = False


class Dossier(Struct, frozen=True):
    """A dossier's state and switches."""

    dossier: UUID
    state: str
    protected: bool
    care_team_consent: bool
    refuses_break_glass: bool
    refuses_centre_15: bool
    masked_in_emergency: bool
    born: date | None = None


class DossierOverview(Dossier, frozen=True):
    """The same, with how many documents of each space the subject may read."""

    spaces: dict[str, int] = {}


class Persons(Struct, frozen=True, forbid_unknown_fields=True):
    persons: Annotated[list[UUID], Meta(max_length=500)]


class Existences(Struct, frozen=True):
    exist: list[bool]


class State(Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["open", "closed", "suspended"]


class EmergencySwitches(Struct, frozen=True, forbid_unknown_fields=True):
    refuses_break_glass: bool
    refuses_centre_15: bool
    masked_in_emergency: bool


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    given: bool


class AccessChange(Struct, frozen=True, forbid_unknown_fields=True):
    """`until` goes with `granted` only."""

    access: Literal["granted", "blocked"]
    until: Annotated[datetime, Meta(tz=True)] | None = None


class Access(Struct, frozen=True):
    """Who has access to a dossier, or is kept from it, and how."""

    type: str
    id: str
    access: str
    since: datetime | None = None
    until: datetime | None = None


class Accesses(Struct, frozen=True):
    accesses: list[Access]
