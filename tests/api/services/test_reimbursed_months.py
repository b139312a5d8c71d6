"""What a line of the fund may say."""

from datetime import date
from decimal import Decimal

import pytest

from api.schemas.feeds import ReimbursementLine
from api.services.reimbursed_months import Month, fault_of, span_of
from tests.api.whole import INS
from vault.journal.entry import NO_DOSSIER

TODAY = date(2026, 10, 15)


def fault(**told: object) -> str | None:
    line = {"id": "l", "ins": INS, "care_date": TODAY, "code": "G", "label": "x", "amount": Decimal(1)}
    found = fault_of(ReimbursementLine(**{**line, "reimbursed": Decimal(1), **told}), TODAY)  # type: ignore[arg-type]  # as a test says
    return None if found is None else found.reason


@pytest.mark.parametrize("code", ["G", "AMI", "TCG", "HBQK002", "1234567", "3400930000014", "3400949497294"])
def test_codes_of_the_four_vocabularies(code: str) -> None:
    """NGAP, CCAM, LPP, CIP13."""
    assert fault(code=code) is None


@pytest.mark.parametrize(
    "code",
    [
        "g",
        "ABCDEFG",
        "HBQK02",
        "HBQ0022",
        "123456",
        "12345678",
        "3400930000015",
        "1234567890128",
        "340093000001",
        "34009300000 4",
        "١٢٣٤٥٦٧",
        "G\n",
    ],
)
def test_a_code_of_no_vocabulary(code: str) -> None:
    """Of another case, length or alphabet; a CIP13 whose control digit is wrong, or that is another article's."""
    assert fault(code=code) == "vocabulary"


def test_the_first_fault_is_told() -> None:
    """What is malformed comes before what is unknown."""
    assert fault(code="?", amount=Decimal("0.001")) == "malformed"
    assert fault(code="?", prescriber="1") == "vocabulary"
    assert fault(prescriber="1") == "identifier"
    assert fault(care_date=date(2026, 10, 16)) == "malformed"


def test_months_follow_each_other() -> None:
    """Over the new year too."""
    span = span_of(NO_DOSSIER, [Month(2026, 12), Month(2025, 11)])
    assert [instant.isoformat()[:10] for instant in (span.since, span.until)] == ["2025-11-01", "2027-01-01"]
    assert str(Month(2026, 3)) == "2026-03"
