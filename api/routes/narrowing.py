"""What a listing is narrowed to, from a caller's words; each of those that means nothing gets a sentence of its own."""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from api.authors import author_of
from api.errors import MalformedRequestError
from api.instants import in_utc
from api.schemas.listings import Narrowing
from api.services.documents import Wanted
from models.facts import Reference
from models.identifiers import InvalidIdentifierError
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Space

_PARIS = ZoneInfo("Europe/Paris")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_OLDEST_FIRST = {None: False, "newest": False, "oldest": True}


def wanted_of(asked: Narrowing) -> Wanted:
    """What the service is to list. Raises MalformedRequestError."""
    since, until = _instant("from", asked.begin, days=0), _instant("to", asked.end, days=1)
    if since is not None and until is not None and since >= until:
        raise MalformedRequestError("The period is empty: from is not before to.")
    if asked.order not in _OLDEST_FIRST:
        raise MalformedRequestError("The order is newest or oldest.")
    return Wanted(
        types=_types(asked.space, asked.type),
        author=_author(asked.author),
        since=since,
        until=until,
        oldest_first=_OLDEST_FIRST[asked.order],
    )


def _types(space: str | None, given: Collection[str]) -> frozenset[str] | None:
    if space is not None and space not in Space.__members__.values():
        raise MalformedRequestError("There is no such space.")
    if not DOCUMENT_TYPES.keys() >= set(given):
        raise MalformedRequestError("The filter type is one of the DMP's document types.")
    if space is None:
        return frozenset(given) or None
    of_space = frozenset(code for code, kind in DOCUMENT_TYPES.items() if kind.space == space)
    return of_space & frozenset(given) if given else of_space


def _author(text: str | None) -> Reference | None:
    if text is None:
        return None
    kind, _, identifier = text.partition("/")
    try:
        return author_of(kind, identifier)
    except InvalidIdentifierError:
        raise MalformedRequestError(
            "The filter author is professional/ with an RPPS, organization/ with a FINESS or person/ with a pseudonym."
        ) from None


def _instant(name: str, text: str | None, *, days: int) -> datetime | None:
    """An instant as it is; a day's beginning in France, so many days later."""
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime.combine(day, time(), _PARIS).astimezone(UTC)
        if _INSTANT.fullmatch(text):
            return in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass  # no such day, hour or offset: told below
    msg = f"The filter {name} is a day, such as 2026-10-01, or an instant, such as 2026-10-01T08:00:00Z."
    raise MalformedRequestError(msg)
