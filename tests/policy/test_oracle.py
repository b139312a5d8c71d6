"""The policy says what the rules say: it agrees with the oracle on every case drawn.

`DMP_ORACLE_CASES` sets the number of cases (rounded up to whole portions), `DMP_ORACLE_SEED` repeats a run: every run
prints its seed.
"""

import ast
import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

import pytest
from msgspec.structs import replace

from models.decisions import Decision
from models.facts import Case
from tests.policy import oracle
from tests.policy.comparison import PORTION, compare
from tests.policy.disagreement import Disagreement, describe, plainest
from tests.policy.drawing import draw_case
from tests.policy.oracle_facts import read_matrix

CASES = 100_000


@pytest.mark.no_cover
def test_the_policy_agrees_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    """Answer, deciding rule, all refusing and all allowing rules and obligations are the same on every case.

    The bulk evaluation, on which reviews rest, agrees with Casbin on every situation met on the way.
    """
    cases = int(os.environ.get("DMP_ORACLE_CASES", CASES))
    seed = int(os.environ.get("DMP_ORACLE_SEED", SystemRandom().getrandbits(32)))
    portions = list(compare(seed, cases))
    allowed, judged = sum(portion.allowed for portion in portions), len(portions) * PORTION
    with capsys.disabled():
        sys.stdout.write(f"\npolicy and oracle compared on {judged} cases, {allowed} allowed, DMP_ORACLE_SEED={seed}\n")
    found = [disagreement for portion in portions for disagreement in portion.disagreements]
    assert judged >= cases > 0
    assert [situation.words() for portion in portions for situation in portion.in_bulk] == []
    assert not found, f"DMP_ORACLE_SEED={seed}: {len(found)} disagreements or more, {_told(found)}"


def _told(found: list[Disagreement]) -> str:
    """The plainest one in full, and what the others are about."""
    smallest = min((str(disagreement) for disagreement in found), key=len)
    rules = Counter((disagreement.policy.rule, disagreement.oracle.rule) for disagreement in found)
    pairs = ", ".join(f"{policy} for {expected} ({count})" for (policy, expected), count in rules.most_common())
    return f"the plainest:\n{smallest}\ndeciding rules, policy for oracle: {pairs}"


def test_a_disagreement_is_made_plain() -> None:
    """Of a case on which two judges differ, only what they differ about is left and told."""
    judge = partial(oracle.judge, matrix=read_matrix())

    def careless(case: Case) -> Decision:
        """As the oracle, but blind to how the dossier is entered when it is not in the ordinary way."""
        question = case.question
        return judge(replace(case, question=replace(question, context=replace(question.context, mode="normal"))))

    random = Random(1)
    case = next(case for case in iter(lambda: draw_case(random), None) if careless(case) != judge(case))
    plain = plainest(case, careless, judge)
    assert plain.policy != plain.oracle
    assert len(describe(plain.case)) <= len(describe(case))
    assert plain.case.relations == ()
    assert "mode=" in str(plain)
    assert "authentication=" not in str(plain)


def test_the_oracle_shares_no_code_with_the_policy() -> None:
    """Agreement means something only between strangers: no module of the oracle imports any of the policy."""
    modules = sorted(Path(__file__).parent.glob("oracle*.py"))
    imported = {
        name.partition(".")[0]
        for module in modules
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        for name in _imports(node)
    }
    assert len(modules) == 4
    assert imported - sys.stdlib_module_names == {"models", "tests"}


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
