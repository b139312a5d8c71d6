"""Cases that were drawn at random, stored in one database: each has names of its own, and the rows that it tells of."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from models import tables
from models.database import Database, load
from models.facts import Case, Organization, Professional, Staff, Subject
from models.sheets import Filed, Version, open_to, pack_documents, pack_ties
from models.whereabouts import entries_of
from tests.policy.drawing import (
    DOCUMENT,
    HOLDER,
    INSTANTS,
    MESSAGE,
    ORGANIZATIONS,
    PEOPLE,
    PROFESSIONALS,
    STAFF,
)

_KINDS = {each.id: each.kind for each in ORGANIZATIONS}
_AT = min(INSTANTS)

Names = dict[object, object]


def renamed(cases: Iterable[Case]) -> list[Case]:
    """The same cases, no two of which are about the same people or things: these are known by their numbers."""
    return [_renamed(case, _names(number)) for number, case in enumerate(cases, 1)]


async def store(database: Database, drawn: Sequence[Case], stored: Sequence[Case]) -> None:
    """What these cases tell, renamed from those that were drawn, in a database that has nothing yet."""
    directory, dossiers = _Directory(), _Dossiers()
    for number, (before, after) in enumerate(zip(drawn, stored, strict=True), 1):
        directory.add(before.subject, _names(number))
        dossiers.add(after)
    async with database.begin() as connection:
        for table, rows in (*directory.rows(), *dossiers.rows()):
            await load(connection, table, rows)


class _Directory:
    """Who asks, as the directory knows him."""

    def __init__(self) -> None:
        self._organizations: dict[object, tuple[object, ...]] = {}
        self._professionals: list[tuple[object, ...]] = []
        self._exercises: list[tuple[object, ...]] = []
        self._staff: list[tuple[object, ...]] = []

    def add(self, subject: Subject | None, names: Names) -> None:
        if isinstance(subject, Organization):
            self._organization(subject.id, names)
        if isinstance(subject, Staff):
            self._organization(subject.organization.id, names)
            self._staff.append((names[subject.id], names[subject.organization.id]))
        if isinstance(subject, Professional):
            rpps, person = names[subject.rpps], subject.person and names[subject.person]
            self._professionals.append((rpps, subject.profession, subject.samu_regulator, person))
            for each in sorted(subject.organizations):
                self._organization(each, names)
                self._exercises.append((rpps, names[each]))

    def _organization(self, drawn: str, names: Names) -> None:
        self._organizations[names[drawn]] = (names[drawn], _KINDS[drawn], "an organization")

    def rows(self) -> Iterable[tuple[Any, Sequence[Sequence[object]]]]:
        yield tables.organization, list(self._organizations.values())
        yield tables.professional, self._professionals
        yield tables.exercise, self._exercises
        yield tables.staff, self._staff


class _Dossiers:
    """What is asked for, with what belongs to it."""

    def __init__(self) -> None:
        self._dossiers: list[tuple[object, ...]] = []
        self._tied: list[tuple[object, ...]] = []
        self._read: list[tuple[object, ...]] = []
        self._messages: list[tuple[object, ...]] = []
        self._placed: list[tuple[UUID, UUID]] = []

    def add(self, case: Case) -> None:
        dossier = case.dossier
        if dossier is None:
            return
        ties = pack_ties(case.relations, case.representations)
        documents = b""
        if case.document is not None:
            documents = pack_documents([Filed(case.document, Version(case.document.id, 1))])
            self._placed.append((case.document.id, dossier.id))
        if (message := case.message) is not None:
            told = (dossier.id, message.id, message.sender, message.addressee, _AT, None, b"", None, None)
            self._messages.append(told)
            self._placed.append((message.id, dossier.id))
        if case.has_read and isinstance(case.subject, Professional):
            self._read.append((dossier.id, case.subject.rpps))
        self._tied += [(party, dossier.id) for party in open_to(ties)]
        row: dict[str, object] = {"state_since": _AT, "ties": ties or None, "documents": documents or None}
        row |= {name: getattr(dossier, name) for name in dossier.__struct_fields__}
        self._dossiers.append(tuple(row.get(column.name) for column in tables.dossier.columns))

    def rows(self) -> Iterable[tuple[Any, Sequence[Sequence[object]]]]:
        yield tables.dossier, self._dossiers
        yield tables.tied, self._tied
        yield tables.has_read, self._read
        yield tables.message, self._messages
        yield tables.whereabouts, list(entries_of(self._placed).items())


def _names(number: int) -> Names:
    """What the people and things of a case are called, by what they were called when it was drawn."""
    people = {each: UUID(int=(number << 32) + each.int) for each in (*PEOPLE, DOCUMENT, MESSAGE)}
    names: Names = dict.fromkeys(STAFF, f"sec-{number}")
    names |= {each: f"{10 * number + place:011}" for place, each in enumerate(PROFESSIONALS)}
    names |= {each.id: f"{10 * number + place:09}" for place, each in enumerate(ORGANIZATIONS)}
    for before, after in people.items():
        names |= {before: after, str(before): str(after), str(before).upper(): str(after).upper()}
    return names | {HOLDER.hex: people[HOLDER].hex}


def _renamed(value: Any, names: Names) -> Any:
    """A fact with other names, whatever it is made of."""
    if isinstance(value, Struct):
        return replace(value, **{each: _renamed(getattr(value, each), names) for each in value.__struct_fields__})
    if isinstance(value, tuple | frozenset):
        return type(value)(_renamed(each, names) for each in value)
    return names.get(value, value) if isinstance(value, str | UUID) else value
