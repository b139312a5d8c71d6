"""Days out of what FHIR says of time: dates that may lack their day or month, instants, and durations."""

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from api.services.fhir_forms import Quantity

_PARIS = ZoneInfo("Europe/Paris")
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DECEMBER = 12
_DAYS = {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7), "mo": Decimal(30), "a": Decimal(365)}
_LONGEST = Decimal(3660)


def paris_day(at: datetime) -> date:
    """The day of an instant, where the record is kept; one that does not say its zone is of there."""
    return (at if at.tzinfo else at.replace(tzinfo=_PARIS)).astimezone(_PARIS).date()


def day_of(text: str | None, *, last: bool = False) -> date | None:
    """The day of a FHIR date or instant; of a month or a year the first one, or the last. None if it tells none."""
    try:
        if not (partial := _PARTIAL.fullmatch(text or "")):
            return paris_day(datetime.fromisoformat(text)) if text else None
        year, month, day = (int(part) if part else None for part in partial.groups())
        month = month or (_DECEMBER if last else 1)
        return date(year or 0, month, day or (monthrange(year or 0, month)[1] if last else 1))
    except (ValueError, OverflowError):
        return None


def days_of(duration: Quantity | None, times: int = 1) -> int | None:
    """A duration, so many times over, in days begun; None without one, or for one that is no course of treatment."""
    unit = _DAYS.get(duration.code or duration.unit or "") if duration else None
    if duration is None or unit is None or duration.value is None or not 0 < duration.value <= _LONGEST * 24:
        return None
    days = duration.value * unit * times
    return int(days.to_integral_value(ROUND_CEILING)) if days <= _LONGEST else None


def last_of(begins: date, days: int | None) -> date | None:
    """The last of so many days."""
    try:
        return begins + timedelta(days=days - 1) if days else None
    except OverflowError:
        return None
