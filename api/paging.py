"""The tokens by which a search is continued (AuthZEN 8.2).

A token says where the next page begins and to which search it belongs; continuing another search with it is an error,
as the standard advises. It is not secret and not signed: a forged one only begins elsewhere among results that are each
judged anyway.
"""

import base64
import binascii
import hashlib

import msgspec

from api.errors import MalformedRequestError
from api.judge import PageRequest
from api.schemas.authzen import ActionSearch, PageAnswered, PageAsked, ResourceSearch, SubjectSearch

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_MAX_TOKEN_CHARACTERS = 1024

Search = SubjectSearch | ResourceSearch | ActionSearch


class _Token(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    search: str
    limit: int
    after: str | None


def page_request(search: Search) -> PageRequest:
    """Which part of the results is asked for. Raises MalformedRequestError on a token of another search."""
    asked = search.page or PageAsked()
    if not asked.token:
        return PageRequest(DEFAULT_LIMIT if asked.limit is None else min(asked.limit, MAX_LIMIT))
    token = _read(asked.token)
    limit = token.limit if asked.limit is None else min(asked.limit, MAX_LIMIT)
    if token.search != _fingerprint(search) or token.limit != limit:
        raise MalformedRequestError("The member page.token belongs to another search.")
    return PageRequest(limit, token.after)


def page_answered(search: Search, page: PageRequest, following: str | None, count: int) -> PageAnswered | None:
    """The `page` of an answer: there if it was asked for, or if there is more."""
    if following is None:
        return None if search.page is None else PageAnswered(next_token="", count=count)
    return PageAnswered(next_token=_write(_Token(_fingerprint(search), page.limit, following)), count=count)


def empty_page(search: Search, page: PageRequest) -> PageAnswered:
    """The `page` of an answer to a search that asks for no result at all: it continues where it stands."""
    return PageAnswered(next_token=_write(_Token(_fingerprint(search), page.limit, page.after)), count=0)


def _fingerprint(search: Search) -> str:
    asked = (type(search).__name__, msgspec.structs.replace(search, page=None), search.page and search.page.properties)
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()[:16]


def _write(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode("ascii")


def _read(text: str) -> _Token:
    try:
        if len(text) > _MAX_TOKEN_CHARACTERS:
            raise ValueError
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=_Token)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise MalformedRequestError("The member page.token is not one that this service gave.") from None


def limit_of(text: str | None) -> int:
    """The parameter `limit` of a listing. Raises MalformedRequestError."""
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_LIMIT):
        msg = f"The parameter limit is a number from 1 to {MAX_LIMIT}."
        raise MalformedRequestError(msg)
    return int(text)
