"""What the lint found, told as compilers tell it and as data."""

from pathlib import Path

import pytest

from policy.review.lint.findings import Checked, Finding, Severity

ROW = Finding(Severity.ERROR, Path("rules/10-parties.csv"), 7, "unknown-word", "blcoked is no fact")
FILE = Finding(Severity.WARNING, Path("reasons.csv"), None, "no-sentence", "granted has no sentence")
REVISION = "5f" * 32


@pytest.mark.parametrize(
    "found, last",
    [
        (Checked(None, (FILE, ROW)), "refused (error: 1, warning: 1, information: 0)"),
        (Checked(REVISION, (FILE,)), f"accepted: revision {REVISION} (error: 0, warning: 1, information: 0)"),
        (
            Checked(REVISION, (FILE,), strict=True),
            f"not good enough: revision {REVISION} (error: 0, warning: 1, information: 0)",
        ),
    ],
)
def test_what_is_told_last(found: Checked, last: str) -> None:
    """Whether it passes, and how much of each severity there was."""
    assert list(found.lines())[-1] == last


def test_a_finding_says_where() -> None:
    """With its line, unless it is of the whole file."""
    assert list(Checked(None, (FILE, ROW)).lines())[:2] == [
        "reasons.csv: warning: granted has no sentence  [no-sentence]",
        "rules/10-parties.csv:7: error: blcoked is no fact  [unknown-word]",
    ]


def test_the_same_as_data() -> None:
    """Every member of a finding, and the verdict."""
    assert Checked(None, (ROW,)).data() == {
        "passed": False,
        "revision": None,
        "counts": {"error": 1, "warning": 0, "information": 0},
        "findings": [
            {
                "severity": "error",
                "file": "rules/10-parties.csv",
                "line": 7,
                "code": "unknown-word",
                "sentence": "blcoked is no fact",
            }
        ],
    }
