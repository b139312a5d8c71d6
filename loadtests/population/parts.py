"""Parts of a population, written to PostgreSQL by COPY: each is there with its mark, or not at all."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

import asyncpg
import numpy as np

from loadtests.population import Population
from loadtests.population.directory import Directory
from loadtests.population.draws import Numbers
from loadtests.population.numbering import Text
from loadtests.population.places import BUCKETS, entries_between
from loadtests.population.rows import DOSSIER_COLUMNS, HEADER, TRAILER, dossier_rows, tied_rows, whereabouts_rows
from loadtests.population.sheets import PERSON, Ids, ties_of
from loadtests.profile import POPULATION
from models.identifiers import Ins

MARKS = "loadtest_part"
_ENTRIES_AT_ONCE = 16_000_000
_MARK = f"INSERT INTO {MARKS} (step, part, ids) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING part"  # noqa: S608 - names of our own


class Step(StrEnum):
    """What is written part by part."""

    DIRECTORY = "directory"
    DOSSIERS = "dossiers"
    WHEREABOUTS = "whereabouts"


@dataclass(frozen=True)
class Parts:
    """How a population is cut: into so many dossiers at a time, and then into ranges of buckets."""

    population: Population
    size: int
    secret: bytes = field(repr=False)

    def amount(self, step: Step) -> tuple[int, str]:
        """How much a step writes, and of what."""
        documents = round(self.population.dossiers * POPULATION["documents a dossier, mean"].value)
        return {
            Step.DIRECTORY: (1, "directory"),
            Step.DOSSIERS: (self.population.dossiers, "dossiers"),
            Step.WHEREABOUTS: (documents, "documents' places"),
        }[step]

    def count(self, step: Step) -> int:
        """How many parts there are."""
        if step is Step.DIRECTORY:
            return 1
        if step is Step.DOSSIERS:
            return -(-self.population.dossiers // self.size)
        return -(-self.amount(step)[0] // _ENTRIES_AT_ONCE)

    async def write(self, connection: asyncpg.Connection, step: Step, part: int) -> None:
        """One part, in one transaction; nothing if it is there already."""
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = off")  # lost with its mark, if at all
            if step is Step.DIRECTORY:
                await self._write_directory(connection, part)
            elif step is Step.DOSSIERS:
                await self._write_dossiers(connection, part)
            else:
                await self._write_whereabouts(connection, part)

    async def _write_directory(self, connection: asyncpg.Connection, part: int) -> None:
        if not await connection.fetch(_MARK, Step.DIRECTORY, part, None):
            return
        directory: Directory = self.population.directory
        professionals = list(directory.professionals())
        tables = {
            "organization": list(directory.structures()),
            "professional": [(each.rpps, each.profession, each.samu_regulator) for each in professionals],
            "exercise": [(each.rpps, each.organization) for each in professionals if each.organization],
            "staff": list(directory.staff()),
        }
        columns = {"professional": ("rpps", "profession", "samu_regulator")}
        for table, rows in tables.items():
            await connection.copy_records_to_table(table, records=rows, columns=columns.get(table))

    async def _write_dossiers(self, connection: asyncpg.Connection, part: int) -> None:
        block = self.population.block(self._numbers(part))
        ids, ties = self._pseudonyms(block.births.ins()), ties_of(block)
        if not await connection.fetch(_MARK, Step.DOSSIERS, part, ids.tobytes()):
            return
        guardians = self._pseudonyms(self.population.block(ties.parties[ties.kinds == PERSON]).births.ins())
        await _copy(connection, "dossier", dossier_rows(block, ids, ties, guardians), DOSSIER_COLUMNS)
        await _copy(connection, "tied", tied_rows(ids, ties), ("party", "dossier"))

    async def _write_whereabouts(self, connection: asyncpg.Connection, part: int) -> None:
        if not await connection.fetch(_MARK, Step.WHEREABOUTS, part, None):
            return
        ranges = self.count(Step.WHEREABOUTS)
        first, end = (BUCKETS * each // ranges for each in (part, part + 1))
        query = f"SELECT part, ids FROM {MARKS} WHERE step = $1 ORDER BY part"  # noqa: S608 - as above
        kept = [(row["part"], row["ids"]) async for row in connection.cursor(query, Step.DOSSIERS, prefetch=16)]
        blocks = ((self.population.block(self._numbers(which)), np.frombuffer(ids, dtype="V16")) for which, ids in kept)
        buckets, entries = entries_between(blocks, first, end)
        await _copy(connection, "whereabouts", whereabouts_rows(buckets, entries), ("bucket", "entries"))

    def _numbers(self, part: int) -> Numbers:
        return np.arange(part * self.size, min((part + 1) * self.size, self.population.dossiers))

    def _pseudonyms(self, holders: Text) -> Ids:
        known = (Ins(ins.decode()).pseudonym(self.secret).bytes for ins in holders.tolist())
        return np.frombuffer(b"".join(known), dtype="V16")


async def _copy(connection: asyncpg.Connection, table: str, rows: Iterable[bytes], columns: Iterable[str]) -> None:
    await connection.copy_to_table(table, source=_pieces(rows), columns=list(columns), format="binary")


async def _pieces(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in chain([HEADER], rows, [TRAILER]):
        yield piece
