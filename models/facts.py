"""What a decision reads: what is asked, and what is stored about who asks and what is asked for.

Everything is frozen, and nothing here reads a clock: the instant of the request is part of the question.
"""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from models.vocabulary import (
    DocumentStatus,
    DossierState,
    OrganizationKind,
    RelationKind,
    RepresentationKind,
    SubjectType,
)


class Reference(Struct, frozen=True):
    """Somebody or something as the caller names it: two words that may mean nothing."""

    type: str
    id: str


class Context(Struct, frozen=True):
    """The only facts that a caller may state, and for which it answers."""

    mode: str = "normal"
    reason: str = ""
    authentication: str | None = None
    patient_present: bool = False
    organization: str | None = None


class Particulars(Struct, frozen=True):
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


class Question(Struct, frozen=True):
    """Whether this subject may do this to that, in this context, at this instant (UTC)."""

    subject: Reference
    action: str
    resource: Reference
    at: datetime
    context: Context = Context()
    particulars: Particulars = Particulars()


class Person(Struct, frozen=True):
    """A patient, a legal representative or a caregiver, known by a pseudonym."""

    id: UUID


class Professional(Struct, frozen=True):
    """A health or social professional of the directory; `person` is the pseudonym of his own INS, if known."""

    rpps: str
    profession: str
    samu_regulator: bool = False
    organizations: frozenset[str] = frozenset()
    person: UUID | None = None


class Organization(Struct, frozen=True):
    """A structure, known by its FINESS, or its SIREN for the fund."""

    id: str
    kind: OrganizationKind


class Staff(Struct, frozen=True):
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


class Dossier(Struct, frozen=True):
    """One person's record: `id` is the holder's pseudonym."""

    id: UUID
    state: DossierState
    born: date | None = None
    protected: bool = False
    care_team_consent: bool = False
    refuses_break_glass: bool = False
    refuses_centre_15: bool = False
    masked_in_emergency: bool = False


class Relation(Struct, frozen=True):
    """A tie of a professional (RPPS) or an organization (FINESS) to the dossier, from `since` until before `until`."""

    party: Reference
    kind: RelationKind
    since: datetime | None = None
    until: datetime | None = None


class Representation(Struct, frozen=True):
    """A tie of another person to the dossier, until before `until`."""

    person: UUID
    kind: RepresentationKind
    until: datetime | None = None


class Document(Struct, frozen=True):
    """A document's facts, never its content. `author` is a professional, an organization or a person (pseudonym)."""

    id: UUID
    document_type: str
    author: Reference
    created_at: datetime
    masked: bool = False
    withheld_until: datetime | None = None
    hidden_from_representatives: bool = False
    status: DocumentStatus = DocumentStatus.CURRENT


class Message(Struct, frozen=True):
    """A message between two professionals (RPPS), never its content."""

    id: UUID
    sender: str
    addressee: str


class Case(Struct, frozen=True):
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
