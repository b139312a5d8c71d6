"""How documents look: what of their entries may count for a decision, told once for all that are alike."""

from collections.abc import Collection
from struct import Struct
from typing import NamedTuple

from models.facts import Document, Reference
from models.sheets.documents import document_at
from models.sheets.fields import PARTY_CODES, filled, is_party, pack_party, pack_word

_look = Struct(">16s8s8s16s16sBB4x")

_Look = tuple[bytes, bytes, bool, int, bytes]


class Looks(NamedTuple):
    """The id of each document, the number of how it looks, and for each look the first document that has it."""

    ids: list[bytes]
    numbers: list[int]
    examples: list[Document]


def looks_of(documents: bytes, author: Reference, dated: Collection[str]) -> Looks:
    """Two documents look alike that differ in no more than id, version, author and instant.

    Yet whether the author is this one counts, and so does the instant of documents of the types that are `dated`.
    """
    own = (filled(pack_party(author.type, author.id)), PARTY_CODES[author.type]) if is_party(author) else None
    types = {filled(pack_word(each)) for each in dated}
    numbers: dict[_Look, int] = {}
    looks = Looks([], [], [])
    for identity, created, withheld, party, document_type, kind, flags in _look.iter_unpack(documents):
        is_own = (party, kind) == own
        look = (withheld, document_type, is_own, flags, created if document_type in types else b"")
        number = numbers.get(look)
        if number is None:
            number = numbers[look] = len(numbers)
            looks.examples.append(document_at(documents, len(looks.ids)))
        looks.ids.append(identity)
        looks.numbers.append(number)
    return looks
