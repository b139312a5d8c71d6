"""What is asked of all documents of a sheet at once: columns are cut out of the whole, entries are not unpacked."""

from collections.abc import Collection, Iterator
from datetime import datetime
from struct import Struct
from uuid import UUID

from models.columns import column
from models.facts import Reference
from models.instants import instant_from_integer, instant_to_integer
from models.sheets.documents import (
    DELETED,
    DOCUMENT_SIZE,
    STATUS_SHIFT,
    Columns,
    Filed,
    filed_of,
    unpack_all,
)
from models.sheets.fields import PARTY_CODES, filled, pack_party, pack_word

CREATED = "16xq46x"
_FLAGS, _SERIES = 65, 68  # where these begin in a document

_dated = Struct(">16xq24x16sxB4x")


def instants_in(documents: bytes) -> list[int]:
    """When each of a sheet's documents was created, in microseconds since 1970."""
    return column(CREATED, documents)


def oldest(documents: bytes, types: Collection[str]) -> datetime | None:
    """When the oldest document of these types is from that is not deleted."""
    wanted = {filled(pack_word(each)) for each in types}
    created = [
        instant
        for instant, document_type, flags in _dated.iter_unpack(documents)
        if document_type in wanted and flags >> STATUS_SHIFT != DELETED
    ]
    return instant_from_integer(min(created)) if created else None


def dates(documents: bytes, types: Collection[str]) -> dict[UUID, datetime]:
    """When each document of these types is from that is not deleted."""
    wanted = {filled(pack_word(each)) for each in types}
    return {
        UUID(bytes=columns[0]): instant_from_integer(columns[1])
        for columns in unpack_all(documents)
        if columns[4] in wanted and columns[6] >> STATUS_SHIFT != DELETED
    }


def latest(
    documents: bytes, document_type: str, author: Reference, since: datetime, until: datetime
) -> Iterator[Filed]:
    """The latest version that is not deleted of each of an author's documents of a type.

    Of those dated from one instant on, before another. What else there is, is passed over packed.
    """
    begin, end = instant_to_integer(since), instant_to_integer(until)
    kind, party = PARTY_CODES[author.type], filled(pack_party(author.type, author.id))
    wanted = (party, filled(pack_word(document_type)), kind)
    found: dict[int, Columns] = {}
    for columns in unpack_all(documents):
        if begin <= columns[1] < end and columns[3:6] == wanted and columns[6] >> STATUS_SHIFT != DELETED:
            series, version = columns[8], columns[7]
            if series not in found or found[series][7] < version:
                found[series] = columns
    return (filed_of(documents, columns) for columns in found.values())


def count_kept(documents: bytes) -> int:
    """How many documents there are with a version that is not deleted; the versions of one are one.

    A microsecond and a half for seven: columns are cut out of the whole, entries are not read.
    """
    flags, high, low = (documents[place::DOCUMENT_SIZE] for place in (_FLAGS, _SERIES, _SERIES + 1))
    series = zip(high, low, strict=True)
    if max(flags, default=0) >> STATUS_SHIFT < DELETED:
        return len(set(series))
    return len({one for flag, one in zip(flags, series, strict=True) if flag >> STATUS_SHIFT != DELETED})
