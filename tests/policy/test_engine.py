"""The engine: Casbin's answers, gathered, ordered, remembered; and no answer where there is none."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest
import structlog
from msgspec import structs

from models.decisions import Decision
from models.vocabulary import Action, Obligation
from policy import engine as engine_module
from policy.engine import Engine
from policy.loader import load
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.words import Fact, Role
from tests.policy.asking import NURSE, PHYSICIAN, ask
from tests.policy.folders import copy_of_the_policy, rewrite
from tests.policy.review.bulk import draw_situation

CANNOT_JUDGE = Decision(allowed=False, rule="cannot-judge")


def told(words: str) -> Situation:
    return Situation.from_words(words.split())


def drawn(many: int) -> list[Situation]:
    random = Random(15)
    return [draw_situation(random) for _ in range(many)]


READING = told("physician document:read normal treating_physician habilitated strong_authentication has_read")


class TestAnswers:
    """Allowed or not, by which rules, and what is asked in return."""

    @pytest.mark.parametrize(
        "words, refused_by",
        [
            ("unknown_action", ("unknown-action",)),
            ("unknown_mode", ("unknown-mode",)),
            ("unknown_action unknown_mode", ("unknown-action", "unknown-mode")),
            ("no_document", ("no-document",)),
            ("no_message", ("no-message",)),
            ("unknown_subject", ("unknown-subject",)),
        ],
    )
    def test_questions_that_cannot_be_put_are_refused_alone(
        self, engine: Engine, words: str, refused_by: tuple[str, ...]
    ) -> None:
        """By no other rule, and no rule gives anything."""
        expected = Decision(allowed=False, rule=refused_by[0], refused_by=refused_by)
        assert engine.judge(told(f"unknown none {words}")) == expected

    def test_a_permission_has_its_rule_and_obligations(self, engine: Engine) -> None:
        """The treating physician reads, and it is written down."""
        assert engine.judge(READING) == Decision(
            allowed=True,
            rule="treating-physician",
            allowed_by=("treating-physician",),
            obligations=(Obligation.WRITE_DOWN,),
        )

    def test_all_permissions_are_told_in_order(self, engine: Engine) -> None:
        """The first of RULES §4.2 decides."""
        situation = Situation.of(
            Role.PHYSICIAN,
            Action.DOCUMENT_LIST,
            READING.facts - {Fact.HABILITATED} | {Fact.GRANTED, Fact.IN_CARE_TEAM, Fact.CARE_TEAM_CONSENT},
        )
        decision = engine.judge(situation)
        assert (decision.rule, decision.allowed_by) == (
            "treating-physician",
            ("treating-physician", "care-team", "granted"),
        )

    def test_all_refusals_are_told_in_order_with_what_would_give(self, engine: Engine) -> None:
        """The first of RULES §4.1 decides; nothing is asked in return."""
        situation = told(
            "physician document:read break_glass break_glass_refused closed deleted masked reimbursement_expired "
            "blocked own_dossier in_care_team"
        )
        assert engine.judge(situation) == Decision(
            allowed=False,
            rule="dossier-closed",
            refused_by=(
                "dossier-closed",
                "document-deleted",
                "weak-authentication",
                "blocked",
                "self-consultation",
                "reimbursement-expired",
                "not-habilitated",
                "masked",
                "break-glass-refused",
                "reason-required",
            ),
            allowed_by=("break-glass",),
        )

    def test_what_no_rule_gives_is_not_permitted(self, engine: Engine) -> None:
        """That word stands as the deciding rule only."""
        decision = engine.judge(told("health_facility document:list normal"))
        assert decision == Decision(allowed=False, rule="not-permitted")

    def test_only_the_deciding_rule_attaches_its_own_obligation(self, engine: Engine) -> None:
        """A treating physician may read his own trace too, but it is not by that rule that he reads the journal."""
        strong = "normal strong_authentication"
        assert engine.judge(told(f"physician journal:read {strong} treating_physician")) == Decision(
            allowed=True,
            rule="treating-physician",
            allowed_by=("treating-physician", "own-trace"),
            obligations=(Obligation.WRITE_DOWN,),
        )
        assert engine.judge(told(f"physician journal:read {strong}")) == Decision(
            allowed=True,
            rule="own-trace",
            allowed_by=("own-trace",),
            obligations=(Obligation.OWN_ENTRIES_ONLY, Obligation.WRITE_DOWN),
        )

    def test_every_deciding_rule_has_its_sentences(self, engine: Engine) -> None:
        """In French and in English, on one line each."""
        for reason in engine.register.reasons.values():
            for sentence in (reason.fr, reason.en):
                assert sentence.endswith(".")
                assert sentence[0].isupper()


class TestFolder:
    """An engine is of one policy folder."""

    def test_its_revision_is_that_of_the_rules(self, engine: Engine) -> None:
        """So that a decision can be told with the rules that made it."""
        assert engine.revision == load().revision

    def test_another_folder_makes_another_engine(self, engine: Engine, tmp_path: Path) -> None:
        """With its own rules and its own matrix."""
        folder = copy_of_the_policy(tmp_path)
        rewrite(folder / "habilitations.csv", lambda text: text.replace("nurse,report,allow", "nurse,report,deny"))
        other = Engine.load(folder)
        case = ask(NURSE, Action.DOCUMENT_READ)
        assert Fact.HABILITATED in engine.situation_of(case).facts
        assert Fact.HABILITATED not in other.situation_of(case).facts
        assert other.revision != engine.revision

    def test_the_order_of_rows_is_indifferent(self, rules: RuleSet) -> None:
        """Row order decides nothing: the register's order does."""
        backwards = Engine(replace(rules, rules=rules.rules[::-1], duties=rules.duties[::-1]))
        forwards = Engine(rules)
        assert backwards.revision == forwards.revision
        for situation in drawn(500):
            assert backwards.judge(situation) == forwards.judge(situation)


class TestMemory:
    """Casbin judges each situation once."""

    @pytest.fixture
    def asked(self, rules: RuleSet, monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, list[Situation]]:
        """A fresh engine, and what it asks Casbin."""
        engine = Engine(rules)
        questions: list[Situation] = []
        ask_casbin = engine._ask_casbin  # noqa: SLF001  # what is remembered shows only in what is not asked

        def note(situation: Situation) -> Decision:
            questions.append(situation)
            return ask_casbin(situation)

        monkeypatch.setattr(engine, "_ask_casbin", note)
        return engine, questions

    def test_a_situation_is_judged_once(self, asked: tuple[Engine, list[Situation]]) -> None:
        """The second answer is the first one, remembered."""
        engine, questions = asked
        assert engine.judge(READING) is engine.judge(READING)
        assert questions == [READING]

    def test_facts_that_no_rule_asks_for_do_not_count(self, asked: tuple[Engine, list[Situation]]) -> None:
        """Whether he regulates emergencies is nothing to the list of accesses."""
        engine, questions = asked
        words = "physician access:list normal treating_physician strong_authentication"
        assert engine.judge(told(words)) is engine.judge(told(f"{words} samu_regulator has_read"))
        assert len(questions) == 1

    def test_facts_that_some_rule_asks_for_do(self, asked: tuple[Engine, list[Situation]]) -> None:
        """A block changes the answer."""
        engine, questions = asked
        words = "physician access:list normal treating_physician strong_authentication"
        assert engine.judge(told(words)) != engine.judge(told(f"{words} blocked"))
        assert len(questions) == 2

    def test_memory_has_an_end_and_answers_have_not(
        self, asked: tuple[Engine, list[Situation]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When it is full, Casbin is asked again."""
        engine, questions = asked
        monkeypatch.setattr(engine_module, "_MOST_REMEMBERED", 0)
        assert engine.judge(READING) == engine.judge(READING)
        assert questions == [READING, READING]

    def test_many_threads_get_the_same_answers(self, rules: RuleSet) -> None:
        """Whoever comes first."""
        situations = drawn(200)
        one = Engine(rules)
        expected = [one.judge(situation) for situation in situations]
        shared = Engine(rules)
        together = Barrier(8)

        def judge_all(_: int) -> list[Decision]:
            together.wait()
            return [shared.judge(situation) for situation in situations]

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(judge_all, range(8))) == [expected] * 8


class _Broken:
    """An enforcer that fails or answers at random."""

    def __init__(self, answer: bool | Exception) -> None:
        self.answer = answer

    def enforce(self, *_: Any) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class TestFaults:
    """What cannot be judged is denied, and said so."""

    @pytest.mark.parametrize(
        "answer", [SystemError("AST constructor recursion depth mismatch"), RecursionError(), True]
    )
    def test_a_judge_that_fails_denies(
        self, rules: RuleSet, monkeypatch: pytest.MonkeyPatch, answer: bool | Exception
    ) -> None:
        """Also one that says yes where no row matched; the next question is judged anew."""
        engine = Engine(rules)
        with monkeypatch.context() as patch, structlog.testing.capture_logs() as logs:
            patch.setattr(engine, "_enforcers", dict.fromkeys((None, *Action), _Broken(answer)))
            assert engine.judge(READING) == CANNOT_JUDGE
        assert logs == [
            {"event": "situation_not_judged", "log_level": "error", "exc_info": True, "situation": READING.code}
        ]
        assert engine.judge(READING).allowed

    def test_a_judge_that_says_no_where_rows_say_yes_denies(
        self, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The two must agree, whichever is wrong."""
        engine = Engine(rules)
        enforcer = engine._enforcers[Action.DOCUMENT_READ]  # noqa: SLF001  # the fault can only be put inside
        enforce = enforcer.enforce
        monkeypatch.setattr(enforcer, "enforce", lambda *request: not enforce(*request))
        with structlog.testing.capture_logs() as logs:
            assert engine.judge(READING) == CANNOT_JUDGE
        assert [log["event"] for log in logs] == ["situation_not_judged"]

    @pytest.mark.parametrize("code", [0, -1, 1, READING.code | Fact.BREAK_GLASS.bit, READING.code | 1 << 200])
    def test_what_is_no_situation_is_denied(self, rules: RuleSet, code: int) -> None:
        """A number that no facts make."""
        with structlog.testing.capture_logs() as logs:
            assert Engine(rules).judge(Situation(code)) == CANNOT_JUDGE
        assert [log["event"] for log in logs] == ["situation_not_judged"]

    def test_casbin_does_not_log_what_it_is_asked(self, rules: RuleSet, caplog: pytest.LogCaptureFixture) -> None:
        """Not even where logging is configured so that existing loggers speak."""
        engine = Engine(rules)
        for name in ("casbin", "casbin.enforcer", "casbin.policy", "casbin.role"):
            logging.getLogger(name).disabled = False
        with caplog.at_level(logging.DEBUG):
            engine.judge(told("bank document:list normal"))
            engine.judge(READING)
        assert caplog.records == []

    def test_casbin_is_not_told_who_asks(self, engine: Engine) -> None:
        """Two physicians in the same situation are the same to it."""
        here = engine.situation_of(ask(PHYSICIAN, Action.DOCUMENT_LIST))
        there = engine.situation_of(ask(structs.replace(PHYSICIAN, rpps="10009999990"), Action.DOCUMENT_LIST))
        assert here == there
