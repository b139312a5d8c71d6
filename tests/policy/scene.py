"""A patient, those around him and his documents, of whom the sentences of the rules are asked."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from models.decisions import Decision
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
from models.vocabulary import (
    DossierState,
    Obligation,
    OrganizationKind,
    RelationKind,
    RepresentationKind,
)
from tests.policy import oracle
from tests.policy.oracle_facts import read_matrix

AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)

PATIENT = UUID(int=1)
ZOE, YVES = Person(UUID(int=2)), Person(UUID(int=3))
HOLDER = Person(PATIENT)
DOSSIER = Dossier(PATIENT, DossierState.OPEN, born=date(1985, 5, 12), care_team_consent=True)

CHU = Organization("750000002", OrganizationKind.HEALTH_FACILITY)
CLINIC = Organization("440000008", OrganizationKind.HEALTH_FACILITY)
FUND = Organization("732829320", OrganizationKind.INSURANCE_FUND)
INSURER = Organization("130000003", OrganizationKind.COMPLEMENTARY_INSURER)
PHYSICIAN = Professional("10001234565", "physician")
REGULATOR = replace(PHYSICIAN, samu_regulator=True)
NURSE = Professional("10000000001", "nurse")
PHARMACIST = Professional("10000000002", "pharmacist")
SOCIAL_WORKER = Professional("10000000003", "social_worker")
SECRETARY = Staff("sec-1", CHU)

REPORT = Document(UUID(int=101), "11488-4", Reference("organization", CHU.id), AT - timedelta(days=30))
MASKED = replace(REPORT, masked=True)
WITHHELD = replace(REPORT, withheld_until=AT + SECOND)
HIDDEN = replace(REPORT, hidden_from_representatives=True)
REIMBURSEMENT = replace(REPORT, document_type="REMB", author=Reference("organization", FUND.id))

EMERGENCY = Context(mode="break_glass", reason="douleur thoracique", authentication="cps")
CENTRE_15 = Context(mode="centre_15", authentication="cps")

WRITE_DOWN = (Obligation.WRITE_DOWN,)
MATRIX = read_matrix()


def by(subject: Subject, kind: RelationKind, **limits: datetime) -> Relation:
    """A tie of the subject to the dossier."""
    if isinstance(subject, Professional):
        return Relation(Reference("professional", subject.rpps), kind, **limits)
    assert isinstance(subject, Organization)
    return Relation(Reference("organization", subject.id), kind, **limits)


def ask(subject: Subject | None, action: str, on: Document | Message | None = None, **facts: Any) -> Decision:
    """What the oracle says of one question at AT, strongly authenticated and in normal mode unless told otherwise."""
    context = facts.pop("context", Context(authentication="cps", patient_present=facts.pop("present", False)))
    particulars = facts.pop("particulars", Particulars())
    at = facts.pop("at", AT)
    resource = Reference("dossier", str(PATIENT))
    if isinstance(on, Document):
        resource = Reference("document", str(on.id))
        facts["document"] = on
    if isinstance(on, Message):
        resource = Reference("message", str(on.id))
        facts["message"] = on
    question = Question(Reference("?", "?"), action, resource, at, context, particulars)
    facts.setdefault("dossier", DOSSIER)
    facts.setdefault("has_read", True)
    return oracle.judge(Case(question, subject, **facts), MATRIX)


def allowed(*rules: str, owing: tuple[Obligation, ...] = WRITE_DOWN) -> Decision:
    """Allowed by these rules, the first of which decides."""
    return Decision(allowed=True, rule=rules[0], allowed_by=rules, obligations=owing)


def refused(*rules: str, though: tuple[str, ...] = ()) -> Decision:
    """Refused by these rules, the first of which decides, though others would have allowed."""
    return Decision(allowed=False, rule=rules[0], refused_by=rules, allowed_by=though)


NOT_PERMITTED = Decision(allowed=False, rule="not-permitted")
OF_THE_TEAM: dict[str, Any] = {"relations": (by(NURSE, RelationKind.CARE_TEAM),)}
TREATING: dict[str, Any] = {"relations": (by(PHYSICIAN, RelationKind.TREATING_PHYSICIAN),)}
GRANTED: dict[str, Any] = {"relations": (by(NURSE, RelationKind.GRANTED),)}
BLOCKED: dict[str, Any] = {
    "relations": (by(PHYSICIAN, RelationKind.TREATING_PHYSICIAN), by(PHYSICIAN, RelationKind.BLOCKED))
}
MOTHER: dict[str, Any] = {
    "representations": (Representation(ZOE.id, RepresentationKind.LEGAL_REPRESENTATIVE),),
    "dossier": replace(DOSSIER, born=date(2015, 1, 1)),
}
CAREGIVER: dict[str, Any] = {"representations": (Representation(YVES.id, RepresentationKind.CAREGIVER),)}
