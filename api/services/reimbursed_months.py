"""What a month's document holds: pure, so that the same lines give the same document however often they come."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import msgspec

from api.schemas.feeds import Reimbursed, ReimbursedMonth, ReimbursementLine
from api.services.clinical_codes import reimbursed_code
from api.services.feeds import Given, Refusal, identifier
from models.identifiers import InvalidIdentifierError, parse_rpps
from models.queries.feeding import Span
from models.vocabulary import CodeSystem

CONTENT_TYPE = "application/json"
_CENT = Decimal("0.01")
_LARGEST = Decimal(10_000_000)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ReimbursedMonth).decode


_VOCABULARY = Refusal(
    "vocabulary",
    "The member code is none: CCAM has 4 letters and 3 digits, NGAP letters, CIP13 13 digits with a control digit, "
    "LPP 7 digits.",
)


class Month(NamedTuple):
    """A calendar month, `2026-10`."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def begins(self) -> datetime:
        """In UTC, as its documents are dated."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merged:
    """A month's lines by id, and which of those that came contradict one that was there."""

    lines: Mapping[str, Reimbursed]
    grew: bool
    conflicting: frozenset[int]


def months_of(lines: Iterable[Given[ReimbursementLine]]) -> dict[Month, list[Given[ReimbursementLine]]]:
    """The lines by calendar month of care."""
    months: dict[Month, list[Given[ReimbursementLine]]] = {}
    for each in lines:
        care = each.line.care_date
        months.setdefault(Month(care.year, care.month), []).append(each)
    return months


def span_of(dossier: UUID, months: Iterable[Month]) -> Span:
    """From the first of these months to the last, which it includes."""
    ordered = sorted(months)
    last = ordered[-1]
    after = Month(last.year + last.month // 12, last.month % 12 + 1)
    return Span(dossier, ordered[0].begins(), after.begins())


def series_of(secret: bytes, dossier: UUID, fund: str, month: Month) -> UUID:
    """The id of the first version of a month's document: whoever comes second finds it taken, so there is one."""
    told = f"reimbursements/{dossier}/{fund}/{month}".encode()
    return UUID(bytes=hmac.digest(secret, told, hashlib.sha256)[:16])


def fault_of(line: ReimbursementLine, today: date) -> Refusal | None:
    """What is wrong with a line that is well-formed."""
    for name, amount in (("amount", line.amount), ("reimbursed", line.reimbursed)):
        if not _is_amount(amount):
            return Refusal("malformed", f"The member {name} must be an amount in euros, with two decimals at most.")
    if line.care_date > today:
        return Refusal("malformed", "The member care_date is in the future.")
    if not _is_code(line.code):
        return _VOCABULARY
    if line.prescriber is not None:
        try:
            parse_rpps(line.prescriber)
        except InvalidIdentifierError as error:
            return identifier(error)
    return None


def merged(present: Mapping[str, Reimbursed], arriving: Iterable[tuple[int, ReimbursementLine]]) -> Merged:
    """What was there and what comes, each line once by its id; numbered lines that say something else conflict."""
    lines = dict(present)
    conflicting: set[int] = set()
    for number, line in arriving:
        reimbursed = _reimbursed(line)
        if lines.setdefault(line.id, reimbursed) != reimbursed:
            conflicting.add(number)
    return Merged(lines, len(lines) > len(present), frozenset(conflicting))


def encode_month(month: Month, lines: Mapping[str, Reimbursed]) -> bytes:
    """The content of the document, by day of care."""
    return _encode(ReimbursedMonth(str(month), sorted(lines.values(), key=lambda line: (line.care_date, line.id))))


def decode_month(content: bytes) -> dict[str, Reimbursed]:
    """The lines of a document, by id. Raises ValueError if it is none that the feed wrote."""
    return {line.id: line for line in _decode(content).lines}


def last_care(lines: Mapping[str, Reimbursed]) -> datetime:
    """The document's date: the day of the month's last care (RULES §7), which is the same day in Paris."""
    return datetime.combine(max(line.care_date for line in lines.values()), time(), UTC)


def _reimbursed(line: ReimbursementLine) -> Reimbursed:
    return Reimbursed(
        line.id,
        line.care_date,
        line.code,
        line.label,
        line.amount.quantize(_CENT),
        line.reimbursed.quantize(_CENT),
        line.prescriber,
    )


@lru_cache(maxsize=16_384)
def _is_code(value: str) -> bool:
    code = reimbursed_code(value)
    if code is None:
        return False
    return code.system is not CodeSystem.CIP13 or _has_control_digit(value)


def _has_control_digit(cip13: str) -> bool:
    """As any article number (GS1): the digits weigh 1 and 3 by turns, and the whole is a multiple of ten."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(cip13)) % 10 == 0


def _is_amount(value: Decimal) -> bool:
    """Euros and cents, negative where something is taken back."""
    return value.is_finite() and abs(value) < _LARGEST and value == value.quantize(_CENT)
