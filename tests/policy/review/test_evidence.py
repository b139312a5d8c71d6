"""What is stored and stated behind a situation, without names."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
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
from models.vocabulary import DocumentStatus, DossierState, OrganizationKind, RelationKind, RepresentationKind
from policy.review.evidence import evidence_of

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEFORE, AFTER = AT - timedelta(days=1), AT + timedelta(days=1)
HOLDER, OTHER, DOCUMENT_ID = UUID(int=0xA11CE), UUID(int=0xBA51), UUID(int=0xD0C)
JULIE, KARIM = "10001234565", "10001234573"
CHU = Organization("750000002", OrganizationKind.HEALTH_FACILITY)
BY_JULIE = Reference("professional", JULIE)

DOSSIER = Dossier(HOLDER, DossierState.OPEN, born=date(1985, 5, 12), protected=True, care_team_consent=True)
DOCUMENT = Document(DOCUMENT_ID, "11488-4", BY_JULIE, BEFORE)
ON_DOCUMENT, ON_DOSSIER = Reference("document", str(DOCUMENT_ID)), Reference("dossier", str(HOLDER))


def question(
    action: str = "document:read",
    resource: Reference = ON_DOCUMENT,
    subject: Reference = BY_JULIE,
    context: Context = Context(),
    particulars: Particulars = Particulars(),
) -> Question:
    return Question(subject, action, resource, AT, context, particulars)


def told(case: Case, what: str) -> list[str]:
    return [words for about, words in evidence_of(case) if about == what]


def test_a_case_is_told_in_the_order_of_a_decision() -> None:
    """What is asked and by whom, what ties them to the dossier, the dossier and the document."""
    physician = Professional(JULIE, "physician", samu_regulator=True, organizations=frozenset({CHU.id}), person=OTHER)
    case = Case(
        question(context=Context("break_glass", "found unconscious", "cps", patient_present=True)),
        physician,
        DOSSIER,
        (
            Relation(BY_JULIE, RelationKind.TREATING_PHYSICIAN),
            Relation(BY_JULIE, RelationKind.CARE_TEAM, until=AT),
            Relation(BY_JULIE, RelationKind.GRANTED, since=AFTER),
            Relation(Reference("organization", CHU.id), RelationKind.BLOCKED, since=AT, until=AFTER),
        ),
        document=replace(
            DOCUMENT,
            masked=True,
            withheld_until=AFTER,
            hidden_from_representatives=True,
            status=DocumentStatus.ARCHIVED,
        ),
        has_read=True,
    )
    expected = (
        (
            "asked",
            (
                "document:read, resource document, at 2026-11-23T10:00:00+00:00, mode break_glass, a reason of 17 "
                "characters, strong authentication cps, patient present"
            ),
        ),
        ("subject", "professional, physician, SAMU regulator, exercises in 750000002, has read in the dossier"),
        ("relation", "treating_physician of the subject, in force"),
        ("relation", "care_team of the subject, ended 2026-11-23T10:00:00+00:00"),
        ("relation", "granted of the subject, not before 2026-11-24T10:00:00+00:00"),
        ("relation", "blocked of organization 750000002, in force until 2026-11-24T10:00:00+00:00"),
        ("dossier", "open, protected, care_team_consent"),
        (
            "document",
            (
                "11488-4, archived, of 2026-11-22T10:00:00+00:00, by the subject, masked, withheld until "
                "2026-11-24T10:00:00+00:00, hidden from representatives"
            ),
        ),
    )
    assert evidence_of(case) == expected


@pytest.mark.parametrize(
    "subject, expected",
    [
        (
            Professional(JULIE, "nurse"),
            "professional, nurse, exercises in no organization, has read nothing of the dossier",
        ),
        (CHU, "organization 750000002, health_facility"),
        (Staff("sec-1", CHU), "staff of organization 750000002, health_facility"),
        (Person(HOLDER), "person"),
        (None, "not in the directory"),
    ],
)
def test_a_subject_is_told_by_its_kind(subject: Subject | None, expected: str) -> None:
    """What the directory says of it, and not who it is."""
    assert told(Case(question(), subject, DOSSIER), "subject") == [expected]


@pytest.mark.parametrize(
    "author, expected",
    [
        (Reference("professional", KARIM), "by a professional"),
        (Reference("person", str(HOLDER)), "by a person"),
        (Reference("organization", CHU.id), "by organization 750000002"),
        (BY_JULIE, "by the subject"),
    ],
)
def test_authors_are_told_without_their_names(author: Reference, expected: str) -> None:
    """Structures by their number, people by what they are."""
    words = told(Case(question(), document=replace(DOCUMENT, author=author)), "document")
    assert words == [f"11488-4, current, of 2026-11-22T10:00:00+00:00, {expected}"]


def test_the_deposit_is_told_by_its_type_and_flags() -> None:
    """Of a document to be deposited there is only what is asked; the beneficiary of a right is another or oneself."""
    deposit = question("document:deposit", ON_DOSSIER, particulars=Particulars("11488-4", masked=True, withheld=True))
    assert told(Case(deposit), "asked") == [
        (
            "document:deposit, resource dossier, at 2026-11-23T10:00:00+00:00, mode normal, no reason, no strong "
            "authentication, document type 11488-4, masked, withheld"
        )
    ]
    for rpps, expected in ((JULIE, "for the subject"), (KARIM, "for another professional")):
        grant = question("access:grant", ON_DOSSIER, particulars=Particulars(professional=rpps))
        assert told(Case(grant), "asked")[0].endswith(expected)


@pytest.mark.parametrize(
    "state, expected", [(None, "none"), (DossierState.NONE, "not opened"), (DossierState.CLOSED, "closed")]
)
def test_a_dossier_is_told_by_its_state(state: DossierState | None, expected: str) -> None:
    """One that is not there, one that nobody opened, and one in its life are three things."""
    dossier = None if state is None else Dossier(HOLDER, state)
    assert told(Case(question(), dossier=dossier), "dossier") == [expected]


def test_what_does_not_exist_is_told_as_missing() -> None:
    """A document or message that is asked about and not there."""
    assert told(Case(question()), "document") == ["none"]
    on_message = question("message:read", Reference("message", str(DOCUMENT_ID)))
    assert told(Case(on_message), "message") == ["none"]


def test_a_message_is_told_by_whose_it_is() -> None:
    """The subject's own correspondence, or that of others."""
    on_message = question("message:read", Reference("message", str(DOCUMENT_ID)))
    mine = Message(DOCUMENT_ID, KARIM, JULIE)
    assert told(Case(on_message, message=mine), "message") == ["the subject's correspondence"]
    assert told(Case(on_message, message=replace(mine, addressee=KARIM)), "message") == ["between others"]


def test_nobody_is_named() -> None:
    """Neither people, nor when they were born, nor whatever a caller wrote in the place of a known word."""
    case = Case(
        question(
            "185057800608491",
            Reference("Alice Martin", "185057800608491"),
            Reference("person", str(OTHER)),
            Context("Alice", "because Alice fell", "Martin"),
            Particulars("Martin", professional=KARIM),
        ),
        Person(OTHER),
        DOSSIER,
        (Relation(BY_JULIE, RelationKind.GRANTED),),
        (Representation(OTHER, RepresentationKind.CAREGIVER),),
        replace(DOCUMENT, author=Reference("person", str(HOLDER))),
        Message(DOCUMENT_ID, KARIM, JULIE),
    )
    text = " ".join(f"{what} {words}" for what, words in evidence_of(case))
    hidden = ("185057800608491", "Alice", "Martin", str(OTHER), str(HOLDER), str(DOCUMENT_ID), KARIM, JULIE, "1985")
    assert [word for word in hidden if word in text] == []
    assert "an unknown action, resource an unknown type of resource" in text
