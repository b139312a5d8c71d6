"""Where a listing goes on: a position as one word of a URL. It is not secret: what it leads to is judged anyway.

It says in which order the listing went, and nothing of what it was narrowed to: a place in time is the same whatever
else is asked for.
"""

import base64
import binascii
from datetime import datetime

from api.errors import MalformedRequestError
from api.instants import in_utc
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.queries import Position

_OLDEST_FIRST = "oldest "


def write_position(position: Position, *, oldest_first: bool = False) -> str:
    """A position as a word."""
    text = f"{_OLDEST_FIRST if oldest_first else ''}{position.created_at.isoformat()} {position.id}"
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def read_position(word: str, *, oldest_first: bool = False) -> Position:
    """The position of a word that was written in this order. Raises MalformedRequestError."""
    try:
        text = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode("ascii")
        if text.startswith(_OLDEST_FIRST) is not oldest_first:
            raise ValueError
        at, _, identity = text.removeprefix(_OLDEST_FIRST).partition(" ")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            raise ValueError
        return Position(in_utc(instant), parse_pseudonym(identity))
    except (ValueError, binascii.Error, InvalidIdentifierError):
        raise MalformedRequestError(
            "This is not a place in a listing of this order: `after` comes from an answer's `next`."
        ) from None


def place_between(before: str, following: str) -> str:
    """Where to go on between two ids of one form that ascend: the roundest that is neither, or the first if none is.

    What goes on there tells nobody of either.
    """
    zeros = "".join("-" if character == "-" else "0" for character in following)
    alike = next(n for n, (one, other) in enumerate(zip(before, following, strict=True), 1) if one != other)
    rounded = following[:alike] + zeros[alike:]
    return rounded if rounded < following else before
