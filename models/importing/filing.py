"""What a file says of one dossier, put into its sheet. Pure.

Entries are packed as `models.sheets` packs them, and come in the order of their lines: of several about the same thing
the last one counts. Each function also says how many entries it wrote: one that says what is there already is not.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from models.sheets import DOCUMENT_SIZE, MOST_DOCUMENTS, TIE_SIZE, Filed, filed_in
from models.vocabulary import DocumentStatus

_TIED = 18
"""A tie begins with the kind of its party, the party, and its own kind: of each a dossier has one."""

_ID = 16
_FACTS = DOCUMENT_SIZE - 4
"""A document ends with its version, and the number of its series."""


def put_ties(ties: bytes, said: bytes) -> tuple[bytes, int]:
    """With these ties, each in the place of one of the same party and kind."""
    were, are = _cut(ties, TIE_SIZE, _TIED), _cut(said, TIE_SIZE, _TIED)
    written = len(are.items() - were.items()) if were else len(are)
    return b"".join(sorted((were | are).values())), written


def put_documents(documents: bytes, said: bytes) -> tuple[bytes, int]:
    """With these documents: new ones behind the others, each the first of its series; of the others, their facts.

    Two sorts are left as they are. One that was replaced since, or replaces another: a file does not know of versions,
    which the same people see and of which one is current. And one that is deleted: its key is destroyed. Raises
    ValueError when there are too many.
    """
    there = {documents[place : place + _ID]: place for place in range(0, len(documents), DOCUMENT_SIZE)}
    last = _cut(said, DOCUMENT_SIZE, _ID)
    new = [entry for identity, entry in last.items() if identity not in there]
    if len(there) + len(new) > MOST_DOCUMENTS:
        raise ValueError(f"a dossier holds at most {MOST_DOCUMENTS:,} documents")
    facts = {there[identity]: entry[:_FACTS] for identity, entry in last.items() if identity in there}
    documents, changed = _change(documents, facts) if facts else (documents, 0)
    behind = (entry[:-2] + number.to_bytes(2, "big") for number, entry in enumerate(new, len(there)))
    return b"".join([documents, *behind]), len(new) + changed


def _change(documents: bytes, facts: Mapping[int, bytes]) -> tuple[bytes, int]:
    """By the place of each document."""
    otherwise = {place: said for place, said in facts.items() if not documents.startswith(said, place)}
    if not otherwise:
        return documents, 0
    filed = filed_in(documents)
    replaced = {each.version.series for each in filed if each.version.version > 1}
    written, changed = bytearray(documents), 0
    for place, said in otherwise.items():
        if _is_a_file_s(filed[place // DOCUMENT_SIZE], replaced):
            written[place : place + _FACTS] = said
            changed += 1
    return bytes(written), changed


def _is_a_file_s(filed: Filed, replaced: Collection[UUID]) -> bool:
    status, version = filed.document.status, filed.version
    if version.version > 1 or status is DocumentStatus.DELETED:
        return False
    return status is not DocumentStatus.SUPERSEDED or version.series not in replaced


def _cut(entries: bytes, size: int, key: int) -> dict[bytes, bytes]:
    """The last entry of each key, by what it begins with."""
    places = range(0, len(entries), size)
    return {entries[place : place + key]: entries[place : place + size] for place in places}
