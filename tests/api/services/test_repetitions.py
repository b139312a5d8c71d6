"""The same substance twice over the same days: what counts, and above all what does not."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.services.clinical_facts import Code, Medicine
from api.services.overlaps import MOST_MEDICINES, PRESUMED_DAYS
from api.services.repetitions import repetitions
from models.vocabulary import Category, CodeSystem

JUNE = date(2026, 6, 1)
PARACETAMOL, IBUPROFEN, NAPROXEN = "N02BE01", "M01AE01", "M01AE02"
ONE, OTHER = "10001234565", "10001234573"
_DOCUMENT = UUID("5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11")


def _medicine(category: Category, code: str, first: int, days: int | None, **more: Any) -> Medicine:
    begins = JUNE + timedelta(days=first - 1)
    ends = begins + timedelta(days=days - 1) if days else None
    codes = frozenset({Code(CodeSystem.ATC, code)})
    return replace(Medicine(category, codes, code, begins, ends, uuid4()), **more)


def prescribed(code: str = PARACETAMOL, first: int = 1, days: int | None = 30, **more: Any) -> Medicine:
    by: dict[str, Any] = {"author": f"professional/{ONE}", "prescriber": ONE}
    return _medicine(Category.PRESCRIPTION, code, first, days, **(by | more))


def dispensed(code: str = PARACETAMOL, first: int = 1, days: int | None = 30, **more: Any) -> Medicine:
    return _medicine(Category.DISPENSATION, code, first, days, **({"author": "organization/750000010"} | more))


def reimbursed(code: str = PARACETAMOL, first: int = 1, **more: Any) -> Medicine:
    return _medicine(Category.REIMBURSEMENT, code, first, None, **({"author": "organization/775685019"} | more))


def administered(code: str = PARACETAMOL, first: int = 1) -> Medicine:
    return _medicine(Category.ADMINISTERED_TREATMENT, code, first, 1)


def of(*names: str) -> frozenset[str]:
    return frozenset(names)


by_other: dict[str, Any] = {"author": f"professional/{OTHER}", "prescriber": OTHER}
elsewhere: dict[str, Any] = {"author": "organization/750000028"}


@pytest.mark.parametrize(
    "one, other",
    [
        (prescribed(), prescribed(first=20, **by_other)),
        (prescribed(days=None), prescribed(first=20, **by_other)),
        (prescribed(), prescribed(first=30, **by_other)),
        (prescribed(author="organization/1", prescriber=None), prescribed(**by_other)),
        (dispensed(), dispensed(first=10)),
        (dispensed(), dispensed(first=30, **elsewhere)),
        (dispensed(days=None), dispensed(first=10, days=None, **elsewhere)),
        (dispensed(prescriptions=of("R1")), dispensed(first=5, prescriptions=of("R1"), **elsewhere)),
        (prescribed(prescriptions=of("R1")), dispensed(prescriptions=of("R2"))),
        (prescribed(), dispensed(prescriber=OTHER)),
        (prescribed(), reimbursed(first=10, prescriber=OTHER)),
        (dispensed(prescriber=ONE), reimbursed(first=10, prescriber=OTHER)),
        (reimbursed(prescriber=ONE), reimbursed(first=10, prescriber=OTHER)),
        (
            reimbursed(prescriber=ONE, document=_DOCUMENT),
            reimbursed(first=10, prescriber=OTHER, document=_DOCUMENT),
        ),
    ],
    ids=[
        "two prescribers",
        "an end that is presumed",
        "one day together",
        "a hospital and a physician",
        "one pharmacy, too early",
        "two pharmacies",
        "two pharmacies, for how long is presumed",
        "one prescription handed out twice",
        "handed out for another prescription",
        "handed out for another prescriber",
        "reimbursed for another prescriber",
        "handed out for one, reimbursed for another",
        "reimbursed for two prescribers",
        "reimbursed for two in a month",
    ],
)
def test_a_repetition(one: Medicine, other: Medicine) -> None:
    """Is pointed out, once, whichever comes first."""
    for pair in ((one, other), (other, one)):
        (found,) = repetitions(pair)
        assert (found.atc, found.level, found.labels) == (PARACETAMOL, 5, (PARACETAMOL,))
        assert set(found.overlap.documents) == {one.document, other.document}


@pytest.mark.parametrize(
    "one, other",
    [
        (prescribed(), dispensed()),
        (prescribed(prescriptions=of("R1", "P1")), dispensed(prescriptions=of("R1"), prescriber=OTHER)),
        (prescribed(), reimbursed(first=2)),
        (prescribed(), reimbursed(first=2, prescriber=ONE)),
        (dispensed(), reimbursed(prescriber=OTHER)),
        (dispensed(prescriber=ONE), reimbursed(prescriber=ONE)),
        (reimbursed(), reimbursed(first=10)),
        (reimbursed(prescriber=ONE), reimbursed(first=25, prescriber=OTHER)),
        (prescribed(), prescribed(first=20)),
        (prescribed(document=_DOCUMENT), prescribed(document=_DOCUMENT, **by_other)),
        (prescribed(prescriptions=of("P1")), prescribed(prescriptions=of("P1"), **by_other)),
        (prescribed(), prescribed(first=31, **by_other)),
        (prescribed(days=None), prescribed(first=1 + PRESUMED_DAYS, **by_other)),
        (dispensed(), dispensed(first=24)),
        (dispensed(days=None), dispensed(first=28, days=None, **elsewhere)),
        (dispensed(identifiers=of("D1")), dispensed(identifiers=of("D1"), **elsewhere)),
        (dispensed(document=_DOCUMENT, label="500 mg"), dispensed(document=_DOCUMENT, label="1 g")),
        (administered(), administered()),
        (administered(), prescribed(**by_other)),
        (prescribed(), prescribed(IBUPROFEN, **by_other)),
    ],
    ids=[
        "a prescription and its dispensation",
        "and it says so",
        "a prescription and its reimbursement",
        "and it says so",
        "a dispensation and its reimbursement",
        "and both say so",
        "reimbursed, for whom is not said",
        "a package fetched early for a replacement",
        "renewed by its prescriber",
        "one document",
        "one prescription",
        "one after the other",
        "one after the other, as presumed",
        "fetched a week early",
        "two packages that follow each other",
        "one dispensation told twice",
        "two strengths",
        "given twice",
        "prescribed and given",
        "two substances",
    ],
)
def test_no_repetition(one: Medicine, other: Medicine) -> None:
    """Is not pointed out, whichever comes first."""
    assert (repetitions([one, other]), repetitions([other, one])) == ([], [])


def test_the_days_together() -> None:
    """From the later beginning to the earlier end; presumed only where an end is not said."""
    (found,) = repetitions([prescribed(days=20), prescribed(first=10, **by_other)])
    assert (found.overlap.begins, found.overlap.ends) == (date(2026, 6, 10), date(2026, 6, 20))
    assert not found.overlap.presumed
    (found,) = repetitions([prescribed(days=None), prescribed(first=10, **by_other)])
    assert (found.overlap.ends, found.overlap.presumed) == (date(2026, 6, PRESUMED_DAYS), True)


def test_three_that_meet_are_one_repetition() -> None:
    """And two that are months away another, the later first."""
    early = [prescribed(), prescribed(first=10, **by_other), dispensed(first=20, prescriber="3")]
    later = [prescribed(first=200), prescribed(first=210, **by_other)]
    found = repetitions([*early, *later])
    assert [set(each.overlap.documents) for each in found] == [
        {each.document for each in later},
        {each.document for each in early},
    ]


def test_neighbouring_substances_are_hinted_at() -> None:
    """At level 4, after what is at level 5, and not for the same substance again."""
    group = prescribed("M01AE", **by_other)
    found = repetitions([prescribed(IBUPROFEN), prescribed(NAPROXEN, **by_other)])
    assert [(each.atc, each.level, each.labels) for each in found] == [("M01AE", 4, (IBUPROFEN, NAPROXEN))]
    assert [(each.atc, each.level) for each in repetitions([prescribed(IBUPROFEN), group])] == [("M01AE", 4)]
    twice = [prescribed(), prescribed(**by_other), prescribed(IBUPROFEN), prescribed(NAPROXEN, **by_other)]
    assert [(each.atc, each.level) for each in repetitions(twice)] == [(PARACETAMOL, 5), ("M01AE", 4)]


def test_what_has_no_code_repeats_nothing() -> None:
    """Two labels that look alike may be anything."""
    assert repetitions([prescribed(codes=frozenset()), prescribed(codes=frozenset(), **by_other)]) == []


def test_so_many_are_compared() -> None:
    """The latest; what is older is not looked at."""
    many = [prescribed(IBUPROFEN, first=100) for _ in range(MOST_MEDICINES)]
    assert repetitions([*many, prescribed(), prescribed(**by_other)]) == []
