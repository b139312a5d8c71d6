"""The matrices of policy/cases: what they write is open by the rule they name, and everything else is closed."""

from collections.abc import Callable
from functools import cache
from itertools import product

import pytest

from models.vocabulary import ACTIONS_ON, Action, Obligation, ResourceType
from policy.engine import Engine
from policy.ruleset import Rule, RuleSet
from policy.situation import Situation
from tests.policy import matrices
from tests.policy.matrices import CIRCUMSTANCES, DEPOSITS, DOCUMENTS, NO_DOCUMENT, PERSONAS, opened, situation, table

ON_DOCUMENTS = sorted(ACTIONS_ON[ResourceType.DOCUMENT])
ON_DOSSIERS = sorted(set(Action) - ACTIONS_ON[ResourceType.DOCUMENT] - {Action.DOCUMENT_DEPOSIT})

ALONE = {"unknown-action", "unknown-mode", "no-document", "no-message", "unknown-subject"}
"""Rules of questions that cannot be put."""

Cases = dict[tuple[str, ...], Situation]


@cache
def dossier_cases() -> Cases:
    """Every persona in every circumstance with every action on a dossier or a message."""
    every = product(CIRCUMSTANCES, PERSONAS, ON_DOSSIERS)
    return {case: situation(case[0], case[1], frozenset(), case[2]) for case in every}


@cache
def document_cases() -> Cases:
    """Every persona in every circumstance with every action on every document."""
    every = product(CIRCUMSTANCES, PERSONAS, DOCUMENTS, ON_DOCUMENTS)
    return {case: situation(case[0], case[1], DOCUMENTS[case[2]], case[3]) for case in every}


@cache
def deposit_cases() -> Cases:
    """Every persona in every circumstance with every document to be deposited."""
    every = product(CIRCUMSTANCES, PERSONAS, DEPOSITS)
    return {case: situation(case[0], case[1], DEPOSITS[case[2]], Action.DOCUMENT_DEPOSIT) for case in every}


MATRICES = [("on-dossiers.csv", dossier_cases), ("on-documents.csv", document_cases), ("deposits.csv", deposit_cases)]


@pytest.mark.parametrize("file, cases", MATRICES)
def test_what_is_written_is_open_and_everything_else_is_closed(
    engine: Engine, file: str, cases: Callable[[], Cases]
) -> None:
    """By the very rule that is written."""
    decisions = {case: engine.judge(asked) for case, asked in cases().items()}
    assert {case: decision.rule for case, decision in decisions.items() if decision.allowed} == opened(file)


@pytest.mark.parametrize("file, cases", MATRICES)
def test_every_word_of_a_matrix_is_a_case(file: str, cases: Callable[[], Cases]) -> None:
    """A name that is misspelt would otherwise be closed without anyone noticing."""
    assert opened(file).keys() - cases().keys() == set()


def of_row(row: dict[str, str]) -> Situation:
    """The situation of a row with one persona, one circumstance, one action and a document or none."""
    document = frozenset() if row["document"] == NO_DOCUMENT else DOCUMENTS[row["document"]]
    more = matrices.facts(row.get("facts", ""))
    return situation(row["circumstance"], row["persona"], document, Action(row["action"]), more)


@pytest.mark.parametrize("row", table("refusals.csv"), ids=lambda row: " ".join(row.values()))
def test_refusals_name_all_their_rules(engine: Engine, row: dict[str, str]) -> None:
    """The deciding one first."""
    decision = engine.judge(of_row(row))
    expected = tuple(row["refused_by"].split())
    assert (decision.allowed, decision.rule, decision.refused_by) == (False, expected[0], expected)


@pytest.mark.parametrize("row", table("obligations.csv"), ids=lambda row: " ".join(row.values()))
def test_permissions_ask_in_return(engine: Engine, row: dict[str, str]) -> None:
    """What the matrix says, in the order of RULES §4.3."""
    decision = engine.judge(of_row(row))
    expected = () if row["obligations"] == "-" else tuple(map(Obligation, row["obligations"].split()))
    assert (decision.allowed, decision.obligations) == (True, expected)


def test_every_rule_decides_some_case(engine: Engine, rules: RuleSet) -> None:
    """So that no rule is without an example; questions that cannot be put have theirs in test_engine.py."""
    deciding = {engine.judge(asked).rule for _, cases in MATRICES for asked in cases().values()}
    assert rules.register.reasons.keys() - deciding == {*ALONE, "cannot-judge"}


def test_every_row_weighs_in_some_case(engine: Engine, rules: RuleSet) -> None:
    """Without any one row, some case would lose the rule that decides it."""
    idle = {row.id for row in rules.rules if row.name not in ALONE}
    for _, cases in MATRICES:
        for asked in cases().values():
            deciding = engine.judge(asked).rule
            rows = [row.id for row in rules.rules if row.name == deciding and applies(rules, row, asked)]
            idle -= set(rows if len(rows) == 1 else ())
    assert idle == set()


def applies(rules: RuleSet, row: Rule, asked: Situation) -> bool:
    """Whether the row matches, worked out without Casbin."""
    return row.condition.is_met(asked.bits) and rules.bears_on(row, asked.role, asked.action)
