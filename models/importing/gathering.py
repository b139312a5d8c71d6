"""What lines say of sheets, gathered by dossier and packed before it is staged. Pure.

A file mostly says all about a dossier in one place: gathered, a dozen facts are one row to copy, sort and read back.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from models.importing.lines import Row
from models.sheets import pack_document, pack_relation, pack_representation
from models.whereabouts import bucket_of

OF_SHEETS = ("relation", "representation", "document")

_REMEMBERED = 65_536  # parties; who is met again later is staged again

_Party = tuple[str, str, str]


class Gathered(NamedTuple):
    """Rows for the staging tables of these names."""

    sheet: list[Row]
    party: list[Row]
    place: list[Row]


class Gatherer:
    """Packs the rows of one file, some at a time; remembers the parties that it met, so that few are staged twice."""

    def __init__(self) -> None:
        self._met: set[_Party] = set()

    def gather(self, rows: Iterable[tuple[str, Row]]) -> Gathered:
        """Rows of these kinds in the order of their lines, each with its kind."""
        sheets: dict[UUID, tuple[int, list[bytes], list[bytes]]] = {}
        gathered = Gathered([], [], [])
        for kind, row in rows:
            line, dossier = row[:2]
            if dossier not in sheets:
                sheets[dossier] = (line, [], [])
            _, ties, documents = sheets[dossier]
            if kind == "document":
                documents.append(pack_document(row[2:]))
                gathered.place.append((line, bucket_of(row[2]), row[2].bytes + dossier.bytes))
                self._meet(line, (kind, row[4], row[5]), gathered.party)
            elif kind == "relation":
                ties.append(pack_relation(*row[2:]))
                self._meet(line, (kind, row[2], row[3]), gathered.party)
            else:
                ties.append(pack_representation(*row[2:]))
        gathered.sheet.extend(
            (line, dossier, dossier.bytes, b"".join(ties), b"".join(documents))
            for dossier, (line, ties, documents) in sheets.items()
        )
        return gathered

    def _meet(self, line: int, party: _Party, parties: list[Row]) -> None:
        if party not in self._met:
            if len(self._met) == _REMEMBERED:
                self._met.clear()
            self._met.add(party)
            parties.append((line, *party))
