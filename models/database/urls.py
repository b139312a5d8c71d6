"""Database URLs: `sqlite:///path` (relative; four strokes for absolute) and `postgresql://user:password@host:port/name`."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from models.errors import DatabaseError


def parsed(url: str) -> URL:
    """Raises DatabaseError, without the password, on any other form."""
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError("not a database URL") from None
    if read.drivername not in {"sqlite", "postgresql"}:
        raise DatabaseError("a database URL begins with sqlite:// or postgresql://")
    return read


def sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise DatabaseError("an SQLite URL names a file: sqlite:///path")
    return Path(url.database)
