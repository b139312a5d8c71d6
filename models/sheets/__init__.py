"""A dossier's sheet: who is tied to it and what is so about its documents, packed as the dossier's row keeps them.

All that a decision reads of a dossier thus lies in one row: one look-up, mostly one page of the disk. A document takes
70 bytes here, and 32 where it is found by its id (`models.whereabouts`); as rows of tables with their indexes it took
some 330. Entries have one length, so that one is found without reading the others. Numbers are big-endian, instants
microseconds since 1970, and the code of a word is never given to another.

A tie is 34 bytes:    kind of party (1), party (16), kind of tie (1), since (8), until (8).
A document 70 bytes:  id (16), created (8), withheld until (8), author (16), type (16), kind of author (1), flags (1),
                      version (2), number of the series (2): the place of its first version among the documents, from 0.

Identifiers and types are ASCII, filled up with NUL; persons are the 16 bytes of their pseudonym. Where there is no
instant, the least number stands. Documents are in the order in which they came and never leave: a deleted one says so.
"""

from typing import NamedTuple

from models.sheets.columns import (
    count_kept,
    dates,
    instants_in,
    latest,
    oldest,
)
from models.sheets.documents import (
    DOCUMENT_SIZE,
    MOST_DOCUMENTS,
    DocumentColumns,
    Filed,
    Version,
    append,
    document_at,
    documents_in,
    filed_in,
    find_document,
    find_filed,
    ids_in,
    pack_document,
    pack_documents,
    rewrite,
)
from models.sheets.looks import (
    Looks,
    looks_of,
)
from models.sheets.seeking import (
    Place,
    entries_at,
    in_order,
    seek,
)
from models.sheets.ties import (
    TIE_SIZE,
    open_to,
    pack_relation,
    pack_representation,
    pack_ties,
    relations_of,
    relations_with,
    representations_by,
    representations_of,
)

__all__ = [
    "DOCUMENT_SIZE",
    "MOST_DOCUMENTS",
    "TIE_SIZE",
    "DocumentColumns",
    "Filed",
    "Looks",
    "Place",
    "Sheet",
    "Version",
    "append",
    "count_kept",
    "dates",
    "document_at",
    "documents_in",
    "entries_at",
    "filed_in",
    "find_document",
    "find_filed",
    "ids_in",
    "in_order",
    "instants_in",
    "latest",
    "looks_of",
    "oldest",
    "open_to",
    "pack_document",
    "pack_documents",
    "pack_relation",
    "pack_representation",
    "pack_ties",
    "relations_of",
    "relations_with",
    "representations_by",
    "representations_of",
    "rewrite",
    "seek",
]


class Sheet(NamedTuple):
    """Ties and documents of a dossier, packed; empty as it begins."""

    ties: bytes = b""
    documents: bytes = b""
