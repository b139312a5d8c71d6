"""Differences: exact, in few conditions, and empty where nothing changes."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from models.vocabulary import Action
from policy.engine import Engine
from policy.loader import load
from policy.review.diff import diff
from policy.review.difference import Difference, Kind
from policy.review.replay import Changes
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.space import dimensions
from policy.words import Fact, Role
from tests.policy.faulty import LEAK, USELESS, Fault
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.bulk import draw_situation

WITHOUT_CONSENT = Fault("rules/70-care.csv", "normal & in_care_team & care_team_consent", "normal & in_care_team")
BLOCKED_TO_HEALTH = Fault(
    "rules/20-parties.csv",
    "p, blocked, professional, ended_by_blocking, blocked, deny",
    "p, blocked, health_professional, ended_by_blocking, blocked, deny",
)
UNTOLD = Fault(
    "rules/80-obligations.csv",
    "p2, notify_treating_physicians, professional, reading, !normal, any_rule",
    "p2, notify_treating_physicians, professional, document:list, !normal, any_rule",
)
EVERYTHING = Fault("rules/20-parties.csv", "professional, all_but_exists, own_dossier", "anyone, anything, normal")
FAULTS = [LEAK, WITHOUT_CONSENT, BLOCKED_TO_HEALTH, UNTOLD, EVERYTHING]


def described(difference: Difference, situation: Situation) -> bool:
    """Whether some condition of the difference says that this situation changes."""
    return any(
        situation.role in change.roles
        and situation.action in change.actions
        and change.condition.is_met(situation.bits)
        for change in difference.changes
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_difference_is_exact(tmp_path: Path, rules: RuleSet, fault: Fault) -> None:
    """What its conditions describe changes, and nothing else: held against Casbin on situations drawn near them."""
    new = load(fault.write(tmp_path))
    difference = diff(rules, new)
    before, after = Engine(rules), Engine(new)
    random = Random(7)
    situations = [*(_near(difference, random) for _ in range(400)), *(draw_situation(random) for _ in range(400))]
    changed = [situation for situation in situations if _noticed(before, situation) != _noticed(after, situation)]
    assert [situation for situation in situations if described(difference, situation)] == changed
    assert len(changed) > 10


def _noticed(engine: Engine, situation: Situation) -> object:
    decision = engine.judge(situation)
    return decision.allowed, decision.rule, decision.obligations


def _near(difference: Difference, random: Random) -> Situation:
    """A situation that differs from an example in the alternatives of some dimensions."""
    example = random.choice(difference.changes).example
    facts = frozenset[Fact]()
    for dimension in dimensions(example.role, example.action):
        own = example.facts & dimension.facts
        facts |= random.choice(dimension.alternatives) if random.random() < 0.15 else own
    return Situation.of(example.role, example.action, facts)


def test_a_leak_is_told_in_few_conditions(tmp_path: Path, rules: RuleSet) -> None:
    """What they share once, each with an example in words, and the answers on both sides."""
    lines = list(diff(rules, load(LEAK.write(tmp_path))).lines())
    assert lines[3:7] == [
        (
            "opened: 1,920 situations, all of them !emergency_lifts_mask & !no_dossier & !closed & !suspended"
            " & !blocked & !own_dossier & strong_authentication & !author & habilitated & masked"
            " & !reimbursement_expired"
            " & !deleted"
        ),
        "    physician, document:read, reasoned & !break_glass_refused & !treating_physician",
        (
            "        e.g. a physician now reads a masked document of others of a type that the matrix opens to the"
            " profession, with a strong authentication, in break-glass mode with a reason, which does not lift masks:"
        ),
        "        yes by break-glass (notify_patient notify_treating_physicians write_down); before: no by masked",
    ]
    assert lines[-1].startswith("1,920 situations opened, 0 closed; ")


def test_the_same_condition_is_told_once_for_all_whom_it_concerns(tmp_path: Path, rules: RuleSet) -> None:
    """By the name of their group."""
    difference = diff(rules, load(WITHOUT_CONSENT.write(tmp_path)))
    opened = [change for change in difference.changes if change.kind == Kind("opened")]
    professionals = {Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL, Role.SOCIAL_PROFESSIONAL}
    assert [change.roles for change in opened] == [professionals] * len(opened)
    assert {Action.DOCUMENT_LIST, Action.MESSAGE_SEND} in [change.actions for change in opened]
    assert any(line.startswith("    professional, ") for line in difference.lines())


def test_what_closes_and_what_is_owed_is_told_apart(tmp_path: Path, rules: RuleSet) -> None:
    """An obligation that is gone opens and closes nothing."""
    difference = diff(rules, load(UNTOLD.write(tmp_path)))
    assert {change.kind for change in difference.changes} == {
        Kind("no longer owed", after="notify_treating_physicians")
    }
    back = diff(load(tmp_path), rules)
    assert {change.kind for change in back.changes} == {Kind("now owed", after="notify_treating_physicians")}
    assert list(back.lines())[-1].startswith("0 situations opened, 0 closed; ")


def test_both_ways_open_and_close_the_same(tmp_path: Path, rules: RuleSet) -> None:
    """What one change opens, its undoing closes."""
    new = load(LEAK.write(tmp_path))
    assert (diff(rules, new).situations["opened"], diff(new, rules).situations["closed"]) == (1_920, 1_920)


def test_the_same_meaning_in_another_text_is_no_difference(tmp_path: Path, rules: RuleSet) -> None:
    """Groups spelt out, rows split, conditions said otherwise, other sentences, a row without effect."""
    folder = copy_of_the_policy(tmp_path)
    chapter = folder / "rules" / "70-care.csv"
    row = "p, granted, professional, of_care, normal & granted, allow"
    rewrite(
        chapter,
        lambda text: text.replace(
            row,
            "p, granted/social, social_professional, of_care, normal & granted, allow\n"
            "p, granted/reading, health_professional, reading, normal & granted, allow\n"
            "p, granted/reveal, health_professional, document:reveal, granted & normal, allow\n"
            "p, granted/message, health_professional, message:send, !break_glass & granted & !centre_15, allow",
        ),
    )
    rewrite(folder / "reasons.csv", lambda text: text.replace("Who", "Whoever"))
    other = load(folder)
    assert other.revision != rules.revision
    difference = diff(rules, other)
    assert (difference.passed, list(difference.lines())[-1]) == (True, "no answer changes")
    assert diff(rules, load(USELESS.write(_folder(tmp_path)))).passed


@pytest.mark.parametrize(
    "first, second, kinds",
    [
        ("not-habilitated", "masked", {Kind("decided otherwise", "not-habilitated", "masked")}),
        ("no-document", "no-message", set()),
    ],
)
def test_precedence_makes_a_difference_where_both_rules_apply(
    tmp_path: Path, rules: RuleSet, first: str, second: str, kinds: set[Kind]
) -> None:
    """Two neighbours of the register change places; those that never meet decide as before."""
    folder = copy_of_the_policy(tmp_path)

    def exchanged(text: str) -> str:
        (one,) = (line for line in text.splitlines(keepends=True) if line.startswith(f"{first},"))
        (other,) = (line for line in text.splitlines(keepends=True) if line.startswith(f"{second},"))
        return text.replace(one + other, other + one)

    rewrite(folder / "reasons.csv", exchanged)
    assert {change.kind for change in diff(rules, load(folder)).changes} == kinds


def _folder(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    return other


def test_a_change_of_the_matrix_is_told_by_profession_and_type(tmp_path: Path, rules: RuleSet) -> None:
    """Only what changes for whom it decides."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(folder / "habilitations.csv", lambda text: text.replace("nurse,report,allow", "nurse,report,deny"))
    difference = diff(rules, load(folder))
    (closed,) = difference.matrix
    assert (closed.what, closed.profession, difference.changes, difference.passed) == ("closed", "nurse", (), False)
    assert "11488-4" in closed.types
    assert list(difference.lines())[3].startswith("closed by the matrix to nurse: ")
    assert [opening["kind"] for opening in diff(load(folder), rules).data()["matrix"]] == ["opened"]


def test_a_matrix_that_decides_nothing_makes_no_difference(rules: RuleSet) -> None:
    """Where no row asks for it."""
    blind = replace(rules, rules=tuple(row for row in rules.rules if row.id != "not-habilitated"))
    shut = replace(blind, habilitations=replace(rules.habilitations, opened=frozenset()))
    assert diff(blind, shut).passed
    assert not diff(blind, rules).passed


def test_machines_are_told_the_same(tmp_path: Path, rules: RuleSet) -> None:
    """Roles, actions, condition, example and both answers."""
    data = diff(rules, load(LEAK.write(tmp_path))).data()
    first = data["changes"][0]
    assert (data["passed"], data["situations"]["opened"], first["kind"]) == (False, 1_920, "opened")
    assert (first["roles"], first["actions"], first["example"][:2]) == (
        ["physician"],
        ["document:read"],
        ["physician", "document:read"],
    )
    assert first["answer_before"] == {"allowed": False, "rule": "masked", "obligations": []}
    assert first["answer_after"]["rule"] == "break-glass"


def test_recorded_decisions_are_counted_where_there_is_a_journal(rules: RuleSet) -> None:
    """In the last line, and for machines."""
    accesses = Changes(replayed=3, opened=1, closed=0, otherwise=0, unreadable=0)
    difference = replace(diff(rules, rules), accesses=accesses)
    assert list(difference.lines())[-1].startswith("Of 3 recorded decisions 1 would be opened, 0 closed and 0 ")
    assert difference.data()["accesses"]["opened"] == 1
