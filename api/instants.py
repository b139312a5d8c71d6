"""Instants as callers write them, with any offset, become instants of UTC or are refused."""

from datetime import UTC, datetime

from api.errors import MalformedRequestError


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises MalformedRequestError on one that no calendar has there.

    The first hours of the year 1 and the last of 9999, written with an offset, would be stored and never be read.
    """
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise MalformedRequestError("An instant is not before the year 1 nor after the year 9999, in UTC.") from None
