"""The oracle's permissions, held against sentences of RULES §4.2 and §4.3: the answers are read off by hand."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from models.decisions import Decision
from models.facts import Context, Message, Organization, Particulars, Reference, Staff, Subject
from models.vocabulary import DossierState, Obligation, OrganizationKind, RelationKind
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
    HOLDER,
    MASKED,
    MOTHER,
    NOT_PERMITTED,
    NURSE,
    OF_THE_TEAM,
    PATIENT,
    PHARMACIST,
    PHYSICIAN,
    REGULATOR,
    REIMBURSEMENT,
    REPORT,
    SECOND,
    SECRETARY,
    SOCIAL_WORKER,
    TREATING,
    YVES,
    ZOE,
    allowed,
    ask,
    by,
    refused,
)


def test_what_no_rule_gives_is_refused() -> None:
    """A stranger reads nothing; the deciding rule is then called `not-permitted`, and no rule is named."""
    assert ask(NURSE, "document:read", REPORT) == NOT_PERMITTED


def test_a_relation_counts_from_since_to_until() -> None:
    """`since` is included, `until` excluded."""
    for limits, counts in (
        ({"since": AT}, True),
        ({"since": AT + SECOND}, False),
        ({"until": AT + SECOND}, True),
        ({"until": AT}, False),
    ):
        relations = (by(NURSE, RelationKind.GRANTED, **limits),)
        assert ask(NURSE, "document:list", relations=relations).allowed is counts


def test_the_treating_physician_is_a_physician() -> None:
    """The relation counts only for a professional whose profession is physician."""
    relations = (by(NURSE, RelationKind.TREATING_PHYSICIAN),)
    assert ask(NURSE, "document:list", relations=relations) == NOT_PERMITTED
    assert ask(PHYSICIAN, "document:list", **TREATING) == allowed("treating-physician")


def test_the_care_team_needs_the_consent_of_the_holder() -> None:
    """In the care team, in normal mode, if `care_team_consent`."""
    assert ask(NURSE, "document:read", REPORT, **OF_THE_TEAM) == allowed("care-team")
    silent = replace(DOSSIER, care_team_consent=False)
    assert ask(NURSE, "document:read", REPORT, dossier=silent, **OF_THE_TEAM) == NOT_PERMITTED


def test_a_relation_of_an_organization_serves_those_who_exercise_there() -> None:
    """`care_team` and `granted` of an organization, unless it is itself blocked on that dossier."""
    nurse = replace(NURSE, organizations=frozenset({CHU.id, CLINIC.id}))
    of_the_chu = by(CHU, RelationKind.CARE_TEAM)
    assert ask(nurse, "document:list", relations=(of_the_chu,)) == allowed("care-team")
    assert ask(nurse, "document:list", relations=(of_the_chu, by(CHU, RelationKind.BLOCKED))) == NOT_PERMITTED
    assert ask(nurse, "document:list", relations=(of_the_chu, by(CLINIC, RelationKind.BLOCKED))) == allowed("care-team")
    assert ask(CHU, "document:list", relations=(of_the_chu,)) == NOT_PERMITTED


def test_who_opens_a_dossier() -> None:
    """Health professionals with the patient present, health facilities, pharmacies, the fund; the holder."""
    none = replace(DOSSIER, state=DossierState.NONE)
    assert ask(NURSE, "dossier:open", dossier=none, present=True) == allowed("open")
    assert ask(NURSE, "dossier:open", dossier=none) == NOT_PERMITTED
    assert ask(SOCIAL_WORKER, "dossier:open", dossier=none, present=True) == NOT_PERMITTED
    assert ask(CHU, "dossier:open", dossier=None) == allowed("open")
    assert ask(FUND, "dossier:open", dossier=None) == allowed("open", "fund")
    assert ask(SECRETARY, "dossier:open", dossier=None) == NOT_PERMITTED
    laboratory = Organization("690000007", OrganizationKind.LABORATORY)
    assert ask(laboratory, "dossier:open", dossier=None) == NOT_PERMITTED
    assert ask(CHU, "dossier:open") == refused("already-open", though=("open",))
    protected = replace(none, protected=True)
    assert ask(ZOE, "dossier:open", dossier=protected, representations=MOTHER["representations"]) == NOT_PERMITTED


def test_an_author_reads_only_if_something_else_lets_him_read() -> None:
    """Being the author lifts masking and the matrix, it does not replace access."""
    own = replace(MASKED, author=Reference("professional", NURSE.rpps))
    assert ask(NURSE, "document:read", own) == NOT_PERMITTED
    psychiatric = replace(own, document_type="68599-0")  # closed to nurses by the matrix
    assert ask(NURSE, "document:read", psychiatric, **GRANTED) == allowed("granted")


def test_own_is_the_very_author_and_no_one_else() -> None:
    """Neither the staff nor the professionals of the organization that is the author, nor a namesake."""
    nurse = replace(NURSE, organizations=frozenset({CHU.id}))
    assert ask(CHU, "document:replace", REPORT) == allowed("author")
    assert ask(nurse, "document:replace", REPORT) == NOT_PERMITTED
    assert ask(SECRETARY, "document:replace", REPORT) == NOT_PERMITTED
    assert ask(Staff(CHU.id, CHU), "document:replace", REPORT) == NOT_PERMITTED
    assert ask(CHU, "document:mask", REPORT) == NOT_PERMITTED
    own = replace(REPORT, author=Reference("professional", NURSE.rpps))
    assert ask(NURSE, "document:mask", own) == allowed("author")


def test_what_a_caregiver_may() -> None:
    """To see, mask, deposit as the holder and read the journal; not to unmask, contest or close."""
    assert ask(YVES, "document:mask", REPORT, **CAREGIVER) == allowed("caregiver")
    assert ask(YVES, "document:unmask", MASKED, **CAREGIVER) == NOT_PERMITTED
    assert ask(YVES, "document:contest", REPORT, **CAREGIVER) == NOT_PERMITTED
    assert ask(YVES, "dossier:close", **CAREGIVER) == NOT_PERMITTED
    will = Particulars(document_type="EXPPAT_3")
    assert ask(YVES, "document:deposit", particulars=will, **CAREGIVER) == allowed("caregiver")


def test_persons_and_their_own_documents() -> None:
    """Documents of others are contested, own ones replaced; *own* documents of a representative are his own."""
    of_the_child = replace(REPORT, document_type="DOCPAT01", author=Reference("person", str(PATIENT)))
    assert ask(HOLDER, "document:replace", of_the_child) == allowed("holder")
    assert ask(HOLDER, "document:contest", of_the_child) == NOT_PERMITTED
    assert ask(HOLDER, "document:contest", REPORT) == allowed("holder")
    assert ask(ZOE, "document:replace", of_the_child, **MOTHER) == NOT_PERMITTED
    hers = replace(of_the_child, author=Reference("person", str(ZOE.id)))
    assert ask(ZOE, "document:replace", hers, **MOTHER) == allowed("legal-representative")


@pytest.mark.parametrize(
    "subject, document_type, expected",
    [
        (HOLDER, "DOCPAT03", allowed("holder")),
        (HOLDER, "EXPPAT_1", allowed("holder")),
        (HOLDER, "11488-4", NOT_PERMITTED),
        (HOLDER, "00000-0", NOT_PERMITTED),
        (HOLDER, None, NOT_PERMITTED),
        (NURSE, "11488-4", allowed("depositor")),
        (NURSE, "EXPPAT_3", allowed("depositor")),
        (NURSE, "EXPPAT_2", NOT_PERMITTED),
        (NURSE, "REMB", NOT_PERMITTED),
        (NURSE, "00000-0", NOT_PERMITTED),
        (NURSE, None, NOT_PERMITTED),
        (SOCIAL_WORKER, "11488-4", NOT_PERMITTED),
        (CHU, "11488-4", allowed("depositor")),
        (SECRETARY, "11488-4", allowed("depositor")),
        (Staff("sec-3", FUND), "REMB", NOT_PERMITTED),
        (FUND, "REMB", allowed("fund")),
        (FUND, "11488-4", NOT_PERMITTED),
    ],
)
def test_who_deposits_what(subject: Subject, document_type: str | None, expected: Decision) -> None:
    """A deposit of a category or type that no row opens to the depositor is refused like all that no rule gives."""
    assert ask(subject, "document:deposit", particulars=Particulars(document_type=document_type)) == expected


def test_break_glass_needs_a_reason_and_is_told_to_the_patient_and_his_physicians() -> None:
    """At least 10 characters once trimmed; any health professional, not social; unless the patient refuses it."""
    owing = (Obligation.NOTIFY_PATIENT, Obligation.NOTIFY_TREATING_PHYSICIANS, Obligation.WRITE_DOWN)
    assert ask(NURSE, "document:read", REPORT, context=EMERGENCY) == allowed("break-glass", owing=owing)
    for reason in ("", " 123456789 "):
        without = replace(EMERGENCY, reason=reason)
        assert ask(NURSE, "document:read", REPORT, context=without) == refused(
            "reason-required", though=("break-glass",)
        )
    ten = replace(EMERGENCY, reason=" 1234567890 ")
    assert ask(NURSE, "document:list", context=ten) == allowed("break-glass", owing=owing)
    assert ask(SOCIAL_WORKER, "document:list", context=EMERGENCY) == NOT_PERMITTED
    refusing = replace(DOSSIER, refuses_break_glass=True)
    assert ask(NURSE, "document:list", context=EMERGENCY, dossier=refusing) == refused(
        "break-glass-refused", though=("break-glass",)
    )


def test_centre_15_is_for_regulating_physicians() -> None:
    """A physician who is `samu_regulator`, without a reason to give, unless the patient refuses it."""
    owing = (Obligation.NOTIFY_PATIENT, Obligation.NOTIFY_TREATING_PHYSICIANS, Obligation.WRITE_DOWN)
    assert ask(REGULATOR, "document:read", REPORT, context=CENTRE_15) == allowed("centre-15", owing=owing)
    assert ask(PHYSICIAN, "document:read", REPORT, context=CENTRE_15) == NOT_PERMITTED
    assert ask(replace(NURSE, samu_regulator=True), "document:list", context=CENTRE_15) == NOT_PERMITTED
    refusing = replace(DOSSIER, refuses_centre_15=True)
    assert ask(REGULATOR, "document:list", context=CENTRE_15, dossier=refusing) == refused(
        "centre-15-refused", though=("centre-15",)
    )


def test_the_trace_is_ones_own_unless_one_treats() -> None:
    """`journal:read` given by `own-trace` carries `own_entries_only`; given by another rule before it, it does not."""
    own_only = (Obligation.OWN_ENTRIES_ONLY, Obligation.WRITE_DOWN)
    assert ask(NURSE, "journal:read") == allowed("own-trace", owing=own_only)
    assert ask(FUND, "journal:read") == allowed("own-trace", owing=own_only)
    assert ask(PHYSICIAN, "journal:read", **TREATING) == allowed("treating-physician", "own-trace")
    assert ask(SECRETARY, "journal:read") == NOT_PERMITTED
    assert ask(HOLDER, "journal:read") == allowed("holder")


def test_consents_are_recorded_by_the_professional_for_himself() -> None:
    """With the patient present: a grant for himself, the treating physician if a physician, the care team's consent."""
    himself = Particulars(professional=NURSE.rpps)
    other = Particulars(professional=PHYSICIAN.rpps)
    assert ask(NURSE, "access:grant", particulars=himself, present=True) == allowed("record-consent")
    assert ask(NURSE, "access:grant", particulars=himself) == NOT_PERMITTED
    assert ask(NURSE, "access:grant", particulars=other, present=True) == NOT_PERMITTED
    assert ask(NURSE, "treating_physician:declare", particulars=himself, present=True) == NOT_PERMITTED
    assert ask(PHYSICIAN, "treating_physician:declare", particulars=other, present=True) == allowed("record-consent")
    assert ask(NURSE, "care_team:consent", present=True) == allowed("record-consent")
    assert ask(SOCIAL_WORKER, "care_team:consent", present=True) == NOT_PERMITTED


def test_messages_are_read_by_their_correspondents() -> None:
    """The sender or the addressee, and nobody else; the patient sees who wrote to whom, not the content."""
    message = Message(UUID(int=102), NURSE.rpps, PHYSICIAN.rpps)
    assert ask(NURSE, "message:read", message) == allowed("correspondent")
    assert ask(PHYSICIAN, "message:read", message) == allowed("correspondent")
    assert ask(PHARMACIST, "message:read", message) == NOT_PERMITTED
    assert ask(Staff(NURSE.rpps, CHU), "message:read", message) == NOT_PERMITTED
    assert ask(HOLDER, "message:read", message) == NOT_PERMITTED
    assert ask(PHYSICIAN, "message:read", message, **BLOCKED) == refused("blocked", though=("correspondent",))
    assert ask(PHYSICIAN, "message:send", **TREATING) == allowed("treating-physician")


def test_the_patient_is_told_of_a_first_reading() -> None:
    """When a professional lists or reads a dossier of which he has read nothing before; persons are not told of."""
    first = (Obligation.NOTIFY_PATIENT, Obligation.WRITE_DOWN)
    assert ask(NURSE, "document:list", has_read=False, **GRANTED) == allowed("granted", owing=first)
    assert ask(NURSE, "document:read", REPORT, has_read=False, **GRANTED) == allowed("granted", owing=first)
    assert ask(NURSE, "document:reveal", REPORT, has_read=False, **GRANTED) == allowed("granted")
    assert ask(HOLDER, "document:list", has_read=False) == allowed("holder")


@pytest.mark.parametrize("subject", [SECRETARY, CHU, FUND])
@pytest.mark.parametrize("context", [Context(authentication="cps"), EMERGENCY, CENTRE_15])
def test_staff_and_organizations_never_read(subject: Subject, context: Context) -> None:
    """A staff member never reads. An organization never reads."""
    assert not ask(subject, "document:list", context=context).allowed
    assert not ask(subject, "document:read", REPORT, context=context).allowed
    assert not ask(subject, "document:read", REIMBURSEMENT, context=context).allowed
