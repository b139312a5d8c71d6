"""Treatments that share days: pairs of them, and pairs that belong together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from uuid import UUID

from api.services.clinical_facts import Medicine

PRESUMED_DAYS = 30
"""Of a treatment of which nobody says until when: a package of a month [choice]."""

MOST_MEDICINES = 1_000
"""So many, the latest, are compared with each other."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two treatments and the days that they share, from one to another, included."""

    first: Medicine
    second: Medicine
    begins: date
    ends: date

    @property
    def presumed(self) -> bool:
        """Whether an end was not said."""
        return self.first.ends is None or self.second.ends is None

    @property
    def days(self) -> timedelta:
        """How long they go together."""
        return self.ends - self.begins + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The days of pairs that belong together, and the documents that tell of them; `presumed` as of a pair."""

    begins: date
    ends: date
    documents: tuple[UUID, ...]
    presumed: bool


def latest(medicines: Iterable[Medicine]) -> list[Medicine]:
    """Those that are compared, the same one once."""
    ordered = sorted(set(medicines), key=lambda each: (each.begins, str(each.document), each.label), reverse=True)
    return ordered[:MOST_MEDICINES]


def overlapping(one: Medicine, other: Medicine) -> Pair | None:
    """The days that two share."""
    begins, ends = max(one.begins, other.begins), min(_last(one), _last(other))
    return Pair(one, other, begins, ends) if begins <= ends else None


def overlapping_pairs(medicines: Iterable[Medicine]) -> Iterator[Pair]:
    """Each two that share days: those that begin after one has ended are not looked at for it."""
    ordered = sorted(medicines, key=lambda each: each.begins)
    for place, one in enumerate(ordered):
        last = _last(one)
        for other in islice(ordered, place + 1, None):
            if other.begins > last:
                break
            yield Pair(one, other, other.begins, min(last, _last(other)))


def joined(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Pairs that have a treatment in common, directly or through others, together."""
    led_by: dict[int, int] = {}

    def leader(medicine: Medicine) -> int:
        place = id(medicine)  # one object each, out of `latest`; its hash would read all of it every time
        while led_by.setdefault(place, place) != place:
            led_by[place] = place = led_by[led_by[place]]
        return place

    for pair in pairs:
        led_by[leader(pair.first)] = leader(pair.second)
    together: dict[int, list[Pair]] = {}
    for pair in pairs:
        together.setdefault(leader(pair.first), []).append(pair)
    return list(together.values())


def overlap_of(pairs: Sequence[Pair]) -> Overlap:
    """What is told of pairs that belong together."""
    documents = dict.fromkeys(each.document for pair in pairs for each in (pair.first, pair.second))
    return Overlap(
        min(pair.begins for pair in pairs),
        max(pair.ends for pair in pairs),
        tuple(documents),
        any(pair.presumed for pair in pairs),
    )


def _last(medicine: Medicine) -> date:
    return medicine.ends or medicine.begins + timedelta(days=PRESUMED_DAYS - 1)
