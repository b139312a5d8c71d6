"""What a decision reads: what is asked, and what is stored about who asks and what is asked for.

Everything is frozen, and nothing here reads a clock: the instant of the request is part of the question.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from models.vocabulary import (
    DocumentStatus,
    DossierState,
    OrganizationKind,
    RelationKind,
    RepresentationKind,
    SubjectType,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Somebody or something as the caller names it: two words that may mean nothing."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Context:
    """The only facts that a caller may state, and for which it answers."""

    mode: str = "normal"
    reason: str = ""
    authentication: str | None = None
    patient_present: bool = False
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Particulars:
    """What an action needs to be known by: the document to deposit, or the beneficiary of a right.

    `dossier` is the dossier that the caller believes a document or a message to be in.
    """

    document_type: str | None = None
    masked: bool = False
    withheld: bool = False
    hidden_from_representatives: bool = False
    professional: str | None = None
    organization: str | None = None
    dossier: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Whether this subject may do this to that, in this context, at this instant (UTC)."""

    subject: Reference
    action: str
    resource: Reference
    at: datetime
    context: Context = Context()
    particulars: Particulars = Particulars()


@dataclass(frozen=True, slots=True)
class Person:
    """A patient, a legal representative or a caregiver, known by a pseudonym."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Professional:
    """A health or social professional of the directory; `person` is the pseudonym of his own INS, if known."""

    rpps: str
    profession: str
    samu_regulator: bool = False
    organizations: frozenset[str] = frozenset()
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """A structure, known by its FINESS, or its SIREN for the fund."""

    id: str
    kind: OrganizationKind


@dataclass(frozen=True, slots=True)
class Staff:
    """A non-professional acting under an organization's responsibility."""

    id: str
    organization: Organization


type_of_subject = {
    Person: SubjectType.PERSON,
    Professional: SubjectType.PROFESSIONAL,
    Organization: SubjectType.ORGANIZATION,
    Staff: SubjectType.STAFF,
}

Subject = Person | Professional | Organization | Staff


@dataclass(frozen=True, slots=True)
class Dossier:
    """One person's record: `id` is the holder's pseudonym."""

    id: UUID
    state: DossierState
    born: date | None = None
    protected: bool = False
    care_team_consent: bool = False
    refuses_break_glass: bool = False
    refuses_centre_15: bool = False
    masked_in_emergency: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A tie of a professional (RPPS) or an organization (FINESS) to the dossier, from `since` until before `until`."""

    party: Reference
    kind: RelationKind
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Representation:
    """A tie of another person to the dossier, until before `until`."""

    person: UUID
    kind: RepresentationKind
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document's facts, never its content. `author` is a professional, an organization or a person (pseudonym)."""

    id: UUID
    document_type: str
    author: Reference
    created_at: datetime
    masked: bool = False
    withheld_until: datetime | None = None
    hidden_from_representatives: bool = False
    status: DocumentStatus = DocumentStatus.CURRENT


@dataclass(frozen=True, slots=True)
class Message:
    """A message between two professionals (RPPS), never its content."""

    id: UUID
    sender: str
    addressee: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question with everything stored that bears on it; what is not stored is None or empty.

    `relations` holds those of the subject and of the organizations where a professional exercises, in force or
    not; `representations` those of the subject. `document` and `message` are None unless the question is about
    one that exists (and, if the caller named its dossier, is in it).
    """

    question: Question
    subject: Subject | None = None
    dossier: Dossier | None = None
    relations: tuple[Relation, ...] = ()
    representations: tuple[Representation, ...] = ()
    document: Document | None = None
    message: Message | None = None
    has_read: bool = False
