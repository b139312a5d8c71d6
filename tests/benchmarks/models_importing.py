"""What an import costs beside the copying of its rows."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from uuid import UUID

import asyncpg

from models.database import open_database, upgrade
from models.identifiers import Ins
from models.importing import Reader, import_facts
from tests.benchmarks.frame import Work, benchmark
from tests.servers.postgresql import postgresql

DOSSIERS = 1_000
SECRET = bytes(32)
TABLES = ("organization", "professional", "exercise", "staff", "dossier", "tied", "whereabouts", "dossier_key")
TYPES = {
    UUID: "uuid",
    str: "text",
    bool: "boolean",
    int: "bigint",
    datetime: "timestamptz",
    date: "date",
    bytes: "bytea",
}


@benchmark(
    f"import {DOSSIERS} dossiers of 12 facts, PostgreSQL", subject="import_facts", reference="bare COPY of the rows"
)
def on_postgresql() -> Iterator[tuple[Work, Work]]:
    lines = list(_lines())
    rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    reader = Reader(_pseudonym)
    for number, line in enumerate(lines, 1):
        for kind, row in reader.rows(number, line):
            rows[kind].append(row if kind != "dossier" else (*row[:-1], None, None, None, None))
    with postgresql() as server, asyncio.Runner() as runner:
        url = server.create("benchmark")
        upgrade(url)
        database = runner.run(open_database(url))
        bare = runner.run(asyncpg.connect(url))
        for kind, each in rows.items():
            columns = ", ".join(f"c{place} {_type(values)}" for place, values in enumerate(zip(*each, strict=True)))
            runner.run(bare.execute(f"CREATE TABLE bare_{kind} ({columns})"))

        async def imported() -> None:
            await bare.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            await import_facts(database, _pseudonym, lines)

        async def copied() -> None:
            async with bare.transaction():
                for kind, each in rows.items():
                    await bare.execute(f"TRUNCATE bare_{kind}")
                    await bare.copy_records_to_table(f"bare_{kind}", records=each)

        yield lambda: runner.run(imported()), lambda: runner.run(copied())
        runner.run(bare.close())
        runner.run(database.close())


def _type(values: Iterable[object]) -> str:
    """The column's, by the first of its values that is one."""
    return next((TYPES[type(each)] for each in values if each is not None), "text")


def _pseudonym(ins: Ins) -> UUID:
    return ins.pseudonym(SECRET)


def _lines() -> Iterator[bytes]:
    rpps, finess = "10001234565", "750000002"
    yield _line(kind="organization", id=finess, type="health_facility", name="CHU")
    yield _line(kind="professional", rpps=rpps, profession="physician", organizations=[finess])
    for number in range(DOSSIERS):
        body = f"1{number % 100:02}01{number // 100:02}001001"
        ins = f"{body}{97 - int(body) % 97:02}"
        yield _line(kind="dossier", ins=ins, state="open", born="1985-05-12", care_team_consent=True)
        for relation in ("treating_physician", "care_team", "granted"):
            yield _line(kind="relation", dossier_ins=ins, professional=rpps, relation=relation)
        yield _line(kind="relation", dossier_ins=ins, organization=finess, relation="granted")
        for version in range(7):
            yield _line(
                kind="document",
                id=str(UUID(int=number * 7 + version)),
                dossier_ins=ins,
                document_type="11488-4",
                author={"type": "professional", "id": rpps},
                created_at="2026-10-01T08:00:00Z",
            )


def _line(**members: object) -> bytes:
    return json.dumps(members).encode()
