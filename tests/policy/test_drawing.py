"""The cases drawn reach every rule, alone and together, on both sides of each line."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from models.decisions import NOT_PERMITTED, Decision
from models.facts import Case
from models.vocabulary import Action, Obligation
from tests.policy.drawing import draw_case
from tests.policy.oracle import judge
from tests.policy.oracle_facts import read_matrix

CASES = 30_000

# As the tables of RULES §4.1 and §4.2 name them, in their order.
REFUSALS_IN_ORDER = """
    prohibited-party unknown-subject no-dossier dossier-closed already-open document-deleted weak-authentication blocked
    self-consultation unknown-action unknown-mode no-document no-message reimbursement-expired emergency-scope
    not-habilitated masked withheld-from-patient hidden-from-representatives break-glass-refused centre-15-refused
    reason-required superseded archived withheld-and-masked
"""
PERMISSIONS_IN_ORDER = """
    holder legal-representative caregiver treating-physician care-team granted break-glass centre-15 depositor author
    own-trace exists open record-consent correspondent fund
"""
REFUSALS, PERMISSIONS = REFUSALS_IN_ORDER.split(), PERMISSIONS_IN_ORDER.split()
STANDING_ALONE = {"unknown-subject", "unknown-action", "unknown-mode", "no-document", "no-message"}

Judged = Sequence[tuple[Case, Decision]]


@pytest.fixture(name="judged", scope="module")
def _judged() -> Judged:
    """The same cases every time, for what is asked here is whether the drawing is rich, not whether luck was."""
    random, matrix = Random(20261123), read_matrix()
    cases = [draw_case(random) for _ in range(CASES)]
    return [(case, judge(case, matrix)) for case in cases]


def test_the_same_seed_draws_the_same_cases() -> None:
    """A disagreement can be drawn again from its seed."""
    one, other = Random(7), Random(7)
    assert [draw_case(one) for _ in range(200)] == [draw_case(other) for _ in range(200)]


def test_every_rule_applies_somewhere(judged: Judged) -> None:
    """Each row of both tables is met, at least a dozen times."""
    applied = Counter(rule for _, decision in judged for rule in (*decision.refused_by, *decision.allowed_by))
    assert {rule for rule, times in applied.items() if times >= 12} == {*REFUSALS, *PERMISSIONS}


def test_every_rule_decides_somewhere(judged: Judged) -> None:
    """Each row is somewhere the deciding one; so is the absence of any."""
    deciding = {decision.rule for _, decision in judged}
    assert deciding == {*REFUSALS, *PERMISSIONS, NOT_PERMITTED}


def test_every_refusal_is_somewhere_all_that_stands_in_the_way(judged: Judged) -> None:
    """Without that row somebody would be let in; prohibited parties and what stands alone are given nothing anyhow."""
    alone = {decision.rule for _, decision in judged if decision.allowed_by and decision.refused_by == (decision.rule,)}
    assert alone == {*REFUSALS} - STANDING_ALONE - {"prohibited-party"}


def test_every_permission_is_somewhere_all_that_opens(judged: Judged) -> None:
    """Without that row somebody would be left out."""
    alone = {decision.rule for _, decision in judged if decision.allowed and decision.allowed_by == (decision.rule,)}
    assert alone == {*PERMISSIONS}


def test_every_obligation_is_owed_somewhere(judged: Judged) -> None:
    """Each obligation is met, and so is a permission without any."""
    owed = {obligation for _, decision in judged for obligation in decision.obligations}
    assert owed == {*Obligation}
    assert any(decision.allowed and not decision.obligations for _, decision in judged)


def test_every_action_is_allowed_somewhere_and_refused_somewhere(judged: Judged) -> None:
    """No action is out of reach of the cases drawn."""
    answers = {(case.question.action, decision.allowed) for case, decision in judged}
    assert {(action.value, answer) for action in Action for answer in (True, False)} <= answers


def test_a_sensible_part_is_allowed(judged: Judged) -> None:
    """Neither nearly everything nor nearly nothing: between a fifth and a half."""
    share = sum(decision.allowed for _, decision in judged) / CASES
    assert 0.2 < share < 0.5


def test_rules_are_told_in_the_order_of_the_tables(judged: Judged) -> None:
    """The oracle keeps the order of the text, which decides which rule decides."""
    for _, decision in judged:
        assert sorted(decision.refused_by, key=REFUSALS.index) == list(decision.refused_by)
        assert sorted(decision.allowed_by, key=PERMISSIONS.index) == list(decision.allowed_by)
