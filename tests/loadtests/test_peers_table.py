"""The table says how many times theirs ours is, and the goals say whether that is enough."""

import json
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from rich.console import Console

from loadtests.peers.client import Measured
from loadtests.peers.comparing import LARGE_BATCH, SMALL_BATCH, WHOLE_DOSSIER, Outcome, Revoked
from loadtests.peers.ours import DRY_RUN, JOURNALED
from loadtests.peers.table import GOALS, as_json, table, verdicts


def measured(rate: float, p99: float = 2.0) -> Measured:
    return Measured(round(rate * 10), 10.0, p99 / 2, p99, 0.5)


OURS = Outcome(
    DRY_RUN,
    "1",
    "PostgreSQL",
    measured(3_000),
    measured(500),
    {SMALL_BATCH: measured(5_000), LARGE_BATCH: measured(9_000)},
    measured(8_000),
    measured(250, 4.0),
    {SMALL_BATCH: 50.0, LARGE_BATCH: 200.0, WHOLE_DOSSIER: 300.0},
    [Revoked("after its answer left", 120, 0, 0.0)],
    50 * 2**20,
)
OPA = replace(OURS, name="OPA", single=measured(1_500, 4.0), listing=None, paced_listing=None, revoked=[])
LOADED = replace(
    OURS, name="OPA, data loaded", listing=measured(5_000), revoked=[Revoked("before it is loaded", 40, 30, 1.25)]
)


def shown(outcomes: Sequence[Outcome]) -> str:
    console = Console(width=250, record=True, quiet=False)
    with console.capture() as capture:
        console.print(table(outcomes))
    return capture.get()


def test_a_listing_is_timed_as_it_arrives() -> None:
    """Its latency stands beside the rate of documents."""
    assert [f" {told} " in shown([OURS]) for told in ("8,000 (1.00)", "2.00, 4.00")] == [True, True]


def test_a_row_has_rates_and_ratios() -> None:
    """Ours is twice theirs where the table says 2."""
    row = next(line for line in shown([OURS, OPA]).splitlines() if "OPA" in line)
    assert ("1,500 (2.00)" in row, "9,000 (1.00)" in row, "2.00, 4.00" in row, " – " in row) == (True,) * 4


@pytest.mark.parametrize(
    "outcome, told",
    [
        (OURS, "after its answer left: none of 120"),
        (OPA, "the caller's problem"),
        (LOADED, "before it is loaded: 30 of 40, the last after 1.2 s"),
    ],
    ids=["ours", "handed", "loaded"],
)
def test_wrong_answers_are_counted(outcome: Outcome, told: str) -> None:
    """Or it is said whose matter they are."""
    assert told in shown([OURS, outcome])


def test_a_goal_is_met_or_says_by_how_much_not() -> None:
    """Twice OPA that is handed its facts is enough; 1.6 times the listings of OPA with its data are not."""
    found = {(each.goal.what, each.goal.peer): (each.ratio, each.is_met) for each in verdicts([OURS, OPA, LOADED])}
    assert (
        found["single decisions a second", "OPA"],
        found["documents a second in listings", "OPA, data loaded"],
        found["p99, theirs over ours", "OPA"],
    ) == ((2.0, True), (1.6, False), (2.0, True))


def test_a_missed_goal_is_loud() -> None:
    """It stands in capitals, with what was wanted."""
    told = [str(each) for each in verdicts([OURS, LOADED]) if "listings" in each.goal.what]
    assert told == [
        f"documents a second in listings, {DRY_RUN} / OPA, data loaded: 1.60, at least 2 wanted: NOT MET",
    ]


def test_whoever_was_not_compared_has_no_verdict() -> None:
    """A goal needs both sides."""
    assert list(verdicts([OURS])) == []


def test_goals_are_those_that_were_set() -> None:
    """The rates at which ours is to be better, one by one."""
    rates = {(goal.ours, goal.peer): goal.least for goal in GOALS if "single" in goal.what}
    assert rates == {
        (DRY_RUN, "OPA"): 1.5,
        (DRY_RUN, "Cerbos, AuthZEN"): 4,
        (DRY_RUN, "OpenFGA"): 15,
        (JOURNALED, "OPA"): 1,
        (JOURNALED, "Cerbos, AuthZEN"): 2,
    }


def test_a_program_can_read_everything() -> None:
    """Setting, figures and goals in one file."""
    told = json.loads(msgspec.json.encode(as_json([OURS, OPA], {"seed": 1})))
    assert (told["setting"], told["outcomes"][1]["single"]["p99"], told["goals"][0]["met"]) == ({"seed": 1}, 4.0, True)
