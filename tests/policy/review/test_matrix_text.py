"""The matrix on a terminal: 80 columns, a sign for each cell, and the rule of each sign."""

from pathlib import Path

import pytest

from models.vocabulary import Action, Mode
from policy.engine import Engine
from policy.review.matrix.report import matrix_of
from tests.policy.folders import copy_of_the_policy, rewrite


def shown(engine: Engine, mode: Mode, action: Action = Action.DOCUMENT_READ) -> str:
    return "\n".join(matrix_of(engine, action, [mode]).lines())


@pytest.mark.parametrize("action", [Action.DOCUMENT_READ, Action.DOCUMENT_MASK, Action.DOCUMENT_DELETE])
def test_no_line_is_longer_than_a_terminal(engine: Engine, action: Action) -> None:
    """Of 80 columns."""
    assert [line for line in matrix_of(engine, action).lines() if len(line) > 80] == []


@pytest.mark.parametrize(
    "mode, rows",
    [
        (
            Mode.NORMAL,
            """
treating physician:
  physician              ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ◐11
                         ✓ treating-physician   ✗ not-habilitated
care team with consent:
""",
        ),
        (
            Mode.NORMAL,
            """
  psychologist           ◐38° ◐10° ✗    ✗°   ✗    ✓°   ✗    ✗°   ✗    ✗    ✗°
                         ✓ granted   ✗ not-habilitated
""",
        ),
        (
            Mode.NORMAL,
            """
emergency call regulator or no tie:
  every health           ✗    ✗    ✗    ✗    ✗    ✗    ✗    ✗    ✗    ✗    ✗
    profession           ✗ not-permitted or not-habilitated
""",
        ),
        (
            Mode.CENTRE_15,
            """
MODE CENTRE 15           rep  sum  ima  pre  dis  pla  tre  cer  rei  pat  adm
emergency call regulator:
  physician              ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ✓    ◐11
                         ✓ centre-15   ✗ not-habilitated
""",
        ),
        (
            Mode.CENTRE_15,
            """
PERSONA                  ord  mas  sho  wit  hid  blo  wea  con  ref  rea  clo
physician of centre 15   ✓    ✗    ✓    ✓    ✓    ✗    ✗    –    ✗    –    ✗
                         ✓ centre-15   ✗ masked: mas   ✗ blocked: blo
                         ✗ weak-authentication: wea   ✗ centre-15-refused: ref
                         ✗ dossier-closed: clo
""",
        ),
    ],
)
def test_rows_are_told_with_their_rules(engine: Engine, mode: Mode, rows: str) -> None:
    """Signs first, beneath them which rule each stands for; where it depends on the column, in which."""
    assert rows in shown(engine, mode)


def test_a_wrong_row_is_seen(tmp_path: Path) -> None:
    """The cell of a leak has the sign of a permission, with the rule that gives it."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(folder / "rules" / "40-documents.csv", lambda text: text.replace("!emergency_lifts_mask", "normal"))
    assert "physician of centre 15   ✓    ✓    ✓    ✓    ✓    ✗ " in shown(Engine.load(folder), Mode.CENTRE_15)


def test_it_says_what_it_rests_on(engine: Engine) -> None:
    """The rule set and the statuses of the habilitation matrix."""
    text = shown(engine, Mode.NORMAL)
    assert f"Rule set {engine.revision}\n" in text
    assert "Its rows: 213 assumed, 51 sourced, 6 suspended; suspended ones do not count.\n" in text
