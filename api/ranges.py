"""`Range` and `ETag` of a content (RFC 9110, sections 13 and 14), for one range at a time."""

import re

from api.errors import UnsatisfiableRangeError

_ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def span_of(header: str | None, size: int) -> tuple[int, int] | None:
    """From where until before where, or None for the whole: no header, several ranges, or another unit.

    Raises UnsatisfiableRangeError if no byte is in the range.
    """
    found = _ONE_RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), size if not last else min(int(last) + 1, size)
        if last and int(last) < start:
            return None
    if start >= stop:
        raise UnsatisfiableRangeError(size)
    return start, stop


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match names this content; weak comparison (RFC 9110, section 13.1.2)."""
    if header is None:
        return False
    named = [word.strip().removeprefix("W/") for word in header.split(",")]
    return header.strip() == "*" or etag in named
