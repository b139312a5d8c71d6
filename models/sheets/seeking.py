"""Which of a sheet's documents are sought, and in which order: found in what is packed, so that pages can be cut.

Putting a sheet in order takes a third of a microsecond for each of its documents; what a page shows is unpacked and
judged, and nothing else is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from struct import Struct
from typing import Any

from models.facts import Reference
from models.instants import instant_to_integer
from models.sheets.columns import instants_in
from models.sheets.documents import DELETED, DOCUMENT_SIZE, STATUS_CODES, STATUS_SHIFT, ids_in
from models.sheets.fields import filled, is_storable, pack_word, packed_party
from models.vocabulary import DocumentStatus

_CURRENT = STATUS_CODES[DocumentStatus.CURRENT]

_sought = Struct(">16xq8x16s16sBB4x")

Place = tuple[int, bytes]
"""When a document was created, in microseconds since 1970, and the bytes of its id."""


def in_order(documents: bytes, after: Place | None = None, *, oldest_first: bool = False) -> Sequence[int]:
    """The numbers of a sheet's documents, newest first unless asked otherwise, of one instant by id; beyond a place."""
    instants, ids = instants_in(documents), ids_in(documents)
    # Numbers alone are put in order three times faster than pairs.
    keys: list[Any] = instants if len({*instants}) == len(instants) else list(zip(instants, ids, strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if after is not None:

        def place(number: int) -> Place:
            return instants[number], ids[number]

        order = (
            order[bisect_right(order, after, key=place) :]
            if oldest_first
            else order[: bisect_left(order, after, key=place)]
        )
    return order if oldest_first else order[::-1]


def seek(
    documents: bytes,
    numbers: Sequence[int],
    *,
    types: Collection[str] | None = None,
    author: Reference | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    current_only: bool = False,
) -> Iterator[int]:
    """Those of a sheet's documents, by number, that are not deleted and are what is asked; looked at as they are taken.

    Of these types, of an author, created from `since` on and before `until`, present versions only.
    """
    wanted = None if types is None else {filled(pack_word(each)) for each in types if is_storable(each)}
    by = None if author is None else packed_party(author)
    if author is not None and by is None:
        return
    begin = None if since is None else instant_to_integer(since)
    end = None if until is None else instant_to_integer(until)
    for number in numbers:
        created, party, document_type, kind, flags = _sought.unpack_from(documents, number * DOCUMENT_SIZE)
        status = flags >> STATUS_SHIFT
        if (
            (status == _CURRENT if current_only else status != DELETED)
            and (wanted is None or document_type in wanted)
            and (by is None or (party, kind) == by)
            and (begin is None or created >= begin)
            and (end is None or created < end)
        ):
            yield number


def entries_at(documents: bytes, numbers: Sequence[int]) -> bytes:
    """These of a sheet's documents, packed, in this order."""
    places = (number * DOCUMENT_SIZE for number in numbers)
    return b"".join([documents[place : place + DOCUMENT_SIZE] for place in places])
