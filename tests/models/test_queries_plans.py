"""Plans of the hot statements: look-ups by key whatever is stored, and never a table read through."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from models.database import Database, open_database
from models.queries.existence import open_statement
from models.queries.feeding import answers_statement, sheets_statement
from models.queries.retention import Expiring, expiring_page
from models.queries.search import DOSSIERS_OF_PARTY, EXERCISING_IN, Listed, first_statement
from models.queries.statements import Needs, facts_statement, names_of, placed_statement
from models.queries.whereabouts import buckets_statement
from models.tables import metadata
from tests.conftest import ON_CITUS
from tests.plans import MANY, planned, steps

pytestmark = pytest.mark.skipif(
    ON_CITUS, reason="plans of one server; tests/models/test_distributed.py reads the others"
)

SUBJECTS = ["professional", "organization", "staff", "person"]
RESOURCES = [("dossier",), ("dossier", "documents"), ("dossier", "message")]
EVERYTHING = frozenset({*SUBJECTS, "dossier", "documents", "message"})


@pytest.fixture
async def plans(migrated_postgresql_url: str) -> Any:
    """A connection with the server's own settings, to a database where reading a table through would be noticed."""
    connection = await asyncpg.connect(migrated_postgresql_url)
    await connection.execute(f"{MANY} ANALYZE;")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    yield connection
    await connection.close()


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_a_case_is_a_chain_of_look_ups(plans: Any, subject: str) -> None:
    """With the server's default settings and statistics, each table is met by its key, or by dossier and more."""
    for resource in RESOURCES:
        needs: Needs = frozenset({subject, *resource})
        nodes = await planned(plans, facts_statement(needs, 1))
        if "documents" in needs:
            nodes += await planned(plans, placed_statement(needs))
        for node in nodes:
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
            nodes = list(steps(json.loads(rows[0][0])[0]["Plan"]))
            assert {node["Node Type"] for node in nodes if "Relation Name" in node} <= {
                "Index Scan",
                "Index Only Scan",
                "Bitmap Heap Scan",
            }
    finally:
        await database.close()


@pytest.mark.parametrize(
    "statement, parameters",
    [
        (open_statement(512, reader=True), 513),
        (open_statement(512, reader=False), 512),
        (buckets_statement(512), 512),
        (sheets_statement(512), 512),
        (answers_statement(512), 3 * 512),
    ],
    ids=["button of a professional", "button", "whereabouts", "sheets", "answers"],
)
async def test_hundreds_at_once_are_a_chain_of_look_ups(
    migrated_postgresql_url: str, plans: Any, statement: str, parameters: int
) -> None:
    """As the service's own connections plan them: no table is read through."""
    database: Database = await open_database(migrated_postgresql_url)
    try:
        rows = await database.read(f"EXPLAIN (FORMAT JSON) {statement}", *[None] * parameters)
        nodes = list(steps(json.loads(rows[0][0])[0]["Plan"]))
        assert {node["Node Type"] for node in nodes if "Relation Name" in node} <= {
            "Index Scan",
            "Index Only Scan",
            "Bitmap Heap Scan",
        }
    finally:
        await database.close()


async def test_retention_looks_for_what_expires_by_its_index(plans: Any) -> None:
    """Whatever else is stored: a page of reimbursements is taken from the index that holds nothing else."""
    nothing = Expiring(datetime(2024, 1, 1, tzinfo=UTC), UUID(int=0), {})
    dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # published without types
    compiled = expiring_page(nothing[0], nothing, 500).compile(dialect=dialect)
    nodes = await planned(plans, str(compiled))
    assert [node["Index Name"] for node in nodes if "Index Name" in node] == ["ix_dossier_reimbursed_since"]
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}


@pytest.mark.parametrize(
    "listed, index", [(DOSSIERS_OF_PARTY, "pk_tied"), (EXERCISING_IN, "ix_exercise_organization_professional")]
)
async def test_a_page_of_a_search_follows_its_index(plans: Any, listed: Listed, index: str) -> None:
    """What is found of each party comes in order from the table's key, so a page costs what it shows."""
    nodes = await planned(plans, first_statement(listed, 4))
    assert {node["Index Name"] for node in nodes if "Index Name" in node} == {index}
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}


async def test_sqlite_looks_up_too(migrated_sqlite_url: str) -> None:
    """SQLite, without any statistics, searches each table by its key and scans nothing but the questions."""
    database = await open_database(migrated_sqlite_url)
    try:
        statement = facts_statement(EVERYTHING, 2)
        values = [None] * (2 * len(names_of(EVERYTHING)))
        steps = [row[3] for row in await database.read(f"EXPLAIN QUERY PLAN {statement}", *values)]
    finally:
        await database.close()
    tables = {"p", "e", "s", "o", "d", "m", "h"}
    searched = {step.split()[1] for step in steps if step.startswith("SEARCH") and "PRIMARY KEY" in step}
    by_unique_index = {step.split()[1] for step in steps if "sqlite_autoindex_message_1" in step}
    assert searched | by_unique_index == tables
    assert {step for step in steps if step.startswith("SCAN")} <= {"SCAN q", "SCAN 2 CONSTANT ROWS"}
