"""How documents look: what of their entries may count for a decision, told once for all that are alike."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import compress
from typing import NamedTuple

from models.columns import column
from models.facts import Document, Reference
from models.sheets.columns import instants_in
from models.sheets.documents import document_at
from models.sheets.fields import filled, pack_word, packed_party, unpack_word

_LOOK = "24x42s4x"
_WITHHELD, _AUTHOR, _TYPE, _KIND, _FLAGS = slice(8), slice(8, 24), slice(24, 40), 40, 41  # where these are in it


class Looks(NamedTuple):
    """The number of how each document looks, and by that number one of the documents that look so."""

    numbers: list[int]
    examples: dict[int, Document]


def looks_of(
    documents: bytes,
    author: Reference,
    is_open: Callable[[str], bool],
    dated: Collection[str],
    are_past: Callable[[Sequence[int]], Iterable[bool]],
) -> Looks:
    """Two documents look alike that differ in no more than id, version, author, type and instant.

    Yet whether the author is this one counts, whether the type is open, and, of documents of the types that are
    `dated`, whether their instant is past (in microseconds since 1970, of many at once).
    """
    own = packed_party(author)
    types = {filled(pack_word(each)) for each in dated}
    packed = column(_LOOK, documents)
    number_of: dict[tuple[bool, bytes, int, bool], int] = {}
    looking: dict[bytes, int] = {}
    ones: dict[int, int] = {}
    of_types: set[bytes] = set()
    for look, place in dict(zip(packed, range(len(packed)), strict=True)).items():
        is_own = (look[_AUTHOR], look[_KIND]) == own
        counts = (is_open(unpack_word(look[_TYPE])), look[_WITHHELD], look[_FLAGS], is_own)
        number = looking[look] = number_of.setdefault(counts, 2 * len(number_of))
        if look[_TYPE] in types:
            of_types.add(look)
        else:
            ones[number] = place
    numbers = list(map(looking.__getitem__, packed))
    if of_types:
        places = list(compress(range(len(packed)), map(of_types.__contains__, packed)))
        instants = instants_in(documents)
        for place, is_past in zip(places, are_past([instants[place] for place in places]), strict=True):
            numbers[place] += is_past
            ones[numbers[place]] = place
    return Looks(numbers, {number: document_at(documents, place) for number, place in ones.items()})
