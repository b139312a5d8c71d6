"""Plans of the hot statements: look-ups by key whatever is stored, and never a table read through."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from models.database import Database, open_database
from models.queries.existence import open_statement
from models.queries.feeding import answers_statement, latest_statement, taken_statement
from models.queries.retention import Expiring, expiring_page
from models.queries.statements import Needs, Page, facts_statement, listing_statement, names_of
from models.tables import metadata

MANY = """
INSERT INTO organization SELECT lpad(i::text, 9, '0'), 'health_facility', '' FROM generate_series(1, 500) AS i;
INSERT INTO professional SELECT lpad(i::text, 11, '0'), 'physician' FROM generate_series(1, 2000) AS i;
INSERT INTO exercise SELECT lpad(i::text, 11, '0'), lpad((1 + i % 500)::text, 9, '0')
    FROM generate_series(1, 2000) AS i;
INSERT INTO staff SELECT 's' || i, lpad((1 + i % 500)::text, 9, '0') FROM generate_series(1, 2000) AS i;
INSERT INTO dossier (id, state, state_since) SELECT md5('d' || i)::uuid, 'open', now()
    FROM generate_series(1, 4000) AS i;
INSERT INTO relation SELECT md5('d' || i)::uuid, 'professional', lpad((1 + (i + k) % 2000)::text, 11, '0'), 'care_team'
    FROM generate_series(1, 4000) AS i, generate_series(1, 4) AS k;
INSERT INTO representation SELECT md5('d' || i)::uuid, md5('d' || i + 1)::uuid, 'caregiver'
    FROM generate_series(1, 4000) AS i;
INSERT INTO has_read SELECT md5('d' || i)::uuid, lpad((1 + i % 2000)::text, 11, '0') FROM generate_series(1, 4000) AS i;
INSERT INTO document (dossier, id, series, document_type, author_type, author_id, created_at, status)
    SELECT md5('d' || i)::uuid, md5('t' || i || k)::uuid, md5('t' || i || k)::uuid, 'x', '', '', now(), 'current'
    FROM generate_series(1, 4000) AS i, generate_series(1, 5) AS k;
INSERT INTO message SELECT md5('d' || i)::uuid, md5('m' || i)::uuid, '', '', now(), NULL, ''
    FROM generate_series(1, 4000) AS i;
INSERT INTO place SELECT id, dossier FROM document UNION ALL SELECT id, dossier FROM message;
ANALYZE;
"""
SUBJECTS = ["professional", "organization", "staff", "person"]
RESOURCES = [("dossier",), ("place", "document"), ("dossier", "document"), ("place", "message"), ("dossier", "message")]
EVERYTHING = frozenset({*SUBJECTS, "place", "dossier", "document", "message"})


@pytest.fixture
async def plans(migrated_postgresql_url: str) -> Any:
    """A connection with the server's own settings, to a database where reading a table through would be noticed."""
    connection = await asyncpg.connect(migrated_postgresql_url)
    await connection.execute(MANY)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    yield connection
    await connection.close()


async def _nodes(connection: Any, statement: str, parameters: int) -> list[dict[str, Any]]:
    await connection.execute(f"PREPARE hot AS {statement}")
    nothing = ", ".join(["NULL"] * parameters)
    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE hot{f'({nothing})' if parameters else ''}")
    await connection.execute("DEALLOCATE hot")
    return list(_walk(json.loads(row[0])[0]["Plan"]))


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", []):
        yield from _walk(inner)


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_a_case_is_a_chain_of_look_ups(plans: Any, subject: str) -> None:
    """With the server's default settings and statistics, each table is met by its key, or by dossier and more."""
    for resource in RESOURCES:
        needs: Needs = frozenset({subject, *resource})
        for node in await _nodes(plans, facts_statement(needs, 1), len(names_of(needs))):
            if "Relation Name" in node:
                key = next(iter(metadata.tables[node["Relation Name"]].primary_key.columns)).name
                assert node["Node Type"] in {"Index Scan", "Index Only Scan"}
                assert f"({key} = " in node["Index Cond"]


async def test_a_batch_is_a_chain_of_look_ups(migrated_postgresql_url: str, plans: Any) -> None:
    """A batch of everything, as the service's own connections plan it: no table is read through."""
    database: Database = await open_database(migrated_postgresql_url)
    try:
        for questions in (16, 512):
            statement = facts_statement(EVERYTHING, questions)
            values = [None] * (questions * len(names_of(EVERYTHING)))
            rows = await database.read(f"EXPLAIN (FORMAT JSON) {statement}", *values)
            nodes = list(_walk(json.loads(rows[0][0])[0]["Plan"]))
            assert {node["Node Type"] for node in nodes if "Relation Name" in node} <= {
                "Index Scan",
                "Index Only Scan",
                "Bitmap Heap Scan",
            }
    finally:
        await database.close()


async def test_the_dmp_button_is_a_chain_of_look_ups(migrated_postgresql_url: str, plans: Any) -> None:
    """Five hundred dossiers with the relations of somebody who works in two places: no table is read through."""
    database: Database = await open_database(migrated_postgresql_url)
    try:
        for person, reader, parties in ((False, True, 4), (True, False, 0)):
            statement = open_statement(512, parties, person, reader)
            rows = await database.read(f"EXPLAIN (FORMAT JSON) {statement}", *[None] * (512 + 1 + parties))
            nodes = list(_walk(json.loads(rows[0][0])[0]["Plan"]))
            assert {node["Node Type"] for node in nodes if "Relation Name" in node} <= {
                "Index Scan",
                "Index Only Scan",
                "Bitmap Heap Scan",
            }
    finally:
        await database.close()


@pytest.mark.parametrize(
    "statement, parameters, index",
    [
        (latest_statement(512), 3 + 3 * 512, "ix_document_dossier_created_at_id"),
        (taken_statement(512), 512, "pk_place"),
        (answers_statement(512), 3 * 512, "pk_idempotency"),
    ],
)
async def test_what_a_feed_looks_up_is_a_chain_of_look_ups(
    plans: Any, statement: str, parameters: int, index: str
) -> None:
    """Of hundreds of dossiers at once, as the service's own connections plan it: the index is asked for each."""
    for way in ("seqscan", "hashjoin", "mergejoin", "material"):
        await plans.execute(f"SET enable_{way} = off")
    _, outer, *_, inner = await _nodes(plans, statement, parameters)
    assert (outer["Node Type"], inner["Index Name"]) == ("Values Scan", index)
    assert '"*VALUES*".column1' in inner["Index Cond"]


async def test_retention_looks_for_what_expires_by_its_index(plans: Any) -> None:
    """Whatever else is stored: a page of reimbursements is taken from the index that holds nothing else."""
    nothing = Expiring(datetime(2024, 1, 1, tzinfo=UTC), UUID(int=0), UUID(int=0))
    dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # published without types
    compiled = expiring_page(nothing.created_at, nothing, 500).compile(dialect=dialect)
    nodes = await _nodes(plans, str(compiled), len(compiled.params))
    assert [node["Index Name"] for node in nodes if "Index Name" in node] == ["ix_document_created_at"]
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}


@pytest.mark.parametrize(
    "page, parameters",
    [
        (Page(after=True), 4),
        (Page(after=True, oldest_first=True), 4),
        (Page(after=True, author=True, since=True, until=True), 8),
        (Page(oldest_first=True, since=True, until=True), 4),
    ],
)
async def test_a_page_of_a_listing_follows_its_index(plans: Any, page: Page, parameters: int) -> None:
    """The documents come in order from the index of the dossier, so a page costs what it shows: nothing is sorted."""
    needs: Needs = frozenset({"professional", "dossier", "document"})
    nodes = await _nodes(plans, listing_statement(needs, page), len(names_of(needs)) + parameters)
    assert "ix_document_dossier_created_at_id" in {node.get("Index Name") for node in nodes}
    assert {node["Node Type"] for node in nodes} & {"Sort", "Incremental Sort", "Seq Scan", "Hash"} == set()


async def test_sqlite_looks_up_too(migrated_sqlite_url: str) -> None:
    """SQLite, without any statistics, searches each table by its key and scans nothing but the questions."""
    database = await open_database(migrated_sqlite_url)
    try:
        statement = facts_statement(EVERYTHING, 2)
        values = [None] * (2 * len(names_of(EVERYTHING)))
        steps = [row[3] for row in await database.read(f"EXPLAIN QUERY PLAN {statement}", *values)]
    finally:
        await database.close()
    tables = {"p", "e", "s", "o", "w", "d", "t", "m", "own", "theirs", "h", "r"}
    searched = {step.split()[1] for step in steps if step.startswith("SEARCH") and "PRIMARY KEY" in step}
    by_unique_index = {step.split()[1] for step in steps if "sqlite_autoindex_message_1" in step}
    assert searched | by_unique_index == tables
    assert {step for step in steps if step.startswith("SCAN")} <= {"SCAN q", "SCAN 2 CONSTANT ROWS"}
