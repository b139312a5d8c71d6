"""What was compared, side by side, with ratios to ours and the goals that we set ourselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from loadtests.peers.comparing import LARGE_BATCH, SMALL_BATCH, Outcome, Revoked
from loadtests.peers.ours import DRY_RUN, JOURNALED

_MEBI = 2**20

Figure = Callable[[Outcome], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours is to be at least so many times theirs."""

    what: str
    ours: str
    peer: str
    least: float
    figure: Figure


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a goal was met: `ratio` is ours over theirs."""

    goal: Goal
    ratio: float

    @property
    def is_met(self) -> bool:
        return self.ratio >= self.goal.least

    def __str__(self) -> str:
        met = "met" if self.is_met else "NOT MET"
        goal = self.goal
        return f"{goal.what}, {goal.ours} / {goal.peer}: {self.ratio:.2f}, at least {goal.least:g} wanted: {met}"


def _single(outcome: Outcome) -> float | None:
    return outcome.single.rate


def _promptness(outcome: Outcome) -> float | None:
    """Of the slowest hundredth: what is half as late is twice as prompt."""
    return 1 / outcome.single.p99


def _paced_promptness(outcome: Outcome) -> float | None:
    return 1 / outcome.paced.p99


def _batch(outcome: Outcome) -> float | None:
    return outcome.batches[LARGE_BATCH].rate


def _listing(outcome: Outcome) -> float | None:
    return outcome.listing.rate if outcome.listing else None


GOALS: Sequence[Goal] = (
    Goal("single decisions a second", DRY_RUN, "OPA", 1.5, _single),
    Goal("single decisions a second", DRY_RUN, "Cerbos, AuthZEN", 4, _single),
    Goal("single decisions a second", DRY_RUN, "OpenFGA", 15, _single),
    Goal("single decisions a second", JOURNALED, "OPA", 1, _single),
    Goal("single decisions a second", JOURNALED, "Cerbos, AuthZEN", 2, _single),
    *(
        Goal(what, ours, peer, 1, figure)
        for what, figure in (("p99, theirs over ours", _promptness), ("p99 at the same rate", _paced_promptness))
        for ours in (DRY_RUN, JOURNALED)
        for peer in ("OPA", "OPA, data loaded", "Cerbos, AuthZEN", "OpenFGA")
    ),
    Goal(f"documents a second in batches of {LARGE_BATCH}", DRY_RUN, "OPA, data loaded", 2, _batch),
    Goal("documents a second in listings", DRY_RUN, "OPA, data loaded", 2, _listing),
)


def verdicts(outcomes: Sequence[Outcome]) -> Iterator[Verdict]:
    """Of the goals whose both sides were measured."""
    by_name = {outcome.name: outcome for outcome in outcomes}
    for goal in GOALS:
        if goal.ours in by_name and goal.peer in by_name:
            ours, theirs = goal.figure(by_name[goal.ours]), goal.figure(by_name[goal.peer])
            if ours and theirs:
                yield Verdict(goal, ours / theirs)


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each; ratios say how many times theirs ours is, asked for a dry run."""
    reference = next(outcome for outcome in outcomes if outcome.name == DRY_RUN)
    shown = Table("", "facts from", "single/s", "p50, p99 ms", "at a fixed rate", title="ours and the peers")
    columns = (f"batch {SMALL_BATCH}, doc/s", f"batch {LARGE_BATCH}, doc/s", "listing, doc/s")
    for column in (*columns, "a listing at half that rate", "wrong after a block", "MiB"):
        shown.add_column(column)
    for outcome in outcomes:
        shown.add_row(*_row(outcome, reference))
    return shown


def _row(outcome: Outcome, reference: Outcome) -> Iterator[str]:
    yield f"{outcome.name} {outcome.version}"
    yield outcome.facts
    yield _rate(_single, outcome, reference)
    yield f"{outcome.single.p50:.2f}, {outcome.single.p99:.2f}"
    yield f"{outcome.paced.p50:.2f}, {outcome.paced.p99:.2f}"
    yield _rate(lambda each: each.batches[SMALL_BATCH].rate, outcome, reference)
    yield _rate(_batch, outcome, reference)
    yield _rate(_listing, outcome, reference)
    yield f"{listing.p50:.2f}, {listing.p99:.2f}" if (listing := outcome.paced_listing) else "–"
    yield "\n".join(map(_told, outcome.revoked)) or "the caller's problem"
    yield f"{outcome.memory / _MEBI:,.0f}"


def _rate(figure: Figure, outcome: Outcome, reference: Outcome) -> str:
    rate, ours = figure(outcome), figure(reference)
    if rate is None or not ours:
        return "–"
    return f"{rate:,.0f} ({ours / rate:.2f})"


def _told(revoked: Revoked) -> str:
    if not revoked.wrong:
        return f"{revoked.when}: none of {revoked.asked:,}"
    return f"{revoked.when}: {revoked.wrong:,} of {revoked.asked:,}, the last after {revoked.last:.1f} s"


def as_json(outcomes: Sequence[Outcome], setting: Mapping[str, object]) -> Mapping[str, object]:
    """Everything that was measured, for a program."""
    return {
        "setting": setting,
        "outcomes": outcomes,
        "goals": [
            {
                "what": verdict.goal.what,
                "ours": verdict.goal.ours,
                "peer": verdict.goal.peer,
                "wanted": verdict.goal.least,
                "ratio": verdict.ratio,
                "met": verdict.is_met,
            }
            for verdict in verdicts(outcomes)
        ],
    }
