"""The oracle's refusals, held against sentences of RULES §4.1: the answers are read off the text by hand."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from models.decisions import Decision
from models.facts import Case, Context, Particulars, Professional, Question, Reference, Representation, Staff, Subject
from models.vocabulary import DocumentStatus, DossierState, Obligation, RelationKind, RepresentationKind
from tests.policy import oracle
from tests.policy.scene import (
    AT,
    BLOCKED,
    CAREGIVER,
    CENTRE_15,
    CHU,
    CLINIC,
    DOSSIER,
    EMERGENCY,
    FUND,
    GRANTED,
    HIDDEN,
    HOLDER,
    INSURER,
    MASKED,
    MATRIX,
    MOTHER,
    NURSE,
    OF_THE_TEAM,
    PATIENT,
    PHARMACIST,
    PHYSICIAN,
    REIMBURSEMENT,
    REPORT,
    SECOND,
    TREATING,
    WITHHELD,
    YVES,
    ZOE,
    allowed,
    ask,
    by,
    refused,
)


def test_an_unknown_action_and_an_unknown_mode_stand_alone_together() -> None:
    """`unknown-action` and `unknown-mode` (both if both), and nothing else is then considered."""
    silent = Context(mode="silent")
    assert ask(None, "dossier:burn", context=silent) == refused("unknown-action", "unknown-mode")
    assert ask(INSURER, "document:read") == refused("unknown-action")
    assert ask(INSURER, "document:list", context=silent) == refused("unknown-mode")


def test_a_missing_document_stands_alone_before_an_unknown_subject() -> None:
    """Then `no-document`; then `unknown-subject`."""
    question = Question(Reference("staff", "x"), "document:read", Reference("document", "x"), AT)
    assert oracle.judge(Case(question), MATRIX) == refused("no-document")
    asked = replace(question, action="message:read", resource=Reference("message", "x"))
    assert oracle.judge(Case(asked), MATRIX) == refused("no-message")
    assert ask(None, "document:read", replace(MASKED, status=DocumentStatus.DELETED)) == refused("unknown-subject")


def test_a_person_without_tie_to_the_dossier_is_unknown() -> None:
    """For a person it is the dossier that knows."""
    assert ask(ZOE, "dossier:exists") == refused("unknown-subject")


def test_the_holder_is_known_before_the_dossier_is_opened() -> None:
    """The person whose pseudonym is the dossier's id, whether or not the dossier was opened."""
    assert ask(HOLDER, "dossier:open", dossier=None) == allowed("holder")
    assert ask(HOLDER, "journal:read", dossier=None) == refused("no-dossier", though=("holder",))


def test_an_expired_representation_does_not_exist() -> None:
    """Representation ends at `until`: at that instant the person is unknown already."""
    for until, expected in ((AT + SECOND, allowed("caregiver")), (AT, refused("unknown-subject"))):
        tie = Representation(YVES.id, RepresentationKind.CAREGIVER, until)
        assert ask(YVES, "document:list", representations=(tie,)) == expected


def test_a_legal_representation_ends_on_the_eighteenth_birthday() -> None:
    """It counts only while the holder is under 18 on the day, or protected."""
    evening_before = datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC)  # 23:59:59 in Paris
    of_age = replace(DOSSIER, born=date(2008, 11, 23))
    tie = MOTHER["representations"]
    assert ask(ZOE, "document:list", representations=tie, dossier=of_age, at=evening_before) == allowed(
        "legal-representative"
    )
    birthday = evening_before + SECOND
    assert ask(ZOE, "document:list", representations=tie, dossier=of_age, at=birthday) == refused("unknown-subject")
    protected = replace(of_age, protected=True)
    assert ask(ZOE, "document:list", representations=tie, dossier=protected) == allowed("legal-representative")


@pytest.mark.parametrize("subject", [INSURER, Staff("sec-2", INSURER)])
def test_a_prohibited_party_is_given_nothing(subject: Subject) -> None:
    """Not even `dossier:exists`: no rule of §4.2 is given to a prohibited party or its staff."""
    assert ask(subject, "dossier:exists") == refused("prohibited-party")
    mine = replace(REPORT, author=Reference("organization", INSURER.id))
    assert ask(subject, "document:replace", mine) == refused("prohibited-party")


def test_a_professional_blocked_everywhere_is_blocked() -> None:
    """Himself, or because every organization he exercises in (at least one) is blocked."""
    everywhere = (by(CHU, RelationKind.BLOCKED), by(CLINIC, RelationKind.BLOCKED), by(NURSE, RelationKind.GRANTED))
    nurse = replace(NURSE, organizations=frozenset({CHU.id, CLINIC.id}))
    assert ask(nurse, "document:list", relations=everywhere) == refused("blocked", though=("granted",))
    assert ask(nurse, "document:list", relations=everywhere[1:]) == allowed("granted")
    assert ask(NURSE, "document:list", relations=everywhere) == allowed("granted")


def test_what_a_blocked_professional_keeps() -> None:
    """`dossier:exists`, `document:deposit` and, on his own documents, replacing, archiving, restoring, deleting."""
    own = replace(REPORT, author=Reference("professional", PHYSICIAN.rpps))
    deposit = Particulars(document_type="11488-4")
    assert ask(PHYSICIAN, "dossier:exists", **BLOCKED) == allowed("exists", owing=())
    assert ask(PHYSICIAN, "document:deposit", particulars=deposit, **BLOCKED) == allowed("depositor")
    assert ask(PHYSICIAN, "document:replace", own, **BLOCKED) == allowed("author")
    assert ask(PHYSICIAN, "document:mask", own, **BLOCKED) == refused(
        "blocked", though=("treating-physician", "author")
    )
    assert ask(PHYSICIAN, "document:read", own, context=EMERGENCY, **BLOCKED) == refused(
        "blocked", though=("break-glass",)
    )


def test_a_professional_does_not_consult_himself() -> None:
    """Everything but `dossier:exists` is refused to a professional whose own pseudonym is the dossier."""
    himself = replace(PHYSICIAN, person=PATIENT)
    assert ask(himself, "document:list", **TREATING) == refused("self-consultation", though=("treating-physician",))
    assert ask(himself, "dossier:exists") == allowed("exists", owing=())


@pytest.mark.parametrize("authentication", [None, "", "password", "CPS"])
def test_weak_authentication_does_not_read(authentication: str | None) -> None:
    """Anything but `cps`, `e_cps`, `pro_sante_connect` is weak, for professionals only, and for reading actions."""
    weak = Context(authentication=authentication)
    assert ask(PHYSICIAN, "access:block", context=weak, **TREATING) == refused(
        "weak-authentication", though=("treating-physician",)
    )
    assert ask(PHYSICIAN, "dossier:exists", context=weak) == allowed("exists", owing=())
    assert ask(HOLDER, "document:list", context=weak) == allowed("holder")


def test_a_closed_dossier_leaves_the_patient_four_actions() -> None:
    """The holder or legal representative: `dossier:reopen`, `dossier:erase`, `dossier:export`, `journal:read`."""
    closed = replace(MOTHER["dossier"], state=DossierState.CLOSED)
    ties = MOTHER["representations"]
    for action in ("dossier:reopen", "dossier:erase", "dossier:export", "journal:read"):
        assert ask(HOLDER, action, dossier=closed) == allowed("holder")
        assert ask(ZOE, action, dossier=closed, representations=ties) == allowed("legal-representative")
    assert ask(HOLDER, "document:list", dossier=closed) == refused("dossier-closed", though=("holder",))
    assert ask(FUND, "dossier:reopen", dossier=closed) == refused("dossier-closed", though=("fund",))
    assert ask(PHYSICIAN, "journal:read", dossier=closed, **TREATING) == refused(
        "dossier-closed", though=("treating-physician", "own-trace")
    )


def test_a_suspended_dossier_is_reopened_by_the_fund() -> None:
    """Not by the holder, to whom the other three actions stay."""
    suspended = replace(DOSSIER, state=DossierState.SUSPENDED)
    assert ask(FUND, "dossier:reopen", dossier=suspended) == allowed("fund")
    assert ask(HOLDER, "dossier:reopen", dossier=suspended) == refused("dossier-closed", though=("holder",))
    assert ask(HOLDER, "dossier:erase", dossier=suspended) == allowed("holder")


def test_a_mask_hides_from_professionals_but_the_author_and_the_treating_physician() -> None:
    """Masked documents: to professionals `document:read`, `:mask`, `:reveal` are refused."""
    assert ask(NURSE, "document:read", MASKED, **OF_THE_TEAM) == refused("masked", though=("care-team",))
    assert ask(PHYSICIAN, "document:read", MASKED, **TREATING) == allowed("treating-physician")
    own = replace(MASKED, author=Reference("professional", NURSE.rpps))
    assert ask(NURSE, "document:read", own, **OF_THE_TEAM) == allowed("care-team")
    assert ask(HOLDER, "document:read", MASKED) == allowed("holder")


@pytest.mark.parametrize(
    "subject, document_type, expected",
    [
        (PHARMACIST, "11488-4", allowed("granted")),  # by its category
        (PHARMACIST, "EXPPAT_3", refused("not-habilitated", though=("granted",))),  # by its type, against its category
        (Professional("10000000004", "laboratory_technician"), "11502-2", allowed("granted")),  # by its type alone
        (
            Professional("10000000004", "laboratory_technician"),
            "11488-4",
            refused("not-habilitated", though=("granted",)),
        ),
        (
            Professional("10000000005", "social_coordinator"),
            "11488-4",
            refused("not-habilitated", though=("granted",)),  # a suspended row does not count
        ),
    ],
)
def test_the_matrix_decides_by_type_then_by_category(
    subject: Professional, document_type: str, expected: Decision
) -> None:
    """The row of the exact document type decides, else the row of its category, else no; `suspended` does not count."""
    document = replace(REPORT, document_type=document_type)
    assert ask(subject, "document:read", document, relations=(by(subject, RelationKind.GRANTED),)) == expected


def test_withheld_from_the_patient() -> None:
    """To persons while `withheld_until` is in the future; the professional who reads it is alerted."""
    assert ask(HOLDER, "document:read", WITHHELD) == refused("withheld-from-patient", though=("holder",))
    assert ask(HOLDER, "document:read", replace(WITHHELD, withheld_until=AT)) == allowed("holder")
    assert ask(HOLDER, "document:mask", WITHHELD) == refused(
        "withheld-from-patient", "withheld-and-masked", though=("holder",)
    )
    assert ask(PHYSICIAN, "document:read", WITHHELD, **TREATING) == allowed(
        "treating-physician", owing=(Obligation.ALERT_WITHHELD, Obligation.WRITE_DOWN)
    )
    assert ask(PHYSICIAN, "document:reveal", WITHHELD, **TREATING) == allowed("treating-physician")
    assert ask(PHYSICIAN, "document:mask", WITHHELD, **TREATING) == refused(
        "withheld-and-masked", though=("treating-physician",)
    )


def test_hidden_from_representatives() -> None:
    """Every document action to a legal representative or caregiver; the professional who reads it is alerted."""
    for action in ("document:read", "document:unmask", "document:contest"):
        assert ask(ZOE, action, HIDDEN, **MOTHER) == refused(
            "hidden-from-representatives", though=("legal-representative",)
        )
    assert ask(YVES, "document:read", HIDDEN, **CAREGIVER) == refused(
        "hidden-from-representatives", though=("caregiver",)
    )
    assert ask(HOLDER, "document:read", HIDDEN) == allowed("holder")
    assert ask(NURSE, "document:read", HIDDEN, **GRANTED) == allowed(
        "granted", owing=(Obligation.ALERT_HIDDEN_FROM_REPRESENTATIVES, Obligation.WRITE_DOWN)
    )


def test_a_deposit_is_not_withheld_and_masked() -> None:
    """`document:deposit` with both flags."""
    both = Particulars(document_type="11488-4", masked=True, withheld=True)
    assert ask(CHU, "document:deposit", particulars=both) == refused("withheld-and-masked", though=("depositor",))
    assert ask(CHU, "document:deposit", particulars=replace(both, masked=False)) == allowed("depositor")


def test_emergency_modes_are_for_professionals_who_list_and_read() -> None:
    """Asked for anything else, or by anybody else, the answer is no; ordinary permissions are for normal mode."""
    assert ask(HOLDER, "document:list", context=CENTRE_15) == refused("emergency-scope", though=("holder",))
    assert ask(NURSE, "document:deposit", context=EMERGENCY) == refused("emergency-scope")
    treating_in_an_emergency = ask(PHYSICIAN, "document:list", context=EMERGENCY, **TREATING)
    assert treating_in_an_emergency.allowed_by == ("break-glass",)


def test_masked_documents_in_an_emergency() -> None:
    """Masks are lifted in an emergency only if the holder permits, and never when both modes are refused."""
    permits = replace(DOSSIER, masked_in_emergency=True)
    assert ask(NURSE, "document:read", MASKED, context=EMERGENCY) == refused("masked", though=("break-glass",))
    assert ask(NURSE, "document:read", MASKED, context=EMERGENCY, dossier=permits).allowed
    refuses_both = replace(permits, refuses_break_glass=True, refuses_centre_15=True)
    assert ask(NURSE, "document:read", MASKED, context=EMERGENCY, dossier=refuses_both) == refused(
        "masked", "break-glass-refused", though=("break-glass",)
    )


@pytest.mark.parametrize(
    "created, at, readable",
    [
        ("2024-11-23T14:30:01+00:00", "2026-11-23T14:30:00+00:00", True),
        ("2024-11-23T14:30:00+00:00", "2026-11-23T14:30:00+00:00", False),
        ("2024-03-30T12:00:00+00:00", "2026-03-30T10:59:59+00:00", True),  # 13:00 in Paris, in winter then
        ("2024-03-30T12:00:00+00:00", "2026-03-30T11:00:00+00:00", False),  # 13:00 in Paris, in summer now
        ("2024-02-29T12:00:00+00:00", "2026-02-28T12:00:00+00:00", False),
    ],
)
def test_reimbursements_leave_the_view_after_24_months(created: str, at: str, readable: bool) -> None:
    """`document:read` of what was created 24 calendar months ago or more is refused to everyone."""
    document = replace(REIMBURSEMENT, created_at=datetime.fromisoformat(created))
    expected = allowed("holder") if readable else refused("reimbursement-expired", though=("holder",))
    assert ask(HOLDER, "document:read", document, at=datetime.fromisoformat(at)) == expected
    assert ask(HOLDER, "document:mask", document) == allowed("holder")


def test_superseded_archived_and_deleted_documents() -> None:
    """Read, mask and unmask stay; an archived document can be restored, no other can; a deleted one nothing."""
    own = replace(REPORT, author=Reference("professional", PHYSICIAN.rpps))
    superseded = replace(own, status=DocumentStatus.SUPERSEDED)
    archived = replace(own, status=DocumentStatus.ARCHIVED)
    deleted = replace(own, status=DocumentStatus.DELETED)
    assert ask(HOLDER, "document:read", superseded) == allowed("holder")
    assert ask(PHYSICIAN, "document:replace", superseded) == refused("superseded", though=("author",))
    assert ask(PHYSICIAN, "document:restore", superseded) == refused("superseded", "archived", though=("author",))
    assert ask(PHYSICIAN, "document:replace", archived) == refused("archived", though=("author",))
    assert ask(PHYSICIAN, "document:restore", archived) == allowed("author")
    assert ask(PHYSICIAN, "document:restore", own) == refused("archived", though=("author",))
    assert ask(HOLDER, "document:read", deleted) == refused("document-deleted", though=("holder",))
