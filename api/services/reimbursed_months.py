"""What a month's document holds: pure, so that the same lines give the same document however often they come."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import msgspec

from api.schemas.feeds import Reimbursed, ReimbursedMonth, ReimbursementLine
from api.services.feeds import Refusal, identifier
from models.identifiers import InvalidIdentifierError, parse_rpps

CONTENT_TYPE = "application/json"
_CENT = Decimal("0.01")
_LARGEST = Decimal(10_000_000)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ReimbursedMonth).decode


@dataclass(frozen=True, slots=True)
class Merged:
    """A month's lines by id, and which of those that came contradict one that was there."""

    lines: Mapping[str, Reimbursed]
    grew: bool
    conflicting: frozenset[int]


UNCHANGED = Merged({}, grew=False, conflicting=frozenset())


def month_of(line: ReimbursementLine) -> str:
    """The calendar month of care, as `2026-10`."""
    return line.care_date.strftime("%Y-%m")


def series_of(secret: bytes, dossier: UUID, fund: str, month: str) -> UUID:
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


def encode_month(month: str, lines: Mapping[str, Reimbursed]) -> bytes:
    """The content of the document, by day of care."""
    return _encode(ReimbursedMonth(month, sorted(lines.values(), key=lambda line: (line.care_date, line.id))))


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


def _is_amount(value: Decimal) -> bool:
    """Euros and cents, negative where something is taken back."""
    return value.is_finite() and abs(value) < _LARGEST and value == value.quantize(_CENT)
