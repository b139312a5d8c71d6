"""What travels about the fund's feeds: one line in, one line out; and what a month's document holds."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

_Id = Annotated[str, Meta(pattern="^[!-~]{1,100}$")]
_Code = Annotated[str, Meta(min_length=1, max_length=20)]
_Label = Annotated[str, Meta(min_length=1, max_length=300)]


class TreatingPhysicianLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A treating physician declared to the fund, by RPPS."""

    id: _Id
    ins: str
    professional: str


class ReimbursementLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One act or medicine reimbursed: code of CCAM, NGAP, CIP13 or LPP, amounts in euros, prescriber by RPPS."""

    id: _Id
    ins: str
    care_date: date
    code: _Code
    label: _Label
    amount: Decimal
    reimbursed: Decimal
    prescriber: str | None = None


class FeedResult(Struct, frozen=True, omit_defaults=True):
    """What became of a line; `reason` is the rule that refuses, or what is wrong with the line, `error` says it."""

    id: str | None
    line: int
    ok: bool
    reason: str | None = None
    error: str | None = None


class Reimbursed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of a month's document: everything but whose it is."""

    id: str
    care_date: date
    code: str
    label: str
    amount: Decimal
    reimbursed: Decimal
    prescriber: str | None = None


class ReimbursedMonth(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a document of type REMB: a calendar month, `2026-10`, and its lines by day."""

    month: str
    lines: list[Reimbursed]
