"""Questions with their facts, as short as the tests need them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from models.facts import (
    Case,
    Context,
    Document,
    Dossier,
    Message,
    Organization,
    Particulars,
    Professional,
    Question,
    Reference,
    Relation,
    Representation,
    Staff,
    Subject,
    type_of_subject,
)
from models.vocabulary import ACTIONS_ON, Action, DossierState, OrganizationKind, RelationKind, ResourceType

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
HOLDER = UUID("00000000-0000-4000-8000-000000000001")
SOMEBODY = UUID("00000000-0000-4000-8000-000000000002")
DOCUMENT = UUID("00000000-0000-4000-8000-000000000003")
MESSAGE = UUID("00000000-0000-4000-8000-000000000004")

PHYSICIAN = Professional("10001234565", "physician")
NURSE = Professional("10001234573", "nurse")
HOSPITAL = Organization("750000002", OrganizationKind.HEALTH_FACILITY)
OTHER_HOSPITAL = Organization("750000010", OrganizationKind.HEALTH_FACILITY)
SECRETARY = Staff("sec-1", HOSPITAL)

DOSSIER = Dossier(HOLDER, DossierState.OPEN, born=date(1985, 5, 12))
REPORT = Document(DOCUMENT, "11488-4", Reference("professional", "10009999990"), NOW - timedelta(days=100))
LETTER = Message(MESSAGE, PHYSICIAN.rpps, NURSE.rpps)


def name(subject: Subject) -> Reference:
    """A subject as a caller names it."""
    known = subject.rpps if isinstance(subject, Professional) else subject.id
    return Reference(type_of_subject[type(subject)].value, str(known))


def ask(
    subject: Subject,
    action: Action,
    *,
    dossier: Dossier | None = DOSSIER,
    document: Document | None = REPORT,
    message: Message | None = LETTER,
    relations: tuple[Relation, ...] = (),
    representations: tuple[Representation, ...] = (),
    context: Context = Context(),
    particulars: Particulars = Particulars(),
    has_read: bool = False,
    at: datetime = NOW,
) -> Case:
    """The case of a question on the dossier, the document or the message, whichever the action is about."""
    kind = next(kind for kind, actions in ACTIONS_ON.items() if action in actions)
    ids = {ResourceType.DOSSIER: HOLDER, ResourceType.DOCUMENT: DOCUMENT, ResourceType.MESSAGE: MESSAGE}
    question = Question(name(subject), action.value, Reference(kind.value, str(ids[kind])), at, context, particulars)
    return Case(
        question,
        subject,
        dossier,
        relations,
        representations,
        document if kind is ResourceType.DOCUMENT else None,
        message if kind is ResourceType.MESSAGE else None,
        has_read,
    )


def asked_otherwise(case: Case, *, action: str | None = None, resource: Reference | None = None) -> Case:
    """The same case, asked in other words."""
    question = case.question
    return replace(
        case,
        question=replace(question, action=action or question.action, resource=resource or question.resource),
    )


def related(
    subject: Professional | Organization,
    kind: RelationKind,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Relation:
    """A tie of a professional or an organization to the dossier."""
    return Relation(name(subject), kind, since, until)
