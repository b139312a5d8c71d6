"""One file of facts, imported in one transaction: nothing of it remains if a single line is refused."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database, load, prepare_bulk
from models.identifiers import Ins
from models.importing import merging, staging
from models.importing.gathering import OF_SHEETS, Gatherer
from models.importing.lines import Reader, Row
from models.importing.references import check_references, hold_dossiers
from models.importing.sheets import merge_sheets, merge_whereabouts
from models.tables import dossier_key

_CHUNK = 2_000  # rows of one kind that are held in memory; more make the garbage collector walk further
_ASKED_AT_ONCE = 1_000
_TOLD_EVERY = 10_000  # lines


_ALONE = ("organization", "professional", "exercise", "staff", "dossier")

_Said = tuple[str, Row]


class SealedDossier(Protocol):
    """A new dossier's key, wrapped, and its INS under that key."""

    @property
    def dossier(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def key_id(self) -> str: ...
    @property
    def wrapped(self) -> bytes: ...
    @property
    def ins_sealed(self) -> bytes: ...


class SealDossiers(Protocol):
    """Gives keys to the dossiers of one import, within its transaction."""

    async def seal(
        self, connection: AsyncConnection, dossiers: Sequence[tuple[UUID, bytes]]
    ) -> Sequence[SealedDossier]:
        """Keys for dossiers that have none, given with their INS (15 characters)."""
        ...

    async def settle(self, connection: AsyncConnection) -> None:
        """Everything else of the import is written: called last before the commit."""
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held, by kind of fact, and how many rows were written because they were new or said otherwise."""

    lines: int
    facts: Mapping[str, int]
    changed: int


async def import_facts(
    database: Database,
    pseudonym_of: Callable[[Ins], UUID],
    lines: Iterable[bytes],
    *,
    seal: SealDossiers | None = None,
    progress: Callable[[int], None] = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Imported:
    """Import a file (INTERFACES, "Import"); empty lines are passed over, `progress` is told how many lines were read.

    Without `seal` dossiers are stored without their INS, which then stands nowhere. The file is never whole in memory,
    nor an INS anywhere but there. Raises ImportRefusedError with line and reason, DatabaseError.
    """
    async with database.begin() as connection:
        await prepare_bulk(connection)
        await staging.create(connection)
        counted = await _stage(connection, Reader(pseudonym_of), lines, seal, progress)
        changed = await _merge(connection, now())
        await staging.drop(connection)
        if seal is not None:
            await seal.settle(connection)
    return Imported(counted.pop("line"), dict(counted), changed)


async def _stage(
    connection: AsyncConnection,
    reader: Reader,
    lines: Iterable[bytes],
    seal: SealDossiers | None,
    progress: Callable[[int], None],
) -> Counter[str]:
    of_sheets: list[_Said] = []
    waiting: dict[str, list[_Said]] = {kind: [] for kind in _ALONE} | dict.fromkeys(OF_SHEETS, of_sheets)
    counted = Counter(dict.fromkeys(waiting, 0))
    gatherer = Gatherer()
    number = 0
    for number, line in enumerate(lines, 1):
        if line and not line.isspace():
            for said in reader.rows(number, line):
                rows = waiting[said[0]]
                rows.append(said)
                if len(rows) == _CHUNK:
                    await _load(connection, rows, counted, gatherer, seal)
        if number % _TOLD_EVERY == 0:
            progress(number)
    for rows in waiting.values():
        await _load(connection, rows, counted, gatherer, seal)
    progress(number)
    del counted["exercise"]  # part of a professional's line
    counted["line"] = number
    return counted


async def _load(
    connection: AsyncConnection,
    said: list[_Said],
    counted: Counter[str],
    gatherer: Gatherer,
    seal: SealDossiers | None,
) -> None:
    """All of one kind, or of those that go into sheets; none is left."""
    if not said:
        return
    counted.update(kind for kind, _ in said)
    kind, _ = said[0]
    if kind in OF_SHEETS:
        for name, rows in gatherer.gather(said)._asdict().items():
            await load(connection, staging.BY_NAME[name], rows)
    else:
        rows = [row for _, row in said]
        complete = await _sealed(connection, rows, seal) if kind == "dossier" else rows
        await load(connection, staging.BY_NAME[kind], complete)
    said.clear()


async def _sealed(connection: AsyncConnection, rows: list[Row], seal: SealDossiers | None) -> list[Row]:
    """The rows of dossiers with, instead of their INS, this sealed and the key, for those that have no key yet."""
    found: dict[UUID, SealedDossier] = {}
    if seal is not None:
        wanted: dict[UUID, bytes] = {row[1]: row[-1] for row in rows}
        for known in await _with_key(connection, list(wanted)):
            del wanted[known]
        found = {sealed.dossier: sealed for sealed in await seal.seal(connection, list(wanted.items()))}
    return [(*row[:-1], *_sealing(found.get(row[1]))) for row in rows]


def _sealing(sealed: SealedDossier | None) -> Row:
    if sealed is None:
        return None, None, None, None
    return sealed.ins_sealed, sealed.version, sealed.key_id, sealed.wrapped


async def _with_key(connection: AsyncConnection, dossiers: Sequence[UUID]) -> list[UUID]:
    found: list[UUID] = []
    for start in range(0, len(dossiers), _ASKED_AT_ONCE):
        asked = dossiers[start : start + _ASKED_AT_ONCE]
        query = select(dossier_key.c.dossier).where(dossier_key.c.dossier.in_(asked))
        found.extend((await connection.execute(query)).scalars())
    return found


async def _merge(connection: AsyncConnection, at: datetime) -> int:
    for staged in staging.BY_NAME.values():
        await connection.execute(text(f"ANALYZE {staged.name}"))
    await hold_dossiers(connection)
    changed = await merging.merge_organizations(connection)
    changed += await merging.merge_professionals(connection)
    changed += await merging.merge_dossiers(connection, at)
    await check_references(connection)
    changed += await merging.merge_exercise(connection)
    changed += await merging.merge_staff(connection)
    changed += await merge_sheets(connection)
    await merge_whereabouts(connection)
    return changed
