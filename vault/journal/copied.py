"""A dossier's journal that somebody took away, held to the log's checkpoint: neither database nor service is asked.

What was taken is all the lines of a dossier up to the last one of the log, newest first, so that whatever was changed,
moved or left out is found and named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from vault.errors import ProofError
from vault.journal.checkpoint import Checkpoint
from vault.journal.entry import Line
from vault.journal.proof import Way, parse_line
from vault.journal.tree import leaf_hash, verify_inclusion


@dataclass(slots=True)
class Copied:
    """What a copy of a journal is worth: how many lines were read, and everything that is wrong with them."""

    lines: int = 0
    erased: int = 0
    dossier: UUID | None = None
    findings: list[str] = field(default_factory=list)


def hold_copied(
    journal: Iterable[bytes], ways: Iterable[bytes], checkpoint: Checkpoint, *, whole: bool = True
) -> Copied:
    """Hold each line to its entry, its place in the log and its neighbours; never raises for what the copy holds.

    Without `whole`, the copy is of somebody's own entries, among which others stand: that none is missing cannot be
    told then.
    """
    copied, places = Copied(), _Places(ways)
    newer: Line | None = None
    expected: int | None = None
    for number, data in enumerate(journal, 1):
        copied.lines += 1
        try:
            line = parse_line(data)
        except ProofError:
            name = f"line {number}" if expected is None else f"entry {expected} (line {number})"
            copied.findings.append(f"{name} is none of a journal, or not what was committed to")
            newer, expected = None, None if expected is None else expected - 1
            continue
        copied.dossier = copied.dossier or line.dossier
        copied.erased += line.entry is None
        copied.findings += _found_of_one(line, copied.dossier, places.of(line.sequence), checkpoint)
        if whole:
            copied.findings += _found_between(newer, expected, line)
            if number == 1 and not places.is_last(line.sequence, checkpoint):
                copied.findings.append(f"the newest entries, those after {line.sequence}, are missing")
        newer, expected = line, line.sequence - 1
    if whole and expected != 0:
        copied.findings.append("the oldest entries are missing" if expected is None else _missing(1, expected))
    return copied


class _Places:
    """The ways of a copy, in the order of its lines: those of lines that are not there are passed over."""

    def __init__(self, ways: Iterable[bytes]) -> None:
        self._ways = _parsed(ways)
        self._next = next(self._ways, None)

    def of(self, sequence: int) -> Way | None:
        while self._next is not None and self._next.sequence > sequence:
            self._next = next(self._ways, None)
        return self._next if self._next is not None and self._next.sequence == sequence else None

    def is_last(self, sequence: int, checkpoint: Checkpoint) -> bool:
        """Whether a line, whose place was just asked for, is the log's last."""
        way = self.of(sequence)
        return way is None or way.position == checkpoint.size - 1


def _parsed(ways: Iterable[bytes]) -> Iterator[Way]:
    """Those that are any; of the others, the line that they were for has none."""
    for data in ways:
        try:
            yield Way.parse(data)
        except ProofError:
            continue


def _found_of_one(line: Line, dossier: UUID, way: Way | None, checkpoint: Checkpoint) -> Iterator[str]:
    if line.dossier != dossier:
        yield f"entry {line.sequence} is of another dossier"
    if way is None:
        yield f"entry {line.sequence} has no proof"
    elif not verify_inclusion(leaf_hash(line.encode()), way.position, checkpoint.size, way.path, checkpoint.root):
        yield f"entry {line.sequence} does not stand in the log"


def _found_between(newer: Line | None, expected: int | None, line: Line) -> Iterator[str]:
    """What is wrong between a line and the one before it in the copy, which is the next of its dossier."""
    if expected is not None and line.sequence < expected:
        yield _missing(line.sequence + 1, expected)
    elif expected is not None and line.sequence > expected:
        yield f"entry {line.sequence} does not stand where it belongs"
    elif newer is not None and newer.previous != leaf_hash(line.encode()):
        yield f"entry {line.sequence} is not the one that entry {newer.sequence} is chained to"
    if line.sequence == 1 and line.previous:
        yield "entry 1 is chained to another"


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
