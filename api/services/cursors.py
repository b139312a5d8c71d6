"""Where a listing goes on: a position as one word of a URL. It is not secret: what it leads to is judged anyway."""

import base64
import binascii
from datetime import datetime

from api.errors import MalformedRequestError
from api.instants import in_utc
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.queries import Position


def write_position(position: Position) -> str:
    """A position as a word."""
    text = f"{position.created_at.isoformat()} {position.id}"
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def read_position(word: str) -> Position:
    """The position of a word. Raises MalformedRequestError."""
    try:
        text = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode("ascii")
        at, _, identity = text.partition(" ")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            raise ValueError
        return Position(in_utc(instant), parse_pseudonym(identity))
    except (ValueError, binascii.Error, InvalidIdentifierError):
        raise MalformedRequestError(
            "This is not a place in a listing: `after` comes from an answer's `next`."
        ) from None
