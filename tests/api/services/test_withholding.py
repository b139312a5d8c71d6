"""How long a document is withheld."""

from datetime import UTC, datetime

import pytest

from api.services.deposits import a_month_after


@pytest.mark.parametrize(
    "deposited, revealed",
    [("2026-01-15", "2026-02-15"), ("2026-01-31", "2026-02-28"), ("2028-01-31", "2028-02-29"),
     ("2026-03-31", "2026-04-30"), ("2026-11-30", "2026-12-30"), ("2026-12-31", "2027-01-31")],
)  # fmt: skip
def test_a_month_ends_on_the_same_day_or_the_last(deposited: str, revealed: str) -> None:
    """One month (RULES §4.4): the same day and hour, or the last day of a month that is too short."""
    at, until = (datetime.fromisoformat(f"{day}T10:30:00").replace(tzinfo=UTC) for day in (deposited, revealed))
    assert a_month_after(at) == until
