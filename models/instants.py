"""Instants as whole numbers: microseconds since 1970, exact."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# asyncpg takes the first and last instants that Python knows for -infinity and infinity, and gives those back without
# their zone. So these two are stored as their neighbours.
_FIRST = datetime.min.replace(tzinfo=UTC) + MICROSECOND
_LAST = datetime.max.replace(tzinfo=UTC) - MICROSECOND


def storable(value: datetime) -> datetime:
    """The instant, or its neighbour if it is the first or the last of all."""
    return value if _FIRST <= value <= _LAST else min(max(value, _FIRST), _LAST)


def instant_to_integer(value: datetime) -> int:
    """Microseconds since 1970. Raises TypeError on an instant without a zone."""
    return (value - _EPOCH) // MICROSECOND


def instant_from_integer(value: int) -> datetime:
    return _EPOCH + MICROSECOND * value
