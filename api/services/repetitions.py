"""The same active substance twice over the same days: a hint for who prescribes, by which nothing is decided.

Two treatments of one ATC code of level 5 whose days overlap and that nobody meant to be one; level 4 tells the same of
neighbouring substances. What counts [choice, all of it]:

- two prescriptions, of different prescribers: one prescriber changes and renews his own;
- two dispensations: of different pharmacies, or of one, but for the last days of a supply, when the next is fetched;
- what was handed out or reimbursed against a prescription, only if it is said to be for another one: otherwise it is
  the treatment that was prescribed;
- what was reimbursed, which is the shadow of a dispensation, only for the prescriber that it names;
- nothing that was administered, which was ordered before; nothing within one document or one prescription, where two
  strengths make one dose; nothing that has the same identifier, since two systems may tell of one dispensation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from api.services.clinical_facts import Medicine
from api.services.overlaps import Overlap, Pair, joined, latest, overlap_of, overlapping_pairs
from models.vocabulary import Category, CodeSystem

FETCHED_EARLY = timedelta(days=7)
"""By so much a supply may overlap the next one of the same pharmacy, or one of which the end is presumed."""

SUBSTANCE, GROUP = 5, 4
_CHARACTERS = {SUBSTANCE: 7, GROUP: 5}
_PRESCRIBED = Category.PRESCRIPTION
_HANDED_OUT = frozenset({Category.DISPENSATION, Category.REIMBURSEMENT})


@dataclass(frozen=True, slots=True)
class Repetition:
    """One substance (ATC `level` 5), or substances of one group (4), twice over the same days."""

    atc: str
    level: int
    labels: tuple[str, ...]
    overlap: Overlap


def repetitions(medicines: Iterable[Medicine]) -> list[Repetition]:
    """Substances first, then groups; the latest first."""
    courses = [each for each in latest(medicines) if each.category in {_PRESCRIBED, *_HANDED_OUT}]
    found = [
        Repetition(atc, level, _labels(together), overlap_of(together))
        for level in (SUBSTANCE, GROUP)
        for atc, those in _by_code(courses, level).items()
        for together in joined(_pairs(those, level))
    ]
    return sorted(found, key=lambda each: (each.level, each.overlap.begins, each.atc), reverse=True)


def _pairs(medicines: Sequence[Medicine], level: int) -> list[Pair]:
    return [
        pair
        for pair in overlapping_pairs(medicines)
        if _counts(pair) and (level == SUBSTANCE or _are_of_two_substances(pair))
    ]


def _are_of_two_substances(pair: Pair) -> bool:
    return _codes(pair.first, SUBSTANCE).isdisjoint(_codes(pair.second, SUBSTANCE))


def _counts(pair: Pair) -> bool:
    one, other = pair.first, pair.second
    categories = {one.category, other.category}
    if one.identifiers & other.identifiers:
        return False
    if categories == {_PRESCRIBED}:
        return _are_of_two_prescribers(one, other)
    if _PRESCRIBED in categories:
        return _is_for_another(one, other)
    if pair.days <= FETCHED_EARLY and (pair.presumed or one.author == other.author):
        return False
    if categories == {Category.DISPENSATION}:
        return one.document != other.document
    return _differ(one.prescriber, other.prescriber)


def _are_of_two_prescribers(one: Medicine, other: Medicine) -> bool:
    if one.document == other.document or one.prescriptions & other.prescriptions:
        return False
    return (one.prescriber or one.author) != (other.prescriber or other.author)


def _is_for_another(one: Medicine, other: Medicine) -> bool:
    """Whether what was handed out names another prescription, or at least another prescriber."""
    if one.prescriptions and other.prescriptions:
        return one.prescriptions.isdisjoint(other.prescriptions)
    return _differ(one.prescriber, other.prescriber)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _by_code(medicines: Iterable[Medicine], level: int) -> Mapping[str, list[Medicine]]:
    found: dict[str, list[Medicine]] = {}
    for each in medicines:
        for atc in _codes(each, level):
            found.setdefault(atc, []).append(each)
    return found


def _codes(medicine: Medicine, level: int) -> frozenset[str]:
    """What it is at this level of the ATC."""
    length = _CHARACTERS[level]
    return frozenset(
        code.value[:length] for code in medicine.codes if code.system is CodeSystem.ATC and len(code.value) >= length
    )


def _labels(pairs: Iterable[Pair]) -> tuple[str, ...]:
    return tuple(sorted({each.label for pair in pairs for each in (pair.first, pair.second) if each.label}))
