"""What must hold in every situation, whatever the rules become; each law is checked on the whole space."""

from collections.abc import Iterable

import pytest

from models.decisions import NOT_PERMITTED
from models.vocabulary import ACTIONS_ON, Action, Obligation, ResourceType
from policy.reasons import ALLOW, DENY
from policy.ruleset import Rule, RuleSet
from policy.words import KNOWN_ROLES, PROFESSIONALS, Fact, Role
from tests.policy.everywhere import Plane

READING = {Action.DOCUMENT_LIST, Action.DOCUMENT_READ}
ON_DOCUMENT = ACTIONS_ON[ResourceType.DOCUMENT]
PROHIBITED = {
    Role.COMPLEMENTARY_INSURER,
    Role.EMPLOYER,
    Role.BANK,
    Role.STAFF_OF_COMPLEMENTARY_INSURER,
    Role.STAFF_OF_EMPLOYER,
    Role.STAFF_OF_BANK,
}
STAFF = {role for role in Role if role.startswith("staff_of_")}
ORGANIZATIONS = KNOWN_ROLES - PROFESSIONALS - STAFF - {Role.PERSON}


def broken(found: Iterable[tuple[Plane, int]]) -> list[str]:
    """For each role and action where a law is broken, the first situation that breaks it, in words."""
    return [plane.first(column) for plane, column in found if column]


def where(plane: Plane, *facts: Fact) -> int:
    """Where all these facts hold."""
    column = plane.all
    for fact in facts:
        column &= plane.columns[fact]
    return column


def allowed_on(space: tuple[Plane, ...], actions: Iterable[Action]) -> set[Role]:
    """Who is given one of these actions in some situation."""
    wanted = set(actions)
    return {plane.role for plane in space if plane.action in wanted and plane.allowed()}


@pytest.mark.parametrize(
    "fact",
    [
        Fact.MASKED,
        Fact.WITHHELD,
        Fact.HIDDEN_FROM_REPRESENTATIVES,
        Fact.REIMBURSEMENT_EXPIRED,
        Fact.BREAK_GLASS_REFUSED,
        Fact.CENTRE_15_REFUSED,
        Fact.BLOCKED,
        Fact.OWN_DOSSIER,
        Fact.CLOSED,
        Fact.SUSPENDED,
        Fact.SUPERSEDED,
        Fact.DELETED,
    ],
)
def test_what_hides_or_closes_never_opens(space: tuple[Plane, ...], fact: Fact) -> None:
    """A mask, a refusal, a block or an end turned on never turns a no into a yes."""
    assert broken((plane, plane.opened_by(fact)) for plane in space) == []


@pytest.mark.parametrize(
    "fact",
    [
        Fact.STRONG_AUTHENTICATION,
        Fact.HABILITATED,
        Fact.TREATING_PHYSICIAN,
        Fact.IN_CARE_TEAM,
        Fact.CARE_TEAM_CONSENT,
        Fact.GRANTED,
        Fact.SAMU_REGULATOR,
        Fact.PATIENT_PRESENT,
        Fact.FOR_SELF,
        Fact.REASONED,
        Fact.EMERGENCY_LIFTS_MASK,
        Fact.CORRESPONDENT,
        Fact.HOLDER,
        Fact.PATIENT_EXPRESSION,
    ],
)
def test_what_opens_never_closes(space: tuple[Plane, ...], fact: Fact) -> None:
    """A consent, a tie or a stronger authentication turned on never turns a yes into a no."""
    assert broken((plane, plane.closed_by(fact)) for plane in space) == []


def test_an_archive_opens_its_restoration_only(space: tuple[Plane, ...]) -> None:
    """Being archived gives nothing else."""
    opened = ((plane, plane.opened_by(Fact.ARCHIVED)) for plane in space if plane.action != Action.DOCUMENT_RESTORE)
    assert broken(opened) == []


def test_the_absence_of_a_dossier_opens_its_opening_only(space: tuple[Plane, ...]) -> None:
    """Nothing can be had from what does not exist."""
    opened = ((plane, plane.opened_by(Fact.NO_DOSSIER)) for plane in space if plane.action != Action.DOSSIER_OPEN)
    assert broken(opened) == []


def test_being_the_author_closes_contesting_only(space: tuple[Plane, ...]) -> None:
    """One does not contest what one wrote."""
    closed = ((plane, plane.closed_by(Fact.AUTHOR)) for plane in space if plane.action != Action.DOCUMENT_CONTEST)
    assert broken(closed) == []


def test_having_read_before_decides_nothing(space: tuple[Plane, ...]) -> None:
    """It matters to what the patient is told, not to who may read."""
    turned = ((plane, plane.opened_by(Fact.HAS_READ) | plane.closed_by(Fact.HAS_READ)) for plane in space)
    assert broken(turned) == []


def test_no_rule_gives_a_prohibited_party_anything(space: tuple[Plane, ...]) -> None:
    """Not even one that a refusal takes away again (RULES §4)."""
    given = ((plane, column) for plane in space if plane.role in PROHIBITED for column in plane.by_rule(ALLOW).values())
    assert broken(given) == []


def test_everything_is_refused_to_a_prohibited_party(space: tuple[Plane, ...]) -> None:
    """By the rule that says so, first of all."""
    planes = [plane for plane in space if plane.role in PROHIBITED]
    assert len(planes) == len(PROHIBITED) * len(Action)
    assert broken((plane, plane.all ^ plane.deciding()["prohibited-party"]) for plane in planes) == []


def test_an_unknown_subject_gets_nothing(space: tuple[Plane, ...]) -> None:
    """And is told nothing else: questions that cannot be put stand alone."""
    (plane,) = (plane for plane in space if plane.role is Role.UNKNOWN)
    applying = [
        sorted(
            rule for effect in (DENY, ALLOW) for rule, column in plane.by_rule(effect).items() if column >> number & 1
        )
        for number in range(plane.size)
    ]
    assert sorted(applying) == [
        ["no-document"],
        ["no-message"],
        ["unknown-action"],
        ["unknown-action", "unknown-mode"],
        ["unknown-mode"],
        ["unknown-subject"],
    ]


def test_nobody_but_the_holder_and_his_representative_unmasks(space: tuple[Plane, ...]) -> None:
    """Persons only, and no caregiver who is neither."""
    assert allowed_on(space, [Action.DOCUMENT_UNMASK]) == {Role.PERSON}
    unmasking = (plane for plane in space if plane.action is Action.DOCUMENT_UNMASK)
    tied = ((plane, plane.columns[Fact.HOLDER] | plane.columns[Fact.LEGAL_REPRESENTATIVE]) for plane in unmasking)
    assert broken((plane, plane.allowed() & ~columns) for plane, columns in tied) == []


@pytest.mark.parametrize(
    "action, expected",
    [
        (Action.DOCUMENT_LIST, PROFESSIONALS | {Role.PERSON}),
        (Action.DOCUMENT_READ, PROFESSIONALS | {Role.PERSON}),
        (Action.MESSAGE_READ, PROFESSIONALS),
        (Action.MESSAGE_SEND, PROFESSIONALS),
        (Action.DOCUMENT_MASK, PROFESSIONALS | {Role.PERSON}),
        (Action.DOCUMENT_REVEAL, PROFESSIONALS),
        (Action.DOCUMENT_CONTEST, {Role.PERSON}),
        (Action.DOSSIER_CLOSE, {Role.PERSON}),
        (Action.DOSSIER_ERASE, {Role.PERSON}),
        (Action.DOSSIER_EXPORT, {Role.PERSON}),
        (Action.DOSSIER_SUSPEND, {Role.INSURANCE_FUND}),
        (Action.DOSSIER_REOPEN, {Role.PERSON, Role.INSURANCE_FUND}),
        (Action.EMERGENCY_SET, {Role.PERSON}),
        (Action.ACCESS_LIST, {Role.PERSON, Role.PHYSICIAN}),
        (Action.ACCESS_BLOCK, {Role.PERSON, Role.PHYSICIAN}),
        (Action.ACCESS_UNBLOCK, {Role.PERSON}),
        (Action.ACCESS_REVOKE, {Role.PERSON}),
        (Action.TREATING_PHYSICIAN_END, {Role.PERSON}),
        (Action.ACCESS_GRANT, {Role.PERSON, Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL}),
        (Action.CARE_TEAM_CONSENT, {Role.PERSON, Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL}),
        (Action.TREATING_PHYSICIAN_DECLARE, {Role.PERSON, Role.PHYSICIAN, Role.INSURANCE_FUND}),
        (Action.DOSSIER_EXISTS, KNOWN_ROLES - PROHIBITED),
        (Action.JOURNAL_READ, KNOWN_ROLES - PROHIBITED - STAFF),
        (
            Action.DOSSIER_OPEN,
            {
                Role.PERSON,
                Role.PHYSICIAN,
                Role.OTHER_HEALTH_PROFESSIONAL,
                Role.HEALTH_FACILITY,
                Role.PHARMACY,
                Role.INSURANCE_FUND,
            },
        ),
        (
            Action.DOCUMENT_DEPOSIT,
            KNOWN_ROLES - PROHIBITED - {Role.SOCIAL_PROFESSIONAL, Role.STAFF_OF_INSURANCE_FUND},
        ),
        *(
            (action, KNOWN_ROLES - PROHIBITED - STAFF)
            for action in (
                Action.DOCUMENT_REPLACE,
                Action.DOCUMENT_ARCHIVE,
                Action.DOCUMENT_RESTORE,
                Action.DOCUMENT_DELETE,
            )
        ),
    ],
)
def test_each_action_is_for_these_and_for_nobody_else(
    space: tuple[Plane, ...], action: Action, expected: set[Role]
) -> None:
    """Who can be given it at all, by the table of RULES §4.2 read from the side of the action."""
    assert allowed_on(space, [action]) == expected


def test_an_organization_and_its_staff_never_read(space: tuple[Plane, ...]) -> None:
    """Neither lists nor documents nor messages, in any mode (RULES §4.2, notes)."""
    reading = (*READING, Action.MESSAGE_READ)
    assert allowed_on(space, reading) & (ORGANIZATIONS | STAFF) == set()


def test_emergencies_give_listing_and_reading_only(space: tuple[Plane, ...]) -> None:
    """To professionals, and nothing to anyone else (RULES §2)."""
    given = (
        (plane, plane.allowed() & ~plane.columns[Fact.NORMAL])
        for plane in space
        if plane.role not in PROFESSIONALS or plane.action not in READING
        if Fact.NORMAL in plane.asked
    )
    assert broken(given) == []


def test_every_plane_looks_at_the_mode(space: tuple[Plane, ...]) -> None:
    """So that the law on emergencies leaves out no role and no action, but for the prohibited parties."""
    blind = {plane.role for plane in space if Fact.NORMAL not in plane.asked}
    assert blind == {Role.UNKNOWN}


def test_breaking_the_glass_takes_a_reason_and_no_refusal(space: tuple[Plane, ...]) -> None:
    """And a health professional."""
    given = [(plane, plane.allowed() & plane.columns[Fact.BREAK_GLASS]) for plane in space]
    assert {plane.role for plane, column in given if column} == {Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL}
    assert broken((plane, column & ~plane.columns[Fact.REASONED]) for plane, column in given) == []
    assert broken((plane, column & plane.columns[Fact.BREAK_GLASS_REFUSED]) for plane, column in given) == []


def test_centre_15_takes_a_regulator_and_no_refusal(space: tuple[Plane, ...]) -> None:
    """Who is a physician."""
    given = [(plane, plane.allowed() & plane.columns[Fact.CENTRE_15]) for plane in space]
    assert {plane.role for plane, column in given if column} == {Role.PHYSICIAN}
    assert broken((plane, column & ~plane.columns[Fact.SAMU_REGULATOR]) for plane, column in given) == []
    assert broken((plane, column & plane.columns[Fact.CENTRE_15_REFUSED]) for plane, column in given) == []


def test_a_mask_keeps_professionals_out(space: tuple[Plane, ...]) -> None:
    """All but the author, the treating physician, and emergencies in which the patient shows masked documents."""
    masked = [
        (plane, plane.allowed() & plane.columns[Fact.MASKED])
        for plane in space
        if plane.role in PROFESSIONALS
        if plane.action in {Action.DOCUMENT_READ, Action.DOCUMENT_MASK, Action.DOCUMENT_REVEAL}
    ]
    excepted = (Fact.AUTHOR, Fact.TREATING_PHYSICIAN, Fact.EMERGENCY_LIFTS_MASK)
    for fact in excepted:
        masked = [(plane, column & ~plane.columns[fact]) for plane, column in masked]
    assert broken(masked) == []


def test_a_professional_reads_by_one_of_five_ties(space: tuple[Plane, ...]) -> None:
    """Treating physician, care team with consent, consent, break-glass, centre 15; being the author is none."""
    reading = [plane for plane in space if plane.role in PROFESSIONALS and plane.action in READING]
    tied = (
        (
            plane,
            where(plane, Fact.NORMAL, Fact.TREATING_PHYSICIAN)
            | where(plane, Fact.NORMAL, Fact.IN_CARE_TEAM, Fact.CARE_TEAM_CONSENT)
            | where(plane, Fact.NORMAL, Fact.GRANTED)
            | where(plane, Fact.BREAK_GLASS)
            | where(plane, Fact.CENTRE_15),
        )
        for plane in reading
    )
    assert broken((plane, plane.allowed() & ~columns) for plane, columns in tied) == []


def test_what_is_withheld_or_hidden_stays_so_for_persons(space: tuple[Plane, ...]) -> None:
    """The patient does not read the first, those who act for him not the second."""
    persons = [plane for plane in space if plane.role is Role.PERSON and plane.action is Action.DOCUMENT_READ]
    acting = ((plane, plane.columns[Fact.LEGAL_REPRESENTATIVE] | plane.columns[Fact.CAREGIVER]) for plane in persons)
    assert broken((plane, plane.allowed() & plane.columns[Fact.WITHHELD]) for plane in persons) == []
    assert (
        broken(
            (plane, plane.allowed() & plane.columns[Fact.HIDDEN_FROM_REPRESENTATIVES] & columns)
            for plane, columns in acting
        )
        == []
    )


def test_a_refusal_has_no_obligations_and_a_permission_is_written_down(space: tuple[Plane, ...]) -> None:
    """Every permission but the DMP button (RULES §4.3)."""
    for plane in space:
        obliged = plane.obliged()
        assert broken((plane, column & ~plane.allowed()) for column in obliged.values()) == []
        written = 0 if plane.action is Action.DOSSIER_EXISTS else plane.allowed()
        assert plane.first(obliged[Obligation.WRITE_DOWN] ^ written) == ""


def test_own_entries_only_is_of_the_own_trace(space: tuple[Plane, ...]) -> None:
    """Where that rule decides, and nowhere else."""
    for plane in space:
        traced = plane.deciding().get("own-trace", 0)
        assert plane.first(plane.obliged()[Obligation.OWN_ENTRIES_ONLY] ^ traced) == ""


def test_every_emergency_access_is_told(space: tuple[Plane, ...]) -> None:
    """To the patient and to the treating physicians."""
    for plane in space:
        emergency = plane.allowed() & (plane.columns[Fact.BREAK_GLASS] | plane.columns[Fact.CENTRE_15])
        obliged = plane.obliged()
        told = obliged[Obligation.NOTIFY_PATIENT] & obliged[Obligation.NOTIFY_TREATING_PHYSICIANS]
        assert plane.first(emergency & ~told) == ""


def test_first_accesses_are_told_to_the_patient(space: tuple[Plane, ...]) -> None:
    """A professional who lists or reads without having read before; nobody else, and no other action."""
    for plane in space:
        is_access = plane.role in PROFESSIONALS and plane.action in READING
        normal = plane.columns[Fact.NORMAL]
        first = plane.allowed() & ~plane.columns[Fact.HAS_READ] & normal if is_access else 0
        assert plane.first((plane.obliged()[Obligation.NOTIFY_PATIENT] & normal) ^ first) == ""


def test_what_no_rule_gives_is_not_permitted(space: tuple[Plane, ...]) -> None:
    """And what is given is decided by a permission."""
    for plane in space:
        permissions = plane.by_rule(ALLOW)
        deciding = plane.deciding()
        given = 0
        for rule in permissions:
            given |= deciding[rule]
        assert plane.first(given ^ plane.allowed()) == ""
        assert plane.first(deciding[NOT_PERMITTED] & plane.allowed()) == ""


def test_every_row_weighs(rules: RuleSet, space: tuple[Plane, ...]) -> None:
    """Without any one row, some answer changes: whether it is yes, which rule decides, or what is asked in return."""
    idle = []
    for row in (*rules.rules, *rules.duties):
        concerned = (plane for plane in space if row in plane.rows)
        if not any(
            plane.deciding(without=row) != plane.deciding()
            if isinstance(row, Rule)
            else plane.obliged(without=row) != plane.obliged()
            for plane in concerned
        ):
            idle.append(row.id)
    assert idle == []


def test_groups_of_actions_are_what_the_tables_say(rules: RuleSet) -> None:
    """`everything but` is everything but that."""
    everything = {action.value for action in Action}
    upkeep = {"document:replace", "document:archive", "document:restore", "document:delete"}
    reading = {"document:list", "document:read"}
    patient = {"dossier:reopen", "dossier:erase", "dossier:export", "journal:read"}
    expected = {
        "anything": everything | {"none"},
        "all_but_exists": everything - {"dossier:exists"},
        "needing_a_dossier": everything - {"dossier:exists", "dossier:open"},
        "all_but_reading": everything - reading,
        "ended_by_closure": everything - {"dossier:exists"} - patient,
        "kept_after_closure": patient - {"dossier:reopen"},
        "ended_by_blocking": everything - {"dossier:exists", "document:deposit"} - upkeep,
        "author_upkeep": upkeep,
        "on_document": {action.value for action in ON_DOCUMENT},
        "changing": {action.value for action in ON_DOCUMENT}
        - {"document:read", "document:mask", "document:unmask", "document:restore"},
        "changing_or_restoring": {action.value for action in ON_DOCUMENT}
        - {"document:read", "document:mask", "document:unmask"},
        "card_only": {
            *reading,
            "journal:read",
            "document:mask",
            "document:reveal",
            "message:send",
            "message:read",
            *(action for action in everything if action.startswith(("access:", "treating_physician:"))),
        },
    }
    assert {name: set(rules.actions.members[name]) for name in expected} == expected


def test_groups_of_roles_are_what_the_tables_say(rules: RuleSet) -> None:
    """Everybody is in one place or the other, and the unknown only in `anyone`."""
    known = set(KNOWN_ROLES)
    expected: dict[str, set[Role]] = {
        "anyone": set(Role),
        "everyone_but_the_fund": known - {Role.INSURANCE_FUND},
        "everyone_but_professionals": known - PROFESSIONALS,
        "prohibited_party": PROHIBITED,
        "professional_or_organization": (set(PROFESSIONALS) | ORGANIZATIONS) - PROHIBITED,
        "permitted_party": known - PROHIBITED - {Role.PERSON},
    }
    assert {name: {Role(word) for word in rules.roles.members[name]} for name in expected} == expected
