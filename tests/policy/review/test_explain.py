"""Why an answer is what it is; what is expected is worked out by hand from RULES §4."""

import json
import re
from collections.abc import Iterator
from random import Random

import pytest

from models.facts import Case, Context, Professional, Question, Reference
from models.vocabulary import Action
from policy.engine import Engine
from policy.review.answers import whole
from policy.review.diagrams import NOWHERE, Diagram
from policy.review.explain import Explanation, explain, explain_case
from policy.review.planes import MEETINGS, Plane
from policy.review.typed import situation_of_words
from policy.situation import Situation
from policy.space import dimensions
from policy.words import Fact, Role
from tests.policy.review.test_evidence import AT

STRONG_NURSE = "other_health_professional document:read habilitated strong_authentication"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The packaged rules."""
    return Engine.load()


def explained(engine: Engine, words: str) -> Explanation:
    return explain(engine, situation_of_words(words.split()))


def changes(explanation: Explanation) -> list[tuple[set[str], set[str], str]]:
    return [(set(each.gained), set(each.lost), each.decision.rule) for each in explanation.changes]


def test_every_rule_that_matched_is_told_in_precedence(engine: Engine) -> None:
    """Refusals first, then permissions, each with its row; the first decides."""
    words = f"{STRONG_NURSE} masked in_care_team care_team_consent granted blocked"
    explanation = explained(engine, words)
    assert [(row.id, row.effect) for row in explanation.matched] == [
        ("blocked", "deny"),
        ("masked", "deny"),
        ("care-team", "allow"),
        ("granted", "allow"),
    ]
    assert (explanation.decision.allowed, explanation.decision.rule) == (False, "blocked")
    assert explanation.duties == ()


def test_a_permission_tells_what_it_asks_in_return(engine: Engine) -> None:
    """Each obligation with the row that attaches it; one that another rule's permission carries is not told."""
    explanation = explained(engine, f"{STRONG_NURSE} granted withheld")
    assert [row.id for row in explanation.duties] == ["notify_patient/first-access", "alert_withheld", "write_down"]
    journal = "physician journal:read treating_physician strong_authentication"
    assert [row.id for row in explained(engine, journal).duties] == ["write_down"]
    own = explained(engine, "physician journal:read strong_authentication")
    assert [row.id for row in own.duties] == ["own_entries_only", "write_down"]


def test_what_nearly_matched_is_told_with_the_one_fact(engine: Engine) -> None:
    """A row whose condition fails by one literal, or that is about another role or action only."""
    misses = {
        each.row.id: (each.missing, each.fact)
        for each in explained(engine, f"{STRONG_NURSE} masked in_care_team care_team_consent").nearly
    }
    assert misses["granted"] == ("fact", Fact.GRANTED)
    assert misses["weak-authentication"] == ("fact", Fact.STRONG_AUTHENTICATION)
    assert misses["break-glass"] == ("fact", Fact.BREAK_GLASS)
    assert misses["prohibited-party"] == ("who", None)
    assert misses["own-trace"] == ("action", None)
    # Two facts away; of another role by a fact that a nurse cannot have; about a question that can be put; matched.
    assert not misses.keys() & {"centre-15", "treating-physician", "no-document", "masked", "care-team"}


@pytest.mark.no_cover
def test_near_misses_are_all_and_only_those_but_for_one_thing(engine: Engine) -> None:
    """Held against the cells of every row, read here once more, in situations drawn at random."""
    draw = Random(5)
    for _ in range(200):
        role, action = draw.choice(MEETINGS)
        facts = frozenset[Fact]().union(*(draw.choice(each.alternatives) for each in dimensions(role, action)))
        explanation = explain(engine, Situation.of(role, action, facts))
        expected = set()
        for row in engine.rules.rules:
            literals = [] if row.condition.text == "always" else row.condition.text.split(" & ")
            wrong = [literal for literal in literals if (literal.lstrip("!") in facts) is literal.startswith("!")]
            who = engine.rules.roles.includes(row.who, role)
            what = engine.rules.actions.includes(row.action, action or "none")
            if (not who) + (not what) + len(wrong) == 1 and not (
                wrong and not engine.rules.bears_on(row, role, action)
            ):
                expected.add((row.id, wrong[0].lstrip("!") if wrong else None))
        assert {(each.row.id, each.fact) for each in explanation.nearly} == expected


@pytest.mark.parametrize(
    "words, expected",
    [
        # Masked: the patient unmasks, or the professional is the author; a nurse cannot be a treating physician.
        (
            f"{STRONG_NURSE} masked in_care_team care_team_consent",
            [(set(), {"masked"}, "care-team"), ({"author"}, set(), "care-team")],
        ),
        # A physician may be a treating one besides, which gives as well as it lifts the mask.
        (
            "physician document:read habilitated strong_authentication masked",
            [({"treating_physician"}, set(), "treating-physician")],
        ),
        # Nothing gives: consent, the care team with its consent being two facts; breaking the glass needs a reason.
        (STRONG_NURSE, [({"granted"}, set(), "granted")]),
        (
            f"{STRONG_NURSE} in_care_team",
            [
                ({"care_team_consent"}, set(), "care-team"),
                ({"granted"}, set(), "granted"),
            ],
        ),
        # The mode is the asker's own choice: told first.
        (
            f"{STRONG_NURSE} granted break_glass",
            [({"reasoned"}, set(), "break-glass"), ({"normal"}, {"break_glass"}, "granted")],
        ),
        # Two facts, both needed, the asker's before the patient's.
        (
            "social_professional document:list in_care_team",
            [
                ({"strong_authentication", "care_team_consent"}, set(), "care-team"),
                ({"strong_authentication", "granted"}, set(), "granted"),
            ],
        ),
        # What nothing opens.
        ("bank dossier:exists", []),
        ("unknown none no_document", []),
    ],
)
def test_what_would_open_it(engine: Engine, words: str, expected: list[tuple[set[str], set[str], str]]) -> None:
    """Every smallest set of facts to gain and to lose, with the rule that then decides."""
    found = changes(explained(engine, words))
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_what_would_close_it(engine: Engine) -> None:
    """Of a permission, everything that takes it away by one fact, the asker's own first."""
    found = changes(explained(engine, "person document:read holder"))
    assert found == [
        ({"break_glass"}, {"normal"}, "emergency-scope"),
        ({"centre_15"}, {"normal"}, "emergency-scope"),
        ({"no_dossier"}, set(), "no-dossier"),
        ({"closed"}, set(), "dossier-closed"),
        ({"suspended"}, set(), "dossier-closed"),
        ({"withheld"}, set(), "withheld-from-patient"),
        ({"reimbursement_expired"}, set(), "reimbursement-expired"),
        ({"deleted"}, set(), "document-deleted"),
    ]


def distance(here: frozenset[Fact], there: frozenset[Fact], role: Role, action: Action | None) -> int:
    """How many facts are gained, and lost though they could have stayed beside the rest."""
    count = len(there - here)
    for fact in here - there:
        (home,) = (each for each in dimensions(role, action) if fact in each.facts)
        count += any(some >= (there & home.facts) | {fact} for some in home.alternatives)
    return count


def everywhere(plane: Plane) -> Iterator[frozenset[Fact]]:
    for number in range(plane.size):
        yield plane.situation(number).facts


@pytest.mark.parametrize("role, action", [(Role.PHARMACY, Action.DOSSIER_OPEN), (Role.PERSON, Action.DOCUMENT_DEPOSIT)])
def test_no_smaller_set_turns_the_answer(engine: Engine, role: Role, action: Action) -> None:
    """Held against every situation of the plane, from some of them: the same sets, and none missing."""
    plane, answers = whole(engine.rules, role, action)
    every = list(everywhere(plane))
    told = frozenset[Fact]().union(*(each.facts for each in plane.dimensions))
    for number in Random(6).sample(range(plane.size), 6):
        allowed = answers.allowed >> number & 1
        here = every[number]
        others = [facts for at, facts in enumerate(every) if (answers.allowed >> at & 1) != allowed]
        least = min(distance(here, there, role, action) for there in others)
        nearest = {there for there in others if distance(here, there, role, action) == least}
        # What comes in another's place is no smallest set where it is enough that the other goes.
        expected = {there for there in nearest if not any(here ^ other < here ^ there for other in nearest)}
        explanation = explain(engine, Situation.of(role, action, here))
        assert {(here | {*each.gained}) - {*each.lost} for each in explanation.changes} == expected
        assert all({*each.gained, *each.lost} <= told for each in explanation.changes)
        assert {each.decision.allowed for each in explanation.changes} == {not allowed}


def test_facts_that_no_rule_asks_about_change_nothing() -> None:
    """They are in no set, and what the situation tells of them stays as it is."""
    engine = Engine.load()
    words = "pharmacy document:deposit known_document_type masked reimbursement"
    explanation = explained(engine, words)
    assert changes(explanation) == [(set(), {"reimbursement"}, "depositor")]
    assert explained(engine, "bank dossier:exists closed").changes == ()


def test_an_empty_set_has_no_nearest_situation() -> None:
    """Nothing is given of a set in which there is nothing."""
    plane = Plane(Role.BANK, Action.DOSSIER_EXISTS, [Fact.CLOSED])
    assert list(Diagram(plane).all_nearest(NOWHERE, lambda some, _: len(some))) == []


def test_the_explanation_reads_as_text(engine: Engine) -> None:
    """Answer, situation, rows that matched, rows that nearly did, and what it would take."""
    explanation = explained(engine, f"{STRONG_NURSE} masked in_care_team care_team_consent")
    lines = [re.sub(r"csv:[0-9]+", "csv:N", line) for line in explanation.lines()]
    assert lines[:8] == [
        "no, by masked: The patient masked this document.",
        (
            "  a health professional of the care team, to which the holder consented, may not read a masked document "
            "of others of a type that the matrix opens to the profession, with a strong authentication"
        ),
        (
            "  situation: other_health_professional document:read normal in_care_team care_team_consent "
            "strong_authentication habilitated masked"
        ),
        "",
        "rules that matched, the deciding one first",
        (
            "  refuses: rules/40-documents.csv:N  masked, professional, showing, "
            "!emergency_lifts_mask & !treating_physician & !author & masked"
        ),
        ("  gives: rules/70-care.csv:N  care-team, professional, of_care, normal & in_care_team & care_team_consent"),
        "",
    ]
    weak = "weak-authentication would refuse, were it so: without strong authentication (!strong_authentication)"
    assert f"  rules/20-parties.csv:N  {weak}" in lines
    assert "  rules/20-parties.csv:N  prohibited-party would refuse to the role prohibited_party" in lines
    assert "  rules/70-care.csv:N  own-trace would give journal:read" in lines
    assert lines[-3:] == [
        "what would open it: one fact, in 2 ways",
        "  the author (+author): yes, by care-team",
        "  not masked (-masked): yes, by care-team",
    ]


def test_obligations_and_many_ways_are_told_in_few_lines(engine: Engine) -> None:
    """Ten ways are told and the others counted; a mode that comes does not tell the one that goes."""
    lines = list(explained(engine, f"{STRONG_NURSE} granted").lines())
    assert lines[0] == "yes, by granted: The patient gave you access to the dossier."
    asked = [line.partition(" (")[0] for line in lines if "asks in return" in line]
    assert asked == ["  asks in return: notify_patient", "  asks in return: write_down"]
    assert "  in centre 15 mode (+centre_15 -normal): no, by not-permitted" in lines
    start = next(place for place, line in enumerate(lines) if line.startswith("what would close it: one fact"))
    assert len(lines[start + 1 :]) == 11
    assert lines[-1].endswith("more of the same size")


def test_what_nothing_opens_is_said(engine: Engine) -> None:
    """Where no set of facts turns the answer, that is the last line."""
    lines = list(explained(engine, "bank dossier:exists").lines())
    assert lines[-1] == "nothing that can be so for this role and action would open it"
    two = list(explained(engine, "physician document:list in_care_team care_team_consent closed").lines())
    assert two[-2] == "what would open it: 2 facts, in one way"


def test_the_explanation_is_data_too(engine: Engine) -> None:
    """The same for machines, with names that stay; the report passes whatever the answer is."""
    explanation = explained(engine, f"{STRONG_NURSE} masked granted")
    data = json.loads(json.dumps(explanation.data()))
    assert explanation.passed
    assert list(data) == [
        "allowed",
        "rule",
        "reason",
        "obligations",
        "situation",
        "told",
        "evidence",
        "matched",
        "nearly",
        "changes",
        "changes_in_all",
        "revision",
    ]
    assert (data["allowed"], data["rule"], data["changes_in_all"]) == (False, "masked", 2)
    assert data["changes"][1] == {
        "gain": [],
        "lose": ["masked"],
        "words": "not masked (-masked)",
        "allowed": True,
        "rule": "granted",
    }
    assert {name: value for name, value in data["matched"][1].items() if name != "line"} == {
        "rule": "granted",
        "effect": "allow",
        "row": "granted",
        "file": "rules/70-care.csv",
        "who": "professional",
        "action": "of_care",
        "condition": "normal & granted",
    }
    allowed = json.loads(json.dumps(explained(engine, f"{STRONG_NURSE} granted").data()))
    assert [each["obligation"] for each in allowed["obligations"]] == ["notify_patient", "write_down"]
    assert allowed["told"].startswith("a health professional who has the holder's explicit consent may read")


def test_a_case_is_explained_with_what_made_it(engine: Engine) -> None:
    """The situation that it is, and what is stored and stated behind it."""
    asked = Question(
        Reference("professional", "10001234573"),
        "document:list",
        Reference("dossier", "00000000-0000-0000-0000-0000000a11ce"),
        AT,
        Context(authentication="cps"),
    )
    explanation = explain_case(engine, Case(asked, Professional("10001234573", "nurse")))
    assert explanation.situation.words() == (
        "other_health_professional",
        "document:list",
        "normal",
        "no_dossier",
        "strong_authentication",
    )
    lines = list(explanation.lines())
    assert "made from what is stored and stated" in lines
    assert "  dossier: none" in lines
    assert {"about": "dossier", "told": "none"} in explanation.data()["evidence"]
