"""Cases drawn at random from a seed, as the database would deliver them, so that every rule fires and nearly fires.

Ids come from small pools, so that authors, beneficiaries and correspondents are often the subject; instants lie around
the one of the question; most cases carry few hindrances and some carry many (`trouble`), for what is refused ten times
over shows little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from models.facts import (
    Case,
    Context,
    Document,
    Dossier,
    Message,
    Organization,
    Particulars,
    Person,
    Professional,
    Question,
    Reference,
    Relation,
    Representation,
    Staff,
    Subject,
)
from models.reference import DOCUMENT_TYPES, PROFESSIONS
from models.vocabulary import (
    ACTIONS_ON,
    Category,
    DocumentStatus,
    DossierState,
    OrganizationKind,
    RelationKind,
    RepresentationKind,
    ResourceType,
)

_T = TypeVar("_T")

PARIS = ZoneInfo("Europe/Paris")
SECOND = timedelta(seconds=1)

HOLDER, ANOTHER_HOLDER = UUID(int=0xA1), UUID(int=0xA2)
PEOPLE = (HOLDER, ANOTHER_HOLDER, UUID(int=0xA3), UUID(int=0xA4))
PROFESSIONALS = ("10001234565", "10000000001", "00000000000", "81000000011")
ORGANIZATIONS = tuple(
    Organization(finess, kind)
    for finess, kind in (
        ("750000002", OrganizationKind.HEALTH_FACILITY),
        ("690000007", OrganizationKind.LABORATORY),
        ("330000001", OrganizationKind.PHARMACY),
        ("732829320", OrganizationKind.INSURANCE_FUND),
        ("130000003", OrganizationKind.COMPLEMENTARY_INSURER),
        ("590000005", OrganizationKind.EMPLOYER),
        ("310000006", OrganizationKind.BANK),
        ("440000008", OrganizationKind.HEALTH_FACILITY),
    )
)
STAFF = ("sec-1", "10001234565", "750000002", str(HOLDER))  # any id: also one that is somebody else's
DOCUMENT, MESSAGE = UUID(int=101), UUID(int=102)

# Ordinary days, the last and first of February and March, midnights of Paris, the hours when clocks change.
INSTANTS = tuple(
    datetime.fromisoformat(text).astimezone(UTC)
    for text in (
        "2026-06-15T10:00:00+00:00",
        "2026-11-23T14:30:00+00:00",
        "2026-01-01T00:30:00+01:00",
        "2025-12-31T23:30:00+00:00",
        "2026-02-28T11:59:59+01:00",
        "2026-02-28T23:30:00+00:00",
        "2026-03-01T00:00:00+01:00",
        "2028-02-29T12:00:00+01:00",
        "2028-03-01T00:00:00+01:00",
        "2026-03-29T00:30:00+00:00",
        "2026-03-30T10:00:00+02:00",
        "2026-10-25T01:30:00+00:00",
        "2026-07-01T22:30:00+00:00",
    )
)

CODES = tuple(DOCUMENT_TYPES)
HEALTH = tuple(key for key, entry in PROFESSIONS.items() if entry.kind == "health")
OF_PATIENTS = tuple(
    code for code, entry in DOCUMENT_TYPES.items() if entry.category is Category.PATIENT_DOCUMENT or "EXPPAT" in code
)
REASONS = (
    "",
    " ",
    "          ",
    "123456789",
    "1234567890",
    " 123456789 ",
    " 1234567890 ",
    "\t\n123456789\u00a0",
    "\u00a01234567890\n",
    "douleur thoracique, patient inconscient",
)
STRONG = ("cps", "e_cps", "pro_sante_connect")
WEAK = (None, "", "CPS", "password", "cps ")
UNKNOWN_MODES = ("", "Normal", "emergency", "break-glass")
UNKNOWN_ACTIONS = ("", "document", "document:print", "Document:Read", "access:*")
UNKNOWN_RESOURCES = ("", "Dossier", "patient", "person")

# What each kind of subject asks for when it asks for something that it might get; a person might get nearly all.
USUAL: dict[tuple[type[Subject], ResourceType], str] = {
    (Professional, ResourceType.DOSSIER): """
        document:list document:list document:list journal:read access:list access:block message:send dossier:open
        access:grant treating_physician:declare care_team:consent document:deposit dossier:exists
    """,
    (Professional, ResourceType.DOCUMENT): """
        document:read document:read document:read document:read document:mask document:mask document:reveal
        document:reveal document:replace document:archive document:restore document:delete
    """,
    (Organization, ResourceType.DOSSIER): """
        dossier:exists dossier:open document:deposit document:deposit journal:read dossier:suspend dossier:reopen
        treating_physician:declare
    """,
    (Organization, ResourceType.DOCUMENT): "document:replace document:archive document:restore document:delete",
    (Staff, ResourceType.DOSSIER): "document:deposit dossier:exists",
}
USUAL_ACTIONS = {asked: words.split() for asked, words in USUAL.items()}
ALL_ACTIONS = {resource: sorted(actions) for resource, actions in ACTIONS_ON.items()}
EVERY_ACTION = sorted(action for actions in ACTIONS_ON.values() for action in actions)


@dataclass(frozen=True, slots=True)
class Draw:
    """The dice, and how many hindrances this case is to carry."""

    random: Random
    trouble: float

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def hindrance(self) -> bool:
        return self.random.random() < self.trouble

    def one_of(self, values: Sequence[_T]) -> _T:
        return values[int(self.random.random() * len(values))]


def draw_case(random: Random) -> Case:
    """One case: the same for the same state of the dice."""
    draw = Draw(random, random.choice((0.0, 0.0, 0.03, 0.03, 0.1, 0.3)))
    at = draw.one_of(INSTANTS)
    subject = _subject(draw)
    resource = ResourceType.DOCUMENT if draw.chance(0.55) else ResourceType.DOSSIER
    if draw.chance(0.08 if isinstance(subject, Professional) else 0.02):
        resource = ResourceType.MESSAGE
    action = _action(draw, subject, resource)
    if isinstance(subject, Organization) and action == "dossier:reopen" and draw.chance(0.5):
        subject = ORGANIZATIONS[3]  # the fund, which alone may
    dossier = _dossier(draw, at, action)
    stored = dossier is not None and not draw.chance(draw.trouble / 3)
    on_document, on_message = resource is ResourceType.DOCUMENT, resource is ResourceType.MESSAGE
    question = Question(
        subject=_reference(draw, subject),
        action=action,
        resource=_resource(draw, resource, dossier),
        at=at,
        context=_context(draw, subject, action),
        particulars=_particulars(draw, subject),
    )
    case = Case(
        question=question,
        subject=None if draw.chance(draw.trouble / 3) and not isinstance(subject, Person) else subject,
        dossier=dossier if stored or not (on_document or on_message) else None,
        relations=_relations(draw, subject, at) if dossier is not None else (),
        representations=_representations(draw, subject, at) if dossier is not None else (),
        document=_document(draw, subject, at, action) if on_document and stored else None,
        message=_message(draw, subject) if on_message and stored else None,
        has_read=draw.chance(0.5),
    )
    return _misnamed(draw, case)


def _misnamed(draw: Draw, case: Case) -> Case:
    """Now and then the case of a word that nobody knows, or of an action on the wrong type of resource.

    A type of resource that nobody knows finds nothing stored; a wrong action does not change what is found.
    """
    question = case.question
    if draw.chance(draw.trouble / 6):
        question = replace(question, action=draw.one_of((*UNKNOWN_ACTIONS, *EVERY_ACTION)))
    if draw.chance(draw.trouble / 6):
        question = replace(question, context=replace(question.context, mode=draw.one_of(UNKNOWN_MODES)))
    if draw.chance(draw.trouble / 10):
        nameless = Reference(draw.one_of(UNKNOWN_RESOURCES), question.resource.id)
        question = replace(question, resource=nameless)
        return Case(question=question, subject=case.subject)
    if draw.chance(draw.trouble / 10):
        question = replace(question, subject=Reference(draw.one_of(("", "robot", "Person")), question.subject.id))
        return replace(case, question=question, subject=None)
    if draw.chance(draw.trouble / 10):
        return replace(case, question=replace(question, subject=Reference("person", "me")), subject=None)
    return replace(case, question=question)


def _subject(draw: Draw) -> Subject:
    kind = draw.random.random()
    if kind < 0.3:
        return Person(draw.one_of((HOLDER, *PEOPLE)))
    if kind < 0.72:
        return _professional(draw)
    organization = draw.one_of(ORGANIZATIONS) if draw.chance(0.6) else draw.one_of(ORGANIZATIONS[:4])
    if kind < 0.88:
        return organization
    return Staff(draw.one_of(STAFF), organization)


def _professional(draw: Draw) -> Professional:
    profession = "physician" if draw.chance(0.4) else draw.one_of(HEALTH if draw.chance(0.7) else tuple(PROFESSIONS))
    person = None
    if draw.chance(0.5):
        person = HOLDER if draw.hindrance() else draw.one_of(PEOPLE[2:])
    return Professional(
        rpps=draw.one_of(PROFESSIONALS),
        profession="astrologer" if draw.chance(draw.trouble / 10) else profession,
        samu_regulator=draw.chance(0.5),
        organizations=frozenset(draw.one_of(ORGANIZATIONS).id for _ in range(draw.one_of((0, 1, 1, 2, 3)))),
        person=person,
    )


def _reference(draw: Draw, subject: Subject) -> Reference:
    if isinstance(subject, Person):
        return Reference("person", str(subject.id))
    if isinstance(subject, Professional):
        return Reference("professional", subject.rpps)
    return Reference("organization" if isinstance(subject, Organization) else "staff", subject.id)


def _action(draw: Draw, subject: Subject, resource: ResourceType) -> str:
    usual = USUAL_ACTIONS.get((type(subject), resource))
    if usual is not None and not draw.chance(0.3):
        return draw.one_of(usual)
    return draw.one_of(ALL_ACTIONS[resource])


def _resource(draw: Draw, resource: ResourceType, dossier: Dossier | None) -> Reference:
    if resource is ResourceType.DOCUMENT:
        return Reference(resource, str(DOCUMENT))
    if resource is ResourceType.MESSAGE:
        return Reference(resource, str(MESSAGE))
    if dossier is None and draw.chance(0.3):  # nothing is stored under these names
        return Reference(resource, draw.one_of((str(ANOTHER_HOLDER), "nobody", "", HOLDER.hex)))
    return Reference(resource, draw.one_of((str(HOLDER), str(HOLDER).upper())))


def _context(draw: Draw, subject: Subject, action: str) -> Context:
    emergency = action in ("document:list", "document:read") and isinstance(subject, Professional) and draw.chance(0.4)
    mode = "normal"
    if emergency or draw.hindrance():
        regulates = isinstance(subject, Professional) and subject.samu_regulator and subject.profession == "physician"
        mode = "centre_15" if draw.chance(0.8 if regulates else 0.2) else "break_glass"
    return Context(
        mode=mode,
        reason=draw.one_of(REASONS) if draw.chance(0.5) else REASONS[-1],
        authentication=draw.one_of(WEAK) if draw.hindrance() else draw.one_of(STRONG),
        patient_present=draw.chance(0.6),
        organization=draw.one_of(ORGANIZATIONS).id if draw.chance(0.3) else None,
    )


def _particulars(draw: Draw, subject: Subject) -> Particulars:
    document_type = None if draw.hindrance() else draw.one_of(("REMB", draw.one_of(OF_PATIENTS), *CODES[::20]))
    if draw.chance(0.4):
        document_type = draw.one_of((*CODES, "00000-0", "remb", ""))
    professional = draw.one_of(PROFESSIONALS) if draw.chance(0.4) else None
    if isinstance(subject, Professional) and draw.chance(0.5):
        professional = subject.rpps
    return Particulars(
        document_type=document_type,
        masked=draw.chance(0.2),
        withheld=draw.chance(0.2),
        hidden_from_representatives=draw.chance(0.2),
        professional=professional,
        organization=draw.one_of(ORGANIZATIONS).id if draw.chance(0.1) else None,
        dossier=str(HOLDER) if draw.chance(0.2) else None,
    )


def _around(draw: Draw, at: datetime, *, later: bool) -> datetime | None:
    """No limit, one that leaves the tie in force, or (a hindrance) one that ends it, at or near the instant."""
    if draw.chance(0.4):
        return None
    near = draw.one_of((SECOND, timedelta(microseconds=1), timedelta(days=1), timedelta(days=400)))
    if draw.chance(0.15 + draw.trouble):
        return at if later or draw.chance(0.3) else at + near  # `until` is excluded, `since` is included
    return at + near if later else draw.one_of((at, at - near))


def _relations(draw: Draw, subject: Subject, at: datetime) -> tuple[Relation, ...]:
    """At most one of each kind for the subject, and for each organization where a professional exercises."""
    relations = []

    def add(party: Reference, kind: RelationKind, probability: float) -> None:
        if draw.chance(probability):
            since, until = _around(draw, at, later=False), _around(draw, at, later=True)
            relations.append(Relation(party, kind, since, until))

    if isinstance(subject, Professional):
        himself = Reference("professional", subject.rpps)
        add(himself, RelationKind.TREATING_PHYSICIAN, 0.45 if subject.profession == "physician" else 0.1)
        add(himself, RelationKind.CARE_TEAM, 0.3)
        add(himself, RelationKind.GRANTED, 0.3)
        add(himself, RelationKind.BLOCKED, draw.trouble)
        everywhere = draw.hindrance()
        for organization in sorted(subject.organizations):
            party = Reference("organization", organization)
            add(party, RelationKind.CARE_TEAM, 0.3)
            add(party, RelationKind.GRANTED, 0.3)
            add(party, RelationKind.BLOCKED, 0.9 if everywhere else 0.2)
    if isinstance(subject, Organization):
        for kind in (RelationKind.CARE_TEAM, RelationKind.GRANTED, RelationKind.BLOCKED):
            add(Reference("organization", subject.id), kind, 0.2)
    draw.random.shuffle(relations)
    return tuple(relations)


def _representations(draw: Draw, subject: Subject, at: datetime) -> tuple[Representation, ...]:
    if not isinstance(subject, Person):
        return ()
    likely = 0.03 if subject.id == HOLDER else 0.6  # a person may be several of these
    kinds = [kind for kind in RepresentationKind if draw.chance(likely)]
    return tuple(Representation(subject.id, kind, _around(draw, at, later=True)) for kind in kinds)


def _dossier(draw: Draw, at: datetime, action: str) -> Dossier | None:
    if action == "dossier:open" and draw.chance(0.7):
        state = DossierState.NONE
    elif action == "dossier:reopen" and draw.chance(0.6):
        state = draw.one_of((DossierState.CLOSED, DossierState.SUSPENDED))
    else:
        state = draw.one_of(tuple(DossierState)) if draw.hindrance() else DossierState.OPEN
    if state is DossierState.NONE and draw.chance(0.5):
        return None
    refuses_both = draw.hindrance()
    return Dossier(
        id=HOLDER,
        state=state,
        born=_born(draw, at),
        protected=draw.chance(0.2),
        care_team_consent=draw.chance(0.7),
        refuses_break_glass=refuses_both or draw.chance(0.15),
        refuses_centre_15=refuses_both or draw.chance(0.15),
        masked_in_emergency=draw.chance(0.5),
    )


def _born(draw: Draw, at: datetime) -> date | None:
    """A child, an adult, or somebody coming of age about the day of the question."""
    if draw.chance(0.1):
        return None
    today = at.astimezone(PARIS).date()
    if draw.chance(0.5):
        return date(today.year - draw.one_of((0, 5, 17)), 1, 1)
    if draw.chance(0.4):
        return date(today.year - draw.one_of((19, 40, 90)), 12, 31)
    if draw.chance(0.2):
        return date(2008, 2, 29)
    near = today + timedelta(days=draw.one_of((-1, 0, 1)))
    return near.replace(year=near.year - 18, day=min(near.day, 28))


def _document(draw: Draw, subject: Subject, at: datetime, action: str) -> Document:
    document_type = draw.one_of(CODES)
    if draw.chance(0.2):
        document_type = "REMB"
    if draw.hindrance() and draw.chance(0.1):
        document_type = "00000-0"
    return Document(
        id=DOCUMENT,
        document_type=document_type,
        author=_author(draw, subject),
        created_at=_created(draw, at),
        masked=draw.chance(0.1 + draw.trouble),
        withheld_until=_withheld_until(draw, at),
        hidden_from_representatives=draw.chance(0.1 + draw.trouble),
        status=_status(draw, action),
    )


def _status(draw: Draw, action: str) -> DocumentStatus:
    if draw.hindrance():
        return draw.one_of(tuple(DocumentStatus))
    if action == "document:restore":
        return DocumentStatus.ARCHIVED
    if action in ("document:read", "document:mask", "document:unmask"):
        return draw.one_of((DocumentStatus.CURRENT, DocumentStatus.SUPERSEDED, DocumentStatus.ARCHIVED))
    return DocumentStatus.CURRENT


def _author(draw: Draw, subject: Subject) -> Reference:
    if draw.chance(0.4):
        if isinstance(subject, Staff):
            return Reference("organization", subject.organization.id)  # not the staff's own document
        return _reference(draw, subject)
    if isinstance(subject, Professional) and subject.organizations and draw.chance(0.2):
        return Reference("organization", min(subject.organizations))  # nor his
    if isinstance(subject, Professional) and subject.person is not None and draw.chance(0.1):
        return Reference("person", str(subject.person))
    return draw.one_of(
        (
            Reference("professional", draw.one_of(PROFESSIONALS)),
            Reference("organization", draw.one_of(ORGANIZATIONS).id),
            Reference("person", str(draw.one_of(PEOPLE))),
        )
    )


def _created(draw: Draw, at: datetime) -> datetime:
    """Recently, long ago, or 24 calendar months ago and a little more or less."""
    if draw.chance(0.6):
        return at - timedelta(days=draw.one_of((0, 1, 30, 400, 729)))
    if draw.chance(0.2):
        return at - timedelta(days=draw.one_of((732, 5000)))
    if draw.chance(0.1):
        return datetime(at.year - 2, 2, 28, 23, 30, tzinfo=UTC)
    local = at.astimezone(PARIS)
    then = local.replace(year=local.year - 2, day=28) if local.month == 2 else local.replace(year=local.year - 2)
    near = draw.one_of((timedelta(0), SECOND, -SECOND, timedelta(hours=1), -timedelta(hours=1), timedelta(days=1)))
    return then.astimezone(UTC) + near


def _withheld_until(draw: Draw, at: datetime) -> datetime | None:
    if draw.chance(0.7 - draw.trouble):
        return None
    return draw.one_of((at + SECOND, at + timedelta(days=30), at, at - SECOND, at - timedelta(days=30)))


def _message(draw: Draw, subject: Subject) -> Message:
    sender, addressee = draw.one_of(PROFESSIONALS), draw.one_of(PROFESSIONALS)
    if isinstance(subject, Professional) and draw.chance(0.5):
        sender = subject.rpps
    return Message(MESSAGE, sender, addressee)
