"""What travels about listings of documents, beside the documents themselves (api.schemas.documents)."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from api.paging import DEFAULT_LIMIT, MAX_LIMIT
from api.schemas.documents import DocumentView

_MOST_TYPES = 100
_MOST_CHARACTERS = 200


class Narrowing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which documents a listing is about: all of these hold; what is left out narrows nothing."""

    space: str | None = None
    type: Annotated[list[str], Meta(max_length=_MOST_TYPES)] = []
    author: str | None = None
    begin: str | None = msgspec.field(default=None, name="from")
    end: str | None = msgspec.field(default=None, name="to")
    order: str | None = None
    after: str | None = None


class TitleSearching(Narrowing, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`title` has the words that are sought, each of which begins a word of a title; accents and case are nothing."""

    title: Annotated[str, Meta(min_length=1, max_length=_MOST_CHARACTERS)]
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


class DocumentVersions(Struct, frozen=True):
    """The versions of one document that the subject may read, the latest first."""

    versions: list[DocumentView]
