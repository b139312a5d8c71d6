"""What lines say of sheets, gathered by dossier and packed before it is staged. Pure.

A file mostly says all about a dossier in one place: gathered, a dozen facts are one row to copy, sort and read back.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from models.importing.lines import Row
from models.sheets import pack_document, pack_relation, pack_representation
from models.whereabouts import bucket_of_entry

OF_SHEETS = ("relation", "representation", "document")

_REMEMBERED = 65_536  # parties; who is met again later is staged again

_Party = tuple[str, str, str]


class Gathered(NamedTuple):
    """Rows for the staging tables of these names."""

    sheet: list[Row]
    party: list[Row]
    place: list[Row]


class _Sheet(NamedTuple):
    line: int
    holder: bytes
    ties: list[bytes]
    documents: list[bytes]


class Gatherer:
    """Packs the rows of one file, some at a time; remembers the parties that it met, so that few are staged twice."""

    def __init__(self) -> None:
        self._met: set[_Party] = set()

    def gather(self, rows: Iterable[tuple[str, Row]]) -> Gathered:
        """Rows of these kinds in the order of their lines, each with its kind."""
        sheets: dict[UUID, _Sheet] = {}
        gathered = Gathered([], [], [])
        last, sheet = None, _Sheet(0, b"", [], [])
        for kind, row in rows:
            dossier = row[1]
            if dossier is not last:
                last, sheet = dossier, sheets.setdefault(dossier, _Sheet(row[0], dossier.bytes, [], []))
            if kind == "document":
                packed = pack_document(row[2:])
                sheet.documents.append(packed)
                entry = packed[:16] + sheet.holder
                gathered.place.append((row[0], bucket_of_entry(entry), entry))
                party = (kind, row[4], row[5])
            elif kind == "relation":
                sheet.ties.append(pack_relation(*row[2:]))
                party = (kind, row[2], row[3])
            else:
                sheet.ties.append(pack_representation(*row[2:]))
                continue
            if party not in self._met:
                gathered.party.append((row[0], *party))
                self._meet(party)
        gathered.sheet.extend(
            (sheet.line, dossier, sheet.holder, b"".join(sheet.ties), b"".join(sheet.documents))
            for dossier, sheet in sheets.items()
        )
        return gathered

    def _meet(self, party: _Party) -> None:
        if len(self._met) == _REMEMBERED:
            self._met.clear()
        self._met.add(party)
