"""What recorded decisions would be under other rules: told one by one for a rule set, counted between two."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policy.errors import SituationError
from policy.review.recorded import Answer, Recorded, Rejudge
from policy.ruleset import RuleSet

_DIGITS = 12
"""Of a revision, where people read it."""

OPENED, CLOSED, OTHERWISE = "opened", "closed", "otherwise"
"""How an answer may change; otherwise: by another rule, or with other obligations."""


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that would be another: how often, and the first of them that was met."""

    was: Answer
    would_be: Answer
    count: int
    example: Recorded

    def lines(self) -> Iterator[str]:
        yield f"  {self.count:,} × {self.was} -> {self.would_be}"
        yield f"      {self.example.where} at {_minute(self.example.at)}: {' '.join(self.example.words)}"

    def data(self) -> dict[str, Any]:
        one = {"where": self.example.where, "at": self.example.at.isoformat(), "situation": list(self.example.words)}
        return {"was": self.was.data(), "would_be": self.would_be.data(), "count": self.count, "example": one}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Decisions that cannot be judged again for one reason: how many, and where the first of them stands."""

    why: str
    count: int
    where: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What would change, by kind of change. It passes if every decision could be judged again, whatever the answers.

    `first` and `last` bound the instants of all that was met. `by_old_matrix` counts decisions about documents of which
    the type or the reader's profession is no longer known; `faults` are left out, since no rule gave them.
    """

    revision: str
    replayed: int
    first: datetime | None
    last: datetime | None
    changes: dict[str, tuple[Change, ...]]
    by_old_matrix: int
    faults: int
    unreadable: tuple[Unreadable, ...]

    @property
    def passed(self) -> bool:
        return not self.unreadable

    def lines(self) -> Iterator[str]:
        when = f" from {_minute(self.first)} to {_minute(self.last)}" if self.first and self.last else ""
        yield f"{self.replayed:,} decisions{when} judged again by the rules {self.revision[:_DIGITS]}"
        for kind, changes in self.changes.items():
            yield f"{kind}: {sum(change.count for change in changes):,}"
            for change in changes:
                yield from change.lines()
        if self.by_old_matrix:
            yield f"by the habilitation of their time, since document or profession are unknown: {self.by_old_matrix:,}"
        if self.faults:
            yield f"left out, since a fault refused them and no rule: {self.faults:,}"
        for each in self.unreadable:
            yield f"NOT JUDGED, {each.why}: {each.count:,}, such as {each.where}"

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "revision": self.revision,
            "replayed": self.replayed,
            "first": self.first and self.first.isoformat(),
            "last": self.last and self.last.isoformat(),
            **{kind: [change.data() for change in changes] for kind, changes in self.changes.items()},
            "by_old_matrix": self.by_old_matrix,
            "faults": self.faults,
            "unreadable": [{"why": each.why, "count": each.count, "where": each.where} for each in self.unreadable],
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """How many recorded decisions two rule sets answer differently."""

    replayed: int
    opened: int
    closed: int
    otherwise: int
    unreadable: int

    def __str__(self) -> str:
        """One sentence."""
        left = f"; {self.unreadable:,} could not be judged" if self.unreadable else ""
        return (
            f"Of {self.replayed:,} recorded decisions {self.opened:,} would be opened, {self.closed:,} closed "
            f"and {self.otherwise:,} answered alike by another rule or with other obligations{left}."
        )


def replay(recorded: Iterable[Recorded], rules: RuleSet) -> Replay:
    """Judge recorded decisions again, one at a time: memory does not grow with their number."""
    rejudge, tally = Rejudge(rules), _Tally()
    for each in recorded:
        tally.meet(each)
        if each.fault:
            tally.faults += 1
            continue
        try:
            again = rejudge(each)
        except SituationError:
            tally.leave(each)
        else:
            tally.replayed += 1
            tally.by_old_matrix += again.by_old_matrix
            tally.compare(each, again.answer)
    return tally.report(rules.revision)


def count_changes(recorded: Iterable[Recorded], old: RuleSet, new: RuleSet) -> Changes:
    """How recorded decisions differ between two rule sets, both asked anew: what else changed since is left out.

    Where the matrices differ and nothing is known to look up in them, a decision cannot be judged.
    """
    before, after = Rejudge(old), Rejudge(new)
    same_matrix = old.habilitations.opened == new.habilitations.opened
    counts = Counter[str]()
    for each in recorded:
        try:
            was, would_be = before(each), after(each)
        except SituationError:
            counts["unreadable"] += 1
            continue
        if was.by_old_matrix and not same_matrix:
            counts["unreadable"] += 1
            continue
        counts["replayed"] += 1
        if was.answer != would_be.answer:
            counts[_kind(was.answer, would_be.answer)] += 1
    return Changes(*(counts[name] for name in ("replayed", OPENED, CLOSED, OTHERWISE, "unreadable")))


class _Tally:
    """What was met so far."""

    def __init__(self) -> None:
        self.replayed = self.by_old_matrix = self.faults = 0
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._changed = Counter[tuple[Answer, Answer]]()
        self._unreadable = Counter[str]()
        self._examples: dict[tuple[Answer, Answer] | str, Recorded] = {}

    def meet(self, recorded: Recorded) -> None:
        self._first = min(self._first or recorded.at, recorded.at)
        self._last = max(self._last or recorded.at, recorded.at)

    def leave(self, recorded: Recorded) -> None:
        """Count one that cannot be judged."""
        why = "their words are not of this vocabulary" if recorded.words else "no situation was kept with them"
        self._unreadable[why] += 1
        self._examples.setdefault(why, recorded)

    def compare(self, recorded: Recorded, would_be: Answer) -> None:
        pair = recorded.answer, would_be
        if recorded.answer != would_be:
            self._changed[pair] += 1
            self._examples.setdefault(pair, recorded)

    def report(self, revision: str) -> Replay:
        """Changes of each kind, the most frequent first."""
        changes: dict[str, list[Change]] = {OPENED: [], CLOSED: [], OTHERWISE: []}
        for pair, count in sorted(self._changed.items(), key=lambda each: (-each[1], each[0])):
            changes[_kind(*pair)].append(Change(*pair, count, self._examples[pair]))
        return Replay(
            revision,
            self.replayed,
            self._first,
            self._last,
            {kind: tuple(some) for kind, some in changes.items()},
            self.by_old_matrix,
            self.faults,
            tuple(Unreadable(why, count, self._examples[why].where) for why, count in sorted(self._unreadable.items())),
        )


def _kind(was: Answer, would_be: Answer) -> str:
    if was.allowed is would_be.allowed:
        return OTHERWISE
    return OPENED if would_be.allowed else CLOSED


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
