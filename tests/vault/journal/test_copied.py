"""A copy of a journal against whoever alters it; no database here."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER, an_entry
from vault.errors import ProofError
from vault.journal.checkpoint import Checkpoint
from vault.journal.copied import hold_copied
from vault.journal.entry import Line
from vault.journal.proof import Way, encode_line
from vault.journal.tree import Frontier, Node, compute, inclusion, leaf_hash

SALT = b"\x5a" * 32
SIZE = 6


def _lines() -> list[Line]:
    lines: list[Line] = []
    for number in range(1, SIZE + 1):
        previous = leaf_hash(lines[-1].encode()) if lines else b""
        lines.append(Line.of(an_entry(request_id=f"r-{number}"), number, previous, SALT))
    return lines


LINES = _lines()


def _log(lines: list[Line]) -> tuple[Checkpoint, list[Way]]:
    """The log of these lines, and the way of each to its root."""
    leaves = [leaf_hash(line.encode()) for line in lines]
    stored = {Node(0, place): leaf for place, leaf in enumerate(leaves)}
    ways = [
        Way(line.sequence, place, tuple(compute(step, stored) for step in inclusion(place, len(lines))))
        for place, line in enumerate(lines)
    ]
    return Checkpoint("dmp.example/journal", len(lines), Frontier().extend(leaves)[0].root()), ways


CHECKPOINT, WAYS = _log(LINES)
JOURNAL = [encode_line(line) for line in reversed(LINES)]
PLACES = [way.encode() for way in reversed(WAYS)]

Change = Callable[[list[bytes], list[bytes]], None]


def _edited(journal: list[bytes], _: list[bytes]) -> None:
    journal[3] = journal[3].replace(b"r-3", b"r-x")


def _garbled_first(journal: list[bytes], _: list[bytes]) -> None:
    journal[0] = b"{}"


def _garbled_twice(journal: list[bytes], _: list[bytes]) -> None:
    journal[2] = journal[3] = b""


def _written_anew(journal: list[bytes], _: list[bytes]) -> None:
    line = Line.of(an_entry(request_id="other"), 3, LINES[2].previous, SALT)
    journal[3] = encode_line(line)


def _left_out(journal: list[bytes], places: list[bytes]) -> None:
    del journal[3], places[3]


def _left_out_with_a_place(journal: list[bytes], _: list[bytes]) -> None:
    del journal[2:4]


def _without_the_newest(journal: list[bytes], places: list[bytes]) -> None:
    del journal[:2], places[:2]


def _without_the_oldest(journal: list[bytes], places: list[bytes]) -> None:
    del journal[-2:], places[-2:]


def _without_any(journal: list[bytes], places: list[bytes]) -> None:
    journal.clear()
    places.clear()


def _swapped(journal: list[bytes], places: list[bytes]) -> None:
    journal[1], journal[2] = journal[2], journal[1]


def _twice(journal: list[bytes], places: list[bytes]) -> None:
    journal.insert(3, journal[3])
    places.insert(3, places[3])


def _without_a_place(_: list[bytes], places: list[bytes]) -> None:
    del places[2]


def _with_a_broken_place(_: list[bytes], places: list[bytes]) -> None:
    places[5] = b"[]"


def _at_another_place(_: list[bytes], places: list[bytes]) -> None:
    places[2] = replace(WAYS[3], position=2).encode()


def _of_another(journal: list[bytes], _: list[bytes]) -> None:
    journal[5] = encode_line(Line.of(an_entry(dossier=OTHER_DOSSIER), 1, b"", SALT))


def _chained_to_more(journal: list[bytes], _: list[bytes]) -> None:
    journal[5] = encode_line(Line.of(an_entry(request_id="r-1"), 1, b"\x01" * 32, SALT))


def test_a_copy_as_it_was_taken_holds() -> None:
    """Every line, in its place, from the last to the first."""
    copied = hold_copied(JOURNAL, PLACES, CHECKPOINT)
    assert (copied.lines, copied.erased, copied.dossier, copied.findings) == (SIZE, 0, DOSSIER, [])


_NOT_CHAINED = "entry {} is not the one that entry {} is chained to"
_NOT_IN_THE_LOG = "entry {} does not stand in the log"


@pytest.mark.parametrize(
    "change,findings",
    [
        (_edited, ["entry 3 (line 4) is none of a journal, or not what was committed to"]),
        (
            _garbled_first,
            ["line 1 is none of a journal, or not what was committed to"],
        ),
        (
            _garbled_twice,
            [
                "entry 4 (line 3) is none of a journal, or not what was committed to",
                "entry 3 (line 4) is none of a journal, or not what was committed to",
            ],
        ),
        (
            _written_anew,
            [_NOT_IN_THE_LOG.format(3), _NOT_CHAINED.format(3, 4)],
        ),
        (_left_out, ["entry 3 is missing"]),
        (_left_out_with_a_place, ["entries 3 to 4 are missing"]),
        (_without_the_newest, ["the newest entries, those after 4, are missing"]),
        (_without_the_oldest, ["entries 1 to 2 are missing"]),
        (_without_any, ["the oldest entries are missing"]),
        (
            _swapped,
            [
                "entry 5 is missing",
                "entry 5 has no proof",
                "entry 5 does not stand where it belongs",
                "entry 4 is missing",
            ],
        ),
        (_twice, ["entry 3 does not stand where it belongs"]),
        (_without_a_place, ["entry 4 has no proof"]),
        (_with_a_broken_place, ["entry 1 has no proof"]),
        (_at_another_place, [_NOT_IN_THE_LOG.format(4)]),
        (
            _of_another,
            ["entry 1 is of another dossier", _NOT_IN_THE_LOG.format(1), _NOT_CHAINED.format(1, 2)],
        ),
        (
            _chained_to_more,
            [_NOT_IN_THE_LOG.format(1), _NOT_CHAINED.format(1, 2), "entry 1 is chained to another"],
        ),
    ],
)
def test_what_was_changed_is_named(change: Change, findings: list[str]) -> None:
    """A line that was edited, written anew, left out, moved, doubled or taken from elsewhere, and a proof likewise."""
    journal, places = list(JOURNAL), list(PLACES)
    change(journal, places)
    assert hold_copied(journal, places, CHECKPOINT).findings == findings


def test_another_log_does_not_hold_the_copy() -> None:
    """Of another checkpoint no line is."""
    held = hold_copied(JOURNAL, PLACES, replace(CHECKPOINT, root=b"\x00" * 32))
    assert held.findings == [_NOT_IN_THE_LOG.format(number) for number in range(SIZE, 0, -1)]


def test_an_erased_line_is_counted() -> None:
    """Its bytes hold; what it said is gone."""
    journal = [*JOURNAL[:-1], encode_line(replace(LINES[0], entry=None, salt=b""))]
    copied = hold_copied(journal, PLACES, CHECKPOINT)
    assert (copied.erased, copied.findings) == (1, [])


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"sequence":0,"position":0,"path":[]}', b'{"sequence":1,"position":0,"path":["x"]}']
)
def test_what_is_no_place_is_refused(data: bytes) -> None:
    """With one error for all."""
    with pytest.raises(ProofError):
        Way.parse(data)
