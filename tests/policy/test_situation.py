"""From a case to its situation: each subtlety of RULES §1 to §3."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from models.facts import (
    Case,
    Context,
    Dossier,
    Organization,
    Particulars,
    Person,
    Professional,
    Reference,
    Representation,
    Staff,
    Subject,
)
from models.reference import PROFESSIONS
from models.vocabulary import (
    Action,
    DocumentStatus,
    DossierState,
    OrganizationKind,
    ProfessionKind,
    RelationKind,
    RepresentationKind,
)
from policy.errors import SituationError
from policy.habilitations import read_habilitations
from policy.loader import PACKAGED
from policy.situation import Situation, situation_of
from policy.words import Fact, Role
from tests.policy.asking import (
    A_MOMENT,
    DOSSIER,
    HOLDER,
    HOSPITAL,
    LETTER,
    NOW,
    NURSE,
    OTHER_HOSPITAL,
    PHYSICIAN,
    REPORT,
    SECRETARY,
    SOMEBODY,
    ask,
    asked_otherwise,
    related,
)

MATRIX = read_habilitations(PACKAGED / "habilitations.csv")
BREAK_GLASS = Context(mode="break_glass", reason="unconscious patient")
CENTRE_15 = Context(mode="centre_15")
CAREGIVER = Representation(SOMEBODY, RepresentationKind.CAREGIVER)
PARENT = Representation(SOMEBODY, RepresentationKind.LEGAL_REPRESENTATIVE)
PATIENT = Person(HOLDER)
RELATIVE = Person(SOMEBODY)


def seen(case: Case) -> Situation:
    return situation_of(case, MATRIX)


def facts(case: Case) -> frozenset[Fact]:
    return seen(case).facts


class TestQuestionsThatCannotBePut:
    """Each stands alone: no role, no action, no other fact (RULES §4)."""

    @pytest.mark.parametrize(
        "action, resource",
        [
            ("dossier:burn", Reference("dossier", str(HOLDER))),
            ("document:read", Reference("dossier", str(HOLDER))),
            ("document:list", Reference("document", str(HOLDER))),
            ("message:read", Reference("document", str(HOLDER))),
            ("document:read", Reference("folder", str(HOLDER))),
            ("", Reference("", "")),
        ],
    )
    def test_an_action_that_is_not_of_the_resource_is_unknown(self, action: str, resource: Reference) -> None:
        """An action that does not exist, or not on such a resource, is an unknown action."""
        case = asked_otherwise(ask(PHYSICIAN, Action.DOCUMENT_READ), action=action, resource=resource)
        assert seen(case).words() == ("unknown", "none", "unknown_action")

    @pytest.mark.parametrize("mode", ["", "Normal", "break-glass", "centre_18"])
    def test_a_mode_that_does_not_exist_is_unknown(self, mode: str) -> None:
        """A mode is one of three words, as they are spelt."""
        case = ask(PHYSICIAN, Action.DOCUMENT_READ, context=Context(mode=mode))
        assert seen(case).words() == ("unknown", "none", "unknown_mode")

    def test_both_are_told_together(self) -> None:
        """An unknown action in an unknown mode is both."""
        case = asked_otherwise(ask(PATIENT, Action.DOCUMENT_READ, context=Context(mode="?")), action="?")
        assert seen(case).words() == ("unknown", "none", "unknown_action", "unknown_mode")

    def test_they_come_before_a_document_that_does_not_exist(self) -> None:
        """An unknown mode on no document is an unknown mode."""
        case = ask(PATIENT, Action.DOCUMENT_READ, document=None, context=Context(mode="?"))
        assert seen(case).words() == ("unknown", "none", "unknown_mode")

    @pytest.mark.parametrize(
        "action, word", [(Action.DOCUMENT_READ, "no_document"), (Action.MESSAGE_READ, "no_message")]
    )
    def test_what_does_not_exist_comes_before_who_asks(self, action: Action, word: str) -> None:
        """A stranger who asks for a document or a message that does not exist learns only that it does not."""
        case = ask(RELATIVE, action, document=None, message=None)
        assert seen(case).words() == ("unknown", "none", word)

    def test_a_subject_that_the_directory_does_not_know_is_unknown(self) -> None:
        """Nobody is looked up by what the caller says of him."""
        case = replace(ask(PHYSICIAN, Action.DOCUMENT_READ), subject=None)
        assert seen(case).words() == ("unknown", "none", "unknown_subject")

    def test_a_profession_that_the_reference_does_not_name_is_unknown(self) -> None:
        """A profession without a kind is no profession."""
        case = ask(Professional("10001234565", "druid"), Action.DOSSIER_EXISTS)
        assert seen(case).words() == ("unknown", "none", "unknown_subject")

    @pytest.mark.parametrize("action", [Action.DOSSIER_EXISTS, Action.DOCUMENT_READ, Action.MESSAGE_READ])
    def test_a_person_without_a_tie_to_the_dossier_is_unknown(self, action: Action) -> None:
        """A person is known to a dossier, or not at all."""
        assert seen(ask(RELATIVE, action)).words() == ("unknown", "none", "unknown_subject")


class TestRoles:
    """What kind of subject asks."""

    @pytest.mark.parametrize("profession", sorted(PROFESSIONS))
    def test_every_profession_has_its_role(self, profession: str) -> None:
        """Physicians apart, professions are told by their kind."""
        kind = PROFESSIONS[profession].kind
        expected = (
            Role.PHYSICIAN
            if profession == "physician"
            else Role.OTHER_HEALTH_PROFESSIONAL
            if kind is ProfessionKind.HEALTH
            else Role.SOCIAL_PROFESSIONAL
        )
        assert seen(ask(Professional("10001234565", profession), Action.DOSSIER_EXISTS)).role == expected

    @pytest.mark.parametrize("kind", list(OrganizationKind))
    def test_organizations_and_their_staff_are_told_by_the_kind(self, kind: OrganizationKind) -> None:
        """A structure is of its kind, and its staff is staff of that kind."""
        organization = Organization("750000002", kind)
        assert seen(ask(organization, Action.DOSSIER_EXISTS)).role == Role(kind.value)
        assert seen(ask(Staff("s", organization), Action.DOSSIER_EXISTS)).role == Role(f"staff_of_{kind.value}")

    def test_only_persons_and_professionals_have_ties(self) -> None:
        """A relation of a structure gives that structure nothing."""
        relation = related(HOSPITAL, RelationKind.GRANTED)
        assert facts(ask(HOSPITAL, Action.DOCUMENT_LIST, relations=(relation,))) == {Fact.NORMAL}


class TestPersons:
    """Holder, legal representative, caregiver."""

    @pytest.mark.parametrize("dossier", [DOSSIER, None])
    def test_the_holder_is_who_bears_the_dossiers_name(self, dossier: Dossier | None) -> None:
        """Whether or not the dossier was opened."""
        case = replace(ask(PATIENT, Action.DOSSIER_OPEN), dossier=dossier)
        assert Fact.HOLDER in facts(case)

    def test_the_name_may_be_written_in_capitals(self) -> None:
        """A pseudonym is the same in both spellings."""
        pseudonym = UUID("abcdefab-0000-4000-8000-000000000001")
        case = ask(Person(pseudonym), Action.DOSSIER_OPEN, dossier=None)
        named = asked_otherwise(case, resource=Reference("dossier", str(pseudonym).upper()))
        assert facts(named) == {Fact.NORMAL, Fact.NO_DOSSIER, Fact.HOLDER}

    def test_a_name_that_is_no_pseudonym_is_nobodys(self) -> None:
        """What does not parse is unknown."""
        case = asked_otherwise(
            ask(PATIENT, Action.DOSSIER_OPEN, dossier=None), resource=Reference("dossier", HOLDER.hex)
        )
        assert seen(case).words() == ("unknown", "none", "unknown_subject")

    def test_a_documents_holder_is_its_dossiers(self) -> None:
        """On a document, the dossier is that of the facts; without one, there is no holder."""
        assert Fact.HOLDER in facts(ask(PATIENT, Action.DOCUMENT_READ))
        assert facts(ask(PATIENT, Action.DOCUMENT_READ, dossier=None)) == {Fact.UNKNOWN_SUBJECT}

    @pytest.mark.parametrize(
        "until, counts", [(None, True), (NOW + A_MOMENT, True), (NOW, False), (NOW - A_MOMENT, False)]
    )
    @pytest.mark.parametrize("kind, fact", [(PARENT, Fact.LEGAL_REPRESENTATIVE), (CAREGIVER, Fact.CAREGIVER)])
    def test_a_representation_counts_until_its_end(
        self, kind: Representation, fact: Fact, until: datetime | None, counts: bool
    ) -> None:
        """The instant `until` is already outside; what has expired does not exist."""
        case = ask(
            RELATIVE,
            Action.DOCUMENT_LIST,
            dossier=replace(DOSSIER, protected=True),
            representations=(replace(kind, until=until),),
        )
        assert facts(case) == ({Fact.NORMAL, fact} if counts else {Fact.UNKNOWN_SUBJECT})

    @pytest.mark.parametrize(
        "born, protected, counts",
        [
            (None, False, False),
            (None, True, True),
            (date(1985, 5, 12), False, False),
            (date(1985, 5, 12), True, True),
            (date(2008, 6, 16), False, True),
            (date(2008, 6, 15), False, False),
            (date(2030, 1, 1), False, True),
        ],
    )
    def test_a_legal_representation_counts_while_the_holder_is_minor_or_protected(
        self, born: date | None, *, protected: bool, counts: bool
    ) -> None:
        """The eighteenth birthday ends minority; without a date of birth there is none."""
        dossier = replace(DOSSIER, born=born, protected=protected)
        case = ask(RELATIVE, Action.DOCUMENT_LIST, dossier=dossier, representations=(PARENT,))
        assert facts(case) == ({Fact.NORMAL, Fact.LEGAL_REPRESENTATIVE} if counts else {Fact.UNKNOWN_SUBJECT})

    @pytest.mark.parametrize(
        "at, counts",
        [
            (datetime(2026, 6, 14, 21, 59, 59, tzinfo=UTC), True),
            (datetime(2026, 6, 14, 22, 0, tzinfo=UTC), False),
        ],
    )
    def test_the_birthday_begins_at_midnight_in_france(self, at: datetime, *, counts: bool) -> None:
        """In June that is at 22:00 UTC of the day before."""
        dossier = replace(DOSSIER, born=date(2008, 6, 15))
        case = ask(RELATIVE, Action.DOCUMENT_LIST, dossier=dossier, representations=(PARENT,), at=at)
        assert (Fact.LEGAL_REPRESENTATIVE in facts(case)) is counts

    @pytest.mark.parametrize("day, counts", [(28, True), (1, False)])
    def test_who_was_born_on_a_leap_day_comes_of_age_in_march(self, day: int, *, counts: bool) -> None:
        """Years are counted by the calendar: 28 February is not yet the birthday."""
        dossier = replace(DOSSIER, born=date(2008, 2, 29))
        at = datetime(2026, 2 if counts else 3, day, 12, tzinfo=UTC)
        case = ask(RELATIVE, Action.DOCUMENT_LIST, dossier=dossier, representations=(PARENT,), at=at)
        assert (Fact.LEGAL_REPRESENTATIVE in facts(case)) is counts

    def test_there_is_no_legal_representation_without_a_dossier(self) -> None:
        """Nobody knows whether the holder of no dossier is a minor."""
        case = ask(RELATIVE, Action.DOSSIER_OPEN, dossier=None, representations=(PARENT,))
        assert facts(case) == {Fact.UNKNOWN_SUBJECT}

    def test_a_person_may_be_several(self) -> None:
        """The holder may be a caregiver of himself, and a representative besides."""
        both = (replace(CAREGIVER, person=HOLDER), replace(PARENT, person=HOLDER))
        case = ask(PATIENT, Action.DOCUMENT_LIST, dossier=replace(DOSSIER, protected=True), representations=both)
        assert facts(case) == {Fact.NORMAL, Fact.HOLDER, Fact.CAREGIVER, Fact.LEGAL_REPRESENTATIVE}

    def test_somebody_elses_representation_is_not_his(self) -> None:
        """Facts of another person do not count."""
        assert facts(ask(PATIENT, Action.DOCUMENT_LIST, representations=(CAREGIVER,))) == {Fact.NORMAL, Fact.HOLDER}


class TestRelations:
    """Relations of professionals, their own and through organizations."""

    @pytest.mark.parametrize(
        "since, until, counts",
        [
            (None, None, True),
            (NOW, None, True),
            (NOW + A_MOMENT, None, False),
            (None, NOW, False),
            (None, NOW + A_MOMENT, True),
            (NOW, NOW + A_MOMENT, True),
            (NOW, NOW, False),
        ],
    )
    @pytest.mark.parametrize(
        "kind, fact",
        [
            (RelationKind.TREATING_PHYSICIAN, Fact.TREATING_PHYSICIAN),
            (RelationKind.CARE_TEAM, Fact.IN_CARE_TEAM),
            (RelationKind.GRANTED, Fact.GRANTED),
            (RelationKind.BLOCKED, Fact.BLOCKED),
        ],
    )
    def test_a_relation_counts_from_since_included_to_until_excluded(
        self, kind: RelationKind, fact: Fact, since: datetime | None, until: datetime | None, *, counts: bool
    ) -> None:
        """Outside of it, it does not exist."""
        relation = related(PHYSICIAN, kind, since=since, until=until)
        case = ask(PHYSICIAN, Action.DOCUMENT_LIST, relations=(relation,))
        assert facts(case) == ({Fact.NORMAL, fact} if counts else {Fact.NORMAL})

    def test_a_treating_physician_is_a_physician(self) -> None:
        """Declared of a nurse, the relation counts for nothing."""
        case = ask(NURSE, Action.DOCUMENT_LIST, relations=(related(NURSE, RelationKind.TREATING_PHYSICIAN),))
        assert facts(case) == {Fact.NORMAL}

    @pytest.mark.parametrize("other", [NURSE, HOSPITAL])
    def test_relations_of_others_do_not_count(self, other: Professional | Organization) -> None:
        """Neither a colleague's nor those of a structure where he does not exercise."""
        relations = tuple(related(other, kind) for kind in RelationKind)
        assert facts(ask(PHYSICIAN, Action.DOCUMENT_LIST, relations=relations)) == {Fact.NORMAL}

    def test_a_relation_is_of_the_type_of_its_party(self) -> None:
        """An organization whose identifier is a professional's is not that professional."""
        relation = replace(related(PHYSICIAN, RelationKind.GRANTED), party=Reference("organization", PHYSICIAN.rpps))
        assert facts(ask(PHYSICIAN, Action.DOCUMENT_LIST, relations=(relation,))) == {Fact.NORMAL}

    @pytest.mark.parametrize(
        "kind, expected",
        [
            (RelationKind.CARE_TEAM, {Fact.IN_CARE_TEAM}),
            (RelationKind.GRANTED, {Fact.GRANTED}),
            (RelationKind.TREATING_PHYSICIAN, set()),
        ],
    )
    def test_an_organization_serves_those_who_exercise_there(self, kind: RelationKind, expected: set[Fact]) -> None:
        """By the care team and consents, and by nothing else."""
        physician = replace(PHYSICIAN, organizations=frozenset({HOSPITAL.id}))
        case = ask(physician, Action.DOCUMENT_LIST, relations=(related(HOSPITAL, kind),))
        assert facts(case) == {Fact.NORMAL, *expected}

    def test_a_blocked_organization_serves_nobody(self) -> None:
        """But the other one still does, and one that is not blocked is enough not to be."""
        physician = replace(PHYSICIAN, organizations=frozenset({HOSPITAL.id, OTHER_HOSPITAL.id}))
        relations = (
            related(HOSPITAL, RelationKind.GRANTED),
            related(HOSPITAL, RelationKind.BLOCKED),
            related(OTHER_HOSPITAL, RelationKind.CARE_TEAM),
        )
        assert facts(ask(physician, Action.DOCUMENT_LIST, relations=relations)) == {Fact.NORMAL, Fact.IN_CARE_TEAM}

    def test_a_block_that_has_ended_ends(self) -> None:
        """The organization serves again, and its professionals are not blocked."""
        physician = replace(PHYSICIAN, organizations=frozenset({HOSPITAL.id}))
        relations = (
            related(HOSPITAL, RelationKind.GRANTED),
            related(HOSPITAL, RelationKind.BLOCKED, until=NOW),
        )
        assert facts(ask(physician, Action.DOCUMENT_LIST, relations=relations)) == {Fact.NORMAL, Fact.GRANTED}

    @pytest.mark.parametrize(
        "exercises_in, blocked, expected",
        [
            ((), (), False),
            ((HOSPITAL,), (HOSPITAL,), True),
            ((HOSPITAL, OTHER_HOSPITAL), (HOSPITAL,), False),
            ((HOSPITAL, OTHER_HOSPITAL), (HOSPITAL, OTHER_HOSPITAL), True),
            ((HOSPITAL,), (OTHER_HOSPITAL,), False),
        ],
    )
    def test_blocked_through_organizations_means_through_all_of_them(
        self, exercises_in: tuple[Organization, ...], blocked: tuple[Organization, ...], *, expected: bool
    ) -> None:
        """At least one, and every one."""
        physician = replace(PHYSICIAN, organizations=frozenset(each.id for each in exercises_in))
        relations = tuple(related(each, RelationKind.BLOCKED) for each in blocked)
        assert (Fact.BLOCKED in facts(ask(physician, Action.DOCUMENT_LIST, relations=relations))) is expected

    def test_his_own_relations_outlive_the_block_of_his_organizations(self) -> None:
        """He is blocked and in the care team: which of the two decides is a matter of rules."""
        physician = replace(PHYSICIAN, organizations=frozenset({HOSPITAL.id}))
        relations = (related(physician, RelationKind.CARE_TEAM), related(HOSPITAL, RelationKind.BLOCKED))
        expected = {Fact.NORMAL, Fact.IN_CARE_TEAM, Fact.BLOCKED}
        assert facts(ask(physician, Action.DOCUMENT_LIST, relations=relations)) == expected


class TestWhatAProfessionalBrings:
    """The context and his own record."""

    @pytest.mark.parametrize(
        "authentication, strong",
        [
            ("cps", True),
            ("e_cps", True),
            ("pro_sante_connect", True),
            ("CPS", False),
            ("password", False),
            (None, False),
        ],
    )
    def test_three_authentications_are_strong(self, authentication: str | None, *, strong: bool) -> None:
        """Anything else or nothing is weak."""
        case = ask(NURSE, Action.DOCUMENT_LIST, context=Context(authentication=authentication))
        assert facts(case) == ({Fact.NORMAL, Fact.STRONG_AUTHENTICATION} if strong else {Fact.NORMAL})

    def test_the_patients_presence_is_his_statement(self) -> None:
        """A structure states nothing of the kind."""
        present = Context(patient_present=True)
        assert facts(ask(NURSE, Action.DOSSIER_OPEN, context=present)) == {Fact.NORMAL, Fact.PATIENT_PRESENT}
        assert facts(ask(HOSPITAL, Action.DOSSIER_OPEN, context=present)) == {Fact.NORMAL}

    def test_stored_facts_of_the_professional_are_told(self) -> None:
        """Whether he regulates emergency calls, and whether he has read in this dossier."""
        case = ask(replace(NURSE, samu_regulator=True), Action.DOCUMENT_LIST, has_read=True)
        assert facts(case) == {Fact.NORMAL, Fact.SAMU_REGULATOR, Fact.HAS_READ}

    def test_the_consent_to_the_care_team_is_the_dossiers(self) -> None:
        """It is told of professionals, in the care team or not."""
        dossier = replace(DOSSIER, care_team_consent=True)
        assert facts(ask(NURSE, Action.DOCUMENT_LIST, dossier=dossier)) == {Fact.NORMAL, Fact.CARE_TEAM_CONSENT}
        assert facts(ask(PATIENT, Action.DOCUMENT_LIST, dossier=dossier)) == {Fact.NORMAL, Fact.HOLDER}

    def test_his_own_dossier_is_recognised_opened_or_not(self) -> None:
        """By the pseudonym that the directory knows of him."""
        physician = replace(PHYSICIAN, person=HOLDER)
        assert facts(ask(physician, Action.DOCUMENT_LIST)) == {Fact.NORMAL, Fact.OWN_DOSSIER}
        assert facts(ask(physician, Action.DOSSIER_OPEN, dossier=None)) == {
            Fact.NORMAL,
            Fact.NO_DOSSIER,
            Fact.OWN_DOSSIER,
        }
        assert facts(ask(replace(PHYSICIAN, person=SOMEBODY), Action.DOCUMENT_LIST)) == {Fact.NORMAL}

    @pytest.mark.parametrize(
        "action, particulars, expected",
        [
            (Action.ACCESS_GRANT, Particulars(professional=NURSE.rpps), True),
            (Action.TREATING_PHYSICIAN_DECLARE, Particulars(professional=NURSE.rpps), True),
            (Action.ACCESS_GRANT, Particulars(professional=PHYSICIAN.rpps), False),
            (Action.ACCESS_GRANT, Particulars(professional=NURSE.rpps, organization=HOSPITAL.id), False),
            (Action.ACCESS_GRANT, Particulars(organization=HOSPITAL.id), False),
            (Action.ACCESS_GRANT, Particulars(), False),
            (Action.ACCESS_BLOCK, Particulars(professional=NURSE.rpps), False),
        ],
    )
    def test_for_himself_means_for_nobody_else(
        self, action: Action, particulars: Particulars, *, expected: bool
    ) -> None:
        """The beneficiary is the very professional who asks, and no structure is named besides."""
        assert (Fact.FOR_SELF in facts(ask(NURSE, action, particulars=particulars))) is expected

    @pytest.mark.parametrize("subject, expected", [(PHYSICIAN, True), (NURSE, True), (replace(NURSE, rpps="1"), False)])
    def test_correspondents_are_the_sender_and_the_addressee(self, subject: Professional, *, expected: bool) -> None:
        """Nobody else."""
        assert (Fact.CORRESPONDENT in facts(ask(subject, Action.MESSAGE_READ, message=LETTER))) is expected


class TestModes:
    """The three modes and what counts in them (RULES §2, §3)."""

    def test_the_normal_mode_knows_no_switch(self) -> None:
        """Refusals, reasons and lifted masks are of emergencies."""
        dossier = replace(DOSSIER, refuses_break_glass=True, refuses_centre_15=False, masked_in_emergency=True)
        case = ask(NURSE, Action.DOCUMENT_LIST, dossier=dossier, context=Context(reason="a very good reason"))
        assert facts(case) == {Fact.NORMAL}

    @pytest.mark.parametrize(
        "reason, counts",
        [("", False), ("urgent", False), ("123456789", False), ("1234567890", True), ("  123456789  \n", False)],
    )
    def test_a_reason_has_ten_characters_once_trimmed(self, reason: str, *, counts: bool) -> None:
        """Blanks around it are no reason."""
        case = ask(NURSE, Action.DOCUMENT_LIST, context=Context(mode="break_glass", reason=reason))
        assert facts(case) == ({Fact.BREAK_GLASS, Fact.REASONED} if counts else {Fact.BREAK_GLASS})

    @pytest.mark.parametrize(
        "no_break_glass, no_centre_15, context, expected",
        [
            (False, False, BREAK_GLASS, {Fact.BREAK_GLASS, Fact.REASONED, Fact.EMERGENCY_LIFTS_MASK}),
            (
                True,
                False,
                BREAK_GLASS,
                {Fact.BREAK_GLASS, Fact.REASONED, Fact.EMERGENCY_LIFTS_MASK, Fact.BREAK_GLASS_REFUSED},
            ),
            (False, True, BREAK_GLASS, {Fact.BREAK_GLASS, Fact.REASONED, Fact.EMERGENCY_LIFTS_MASK}),
            (True, True, BREAK_GLASS, {Fact.BREAK_GLASS, Fact.REASONED, Fact.BREAK_GLASS_REFUSED}),
            (False, False, CENTRE_15, {Fact.CENTRE_15, Fact.EMERGENCY_LIFTS_MASK}),
            (True, False, CENTRE_15, {Fact.CENTRE_15, Fact.EMERGENCY_LIFTS_MASK}),
            (False, True, CENTRE_15, {Fact.CENTRE_15, Fact.EMERGENCY_LIFTS_MASK, Fact.CENTRE_15_REFUSED}),
            (True, True, CENTRE_15, {Fact.CENTRE_15, Fact.CENTRE_15_REFUSED}),
        ],
    )
    def test_refusals_are_of_their_mode_and_both_together_keep_masks(
        self, context: Context, expected: set[Fact], *, no_break_glass: bool, no_centre_15: bool
    ) -> None:
        """`masked_in_emergency` is forced false when both emergency modes are refused."""
        dossier = replace(
            DOSSIER, refuses_break_glass=no_break_glass, refuses_centre_15=no_centre_15, masked_in_emergency=True
        )
        assert facts(ask(NURSE, Action.DOCUMENT_LIST, dossier=dossier, context=context)) == expected

    @pytest.mark.parametrize("context", [BREAK_GLASS, CENTRE_15])
    def test_masks_are_kept_unless_the_holder_permits(self, context: Context) -> None:
        """Neither by default nor without a dossier are they lifted."""
        for dossier in (DOSSIER, None):
            case = ask(NURSE, Action.DOCUMENT_LIST, dossier=dossier, context=context)
            assert Fact.EMERGENCY_LIFTS_MASK not in facts(case)


class TestDossiers:
    """The state of the dossier."""

    @pytest.mark.parametrize(
        "state, expected",
        [
            (DossierState.NONE, {Fact.NO_DOSSIER}),
            (DossierState.OPEN, set()),
            (DossierState.CLOSED, {Fact.CLOSED}),
            (DossierState.SUSPENDED, {Fact.SUSPENDED}),
        ],
    )
    def test_each_state_has_its_fact_and_open_has_none(self, state: DossierState, expected: set[Fact]) -> None:
        """An open dossier is what rules take for granted."""
        case = ask(NURSE, Action.DOCUMENT_LIST, dossier=replace(DOSSIER, state=state))
        assert facts(case) == {Fact.NORMAL, *expected}

    def test_a_dossier_that_is_not_stored_has_the_state_none(self) -> None:
        """Nobody opened it."""
        assert facts(ask(NURSE, Action.DOSSIER_EXISTS, dossier=None)) == {Fact.NORMAL, Fact.NO_DOSSIER}


class TestDocuments:
    """What is told of a document."""

    @pytest.mark.parametrize(
        "status, expected",
        [
            (DocumentStatus.CURRENT, set()),
            (DocumentStatus.SUPERSEDED, {Fact.SUPERSEDED}),
            (DocumentStatus.ARCHIVED, {Fact.ARCHIVED}),
            (DocumentStatus.DELETED, {Fact.DELETED}),
        ],
    )
    def test_each_status_has_its_fact_and_current_has_none(self, status: DocumentStatus, expected: set[Fact]) -> None:
        """A current document is what rules take for granted."""
        case = ask(HOSPITAL, Action.DOCUMENT_REPLACE, document=replace(REPORT, status=status))
        assert facts(case) == {Fact.NORMAL, *expected}

    @pytest.mark.parametrize(
        "subject, author, own",
        [
            (PHYSICIAN, Reference("professional", PHYSICIAN.rpps), True),
            (PHYSICIAN, Reference("professional", NURSE.rpps), False),
            (PHYSICIAN, Reference("organization", PHYSICIAN.rpps), False),
            (HOSPITAL, Reference("organization", HOSPITAL.id), True),
            (HOSPITAL, Reference("organization", OTHER_HOSPITAL.id), False),
            (HOSPITAL, Reference("professional", HOSPITAL.id), False),
            (PATIENT, Reference("person", str(HOLDER)), True),
            (PATIENT, Reference("person", str(SOMEBODY)), False),
            (PATIENT, Reference("professional", str(HOLDER)), False),
            (SECRETARY, Reference("organization", HOSPITAL.id), False),
            (SECRETARY, Reference("staff", SECRETARY.id), False),
            (replace(PHYSICIAN, organizations=frozenset({HOSPITAL.id})), Reference("organization", HOSPITAL.id), False),
        ],
    )
    def test_a_document_is_own_to_its_very_author(self, subject: Subject, author: Reference, *, own: bool) -> None:
        """And to no one else: not to the author's staff, nor to those who exercise there."""
        case = ask(subject, Action.DOCUMENT_REPLACE, document=replace(REPORT, author=author))
        assert (Fact.AUTHOR in facts(case)) is own

    def test_a_representative_is_author_of_his_own_documents_only(self) -> None:
        """The holder's documents are not his."""
        document = replace(REPORT, author=Reference("person", str(HOLDER)))
        case = ask(RELATIVE, Action.DOCUMENT_REPLACE, document=document, representations=(CAREGIVER,))
        assert facts(case) == {Fact.NORMAL, Fact.CAREGIVER}

    def test_flags_are_told_as_stored(self) -> None:
        """Masked, and hidden from representatives."""
        document = replace(REPORT, masked=True, hidden_from_representatives=True)
        case = ask(HOSPITAL, Action.DOCUMENT_REPLACE, document=document)
        assert facts(case) == {Fact.NORMAL, Fact.MASKED, Fact.HIDDEN_FROM_REPRESENTATIVES}

    @pytest.mark.parametrize("until, withheld", [(None, False), (NOW, False), (NOW + A_MOMENT, True)])
    def test_a_document_is_withheld_while_its_term_is_in_the_future(
        self, until: datetime | None, *, withheld: bool
    ) -> None:
        """From the very instant on, it is not."""
        case = ask(PATIENT, Action.DOCUMENT_READ, document=replace(REPORT, withheld_until=until))
        assert (Fact.WITHHELD in facts(case)) is withheld

    @pytest.mark.parametrize(
        "document_type, created_at, at, expired",
        [
            ("REMB", datetime(2024, 6, 15, 12, tzinfo=UTC), NOW, True),
            ("REMB", datetime(2024, 6, 15, 12, tzinfo=UTC) + A_MOMENT, NOW, False),
            ("REMB", NOW - timedelta(days=366), NOW, False),
            ("REMB", NOW + timedelta(days=1), NOW, False),
            ("REMB", datetime(9999, 12, 31, 23, tzinfo=UTC), NOW, False),
            ("REMB", datetime(1, 1, 1, tzinfo=UTC), NOW, True),
            ("11488-4", datetime(2020, 1, 1, tzinfo=UTC), NOW, False),
            ("nothing", datetime(2020, 1, 1, tzinfo=UTC), NOW, False),
            ("REMB", datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2026, 2, 28, 11, 59, tzinfo=UTC), False),
            ("REMB", datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2026, 2, 28, 12, tzinfo=UTC), True),
            # noon in Paris: 10:00 UTC in summer, 11:00 in winter; the clocks changed on 29 March 2026, 31 March 2024
            ("REMB", datetime(2024, 3, 30, 11, tzinfo=UTC), datetime(2026, 3, 30, 9, 59, tzinfo=UTC), False),
            ("REMB", datetime(2024, 3, 30, 11, tzinfo=UTC), datetime(2026, 3, 30, 10, tzinfo=UTC), True),
        ],
    )
    def test_reimbursements_expire_after_24_calendar_months(
        self, document_type: str, created_at: datetime, at: datetime, *, expired: bool
    ) -> None:
        """Counted in France from the hour of their creation; nothing else expires."""
        document = replace(REPORT, document_type=document_type, created_at=created_at)
        case = ask(PATIENT, Action.DOCUMENT_READ, document=document, at=at)
        assert (Fact.REIMBURSEMENT_EXPIRED in facts(case)) is expired

    @pytest.mark.parametrize(
        "profession, document_type, opened",
        [
            ("physician", "11488-4", True),
            ("nurse", "11488-4", True),
            ("nurse", "68599-0", False),
            ("social_coordinator", "11488-4", False),
            ("optician", "11488-4", True),
            ("optician", "34874-8", False),
            ("physician", "nothing", False),
        ],
    )
    def test_the_matrix_says_who_is_habilitated(self, profession: str, document_type: str, *, opened: bool) -> None:
        """The row of the type, else of the category, else no; suspended rows do not count."""
        case = ask(
            Professional("10001234565", profession),
            Action.DOCUMENT_READ,
            document=replace(REPORT, document_type=document_type),
        )
        assert (Fact.HABILITATED in facts(case)) is opened

    @pytest.mark.parametrize(
        "document_type, expected",
        [
            (None, set()),
            ("", set()),
            ("nothing", set()),
            ("11488-4", {Fact.KNOWN_DOCUMENT_TYPE}),
            ("REMB", {Fact.KNOWN_DOCUMENT_TYPE, Fact.REIMBURSEMENT}),
            ("DOCPAT01", {Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_DOCUMENT}),
            ("DOCPAT08", {Fact.KNOWN_DOCUMENT_TYPE}),
            ("EXPPAT_1", {Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_EXPRESSION}),
            ("EXPPAT_2", {Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_EXPRESSION, Fact.PATIENT_DOCUMENT}),
            ("EXPPAT_3", {Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_EXPRESSION}),
        ],
    )
    def test_a_deposit_is_told_by_its_type(self, document_type: str | None, expected: set[Fact]) -> None:
        """A type that does not exist has no fact at all."""
        case = ask(HOSPITAL, Action.DOCUMENT_DEPOSIT, particulars=Particulars(document_type=document_type))
        assert facts(case) == {Fact.NORMAL, *expected}

    def test_a_deposit_is_told_by_its_flags(self) -> None:
        """As they are asked for; whom it hides from is no matter of the deposit."""
        particulars = Particulars(masked=True, withheld=True, hidden_from_representatives=True)
        case = ask(HOSPITAL, Action.DOCUMENT_DEPOSIT, particulars=particulars)
        assert facts(case) == {Fact.NORMAL, Fact.MASKED, Fact.WITHHELD}

    def test_flags_of_a_deposit_mean_nothing_elsewhere(self) -> None:
        """They are particulars of that action."""
        particulars = Particulars(document_type="REMB", masked=True, withheld=True)
        assert facts(ask(HOSPITAL, Action.DOCUMENT_LIST, particulars=particulars)) == {Fact.NORMAL}


class TestWords:
    """A situation in words, as the journal keeps it."""

    WORDS = ("physician", "document:read", "normal", "treating_physician", "habilitated", "masked")

    def test_words_are_read_back(self) -> None:
        """Role, action, then facts in the order of the vocabulary, whatever the order given."""
        role, action, *told = self.WORDS
        situation = Situation.from_words([role, action, *reversed(told)])
        assert situation.words() == self.WORDS
        assert (situation.role, situation.action) == (Role.PHYSICIAN, Action.DOCUMENT_READ)
        assert situation.facts == {Fact.NORMAL, Fact.TREATING_PHYSICIAN, Fact.HABILITATED, Fact.MASKED}

    def test_no_action_is_a_word(self) -> None:
        """A question that cannot be put has none."""
        situation = Situation.from_words(["unknown", "none", "no_document"])
        assert (situation.role, situation.action) == (Role.UNKNOWN, None)
        assert situation.facts == {Fact.NO_DOCUMENT}

    @pytest.mark.parametrize(
        "words, fault",
        [
            ([], "not a role, an action and facts: "),
            (["physician"], "not a role, an action and facts: physician"),
            (["doctor", "document:read"], "not a role, an action and facts: doctor document:read"),
            (["physician", "read"], "not a role, an action and facts: physician read"),
            (["physician", "document:read", "nice"], "not a role, an action and facts: physician document:read nice"),
            (
                ["physician", "document:read", "masked", "masked"],
                "a fact is told twice: physician document:read masked masked",
            ),
            (["physician", "document:read"], "there is no such situation: physician document:read"),
            (["person", "document:read", "normal"], "there is no such situation: person document:read normal"),
            (["unknown", "document:read"], "there is no such situation: unknown document:read"),
            (["bank", "none", "unknown_action"], "there is no such situation: bank none unknown_action"),
            (
                ["bank", "document:read", "normal", "break_glass"],
                "there is no such situation: bank document:read normal break_glass",
            ),
            (
                ["nurse", "document:read", "normal"],
                "not a role, an action and facts: nurse document:read normal",
            ),
            (
                ["other_health_professional", "document:read", "normal", "treating_physician"],
                "there is no such situation: other_health_professional document:read normal treating_physician",
            ),
        ],
    )
    def test_anything_else_is_refused(self, words: list[str], fault: str) -> None:
        """Unknown words, facts told twice, facts that cannot hold together."""
        with pytest.raises(SituationError) as refused:
            Situation.from_words(words)
        assert str(refused.value) == fault

    def test_facts_have_bits_of_their_own(self) -> None:
        """So that no two situations have the same number."""
        assert sum(fact.bit for fact in Fact) == 2 ** len(Fact) - 1
