"""Plans of PostgreSQL's: a database in which reading a table through would be noticed, and what a plan does in it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MANY = """
INSERT INTO organization SELECT lpad(i::text, 9, '0'), 'health_facility', '' FROM generate_series(1, 500) AS i;
INSERT INTO professional SELECT lpad(i::text, 11, '0'), 'physician' FROM generate_series(1, 2000) AS i;
INSERT INTO exercise SELECT lpad(i::text, 11, '0'), lpad((1 + i % 500)::text, 9, '0')
    FROM generate_series(1, 2000) AS i;
INSERT INTO staff SELECT 's' || i, lpad((1 + i % 500)::text, 9, '0') FROM generate_series(1, 2000) AS i;
INSERT INTO dossier (id, state, state_since, ties, documents, reimbursed_since)
    SELECT md5('d' || i)::uuid, 'open', now(), '\\x00', '\\x00', CASE WHEN i % 50 = 0 THEN now() END
    FROM generate_series(1, 20000) AS i;
INSERT INTO tied SELECT lpad((1 + (i + k) % 2000)::text, 11, '0'), md5('d' || i)::uuid
    FROM generate_series(1, 20000) AS i, generate_series(1, 4) AS k;
INSERT INTO whereabouts SELECT i, '\\x00' FROM generate_series(1, 20000) AS i ON CONFLICT DO NOTHING;
INSERT INTO contest SELECT md5('d' || i)::uuid, md5('t' || i)::uuid, '' FROM generate_series(1, 4000) AS i;
INSERT INTO has_read SELECT md5('d' || i)::uuid, lpad((1 + i % 2000)::text, 11, '0')
    FROM generate_series(1, 20000) AS i;
INSERT INTO message SELECT md5('d' || i)::uuid, md5('m' || i)::uuid, '', '', now(), NULL, ''
    FROM generate_series(1, 4000) AS i;
"""
"""What a decision reads, of twenty thousand dossiers."""

MORE = """
INSERT INTO dossier_key SELECT id, 1, 'shard', '\\x00' FROM dossier ON CONFLICT DO NOTHING;
INSERT INTO content SELECT id, id, 'documents/' || id, '', '', 'text/plain', 1, '', '', now(), '' FROM dossier;
INSERT INTO pending_object SELECT id, id::text, now() FROM dossier;
INSERT INTO idempotency SELECT id, 'client', 'key', '', '', now() FROM dossier;
INSERT INTO journal_chain SELECT id, 3, '', NULL, NULL FROM dossier ON CONFLICT DO NOTHING;
INSERT INTO journal_entry SELECT md5('d' || i)::uuid, k, '', '', '', NULL, now(), NULL
    FROM generate_series(1, 20000) AS i, generate_series(1, 3) AS k;
INSERT INTO journal_leaf SELECT 1000000 + 3 * i + k, md5('d' || i)::uuid, k, ''
    FROM generate_series(1, 20000) AS i, generate_series(1, 3) AS k;
INSERT INTO notification SELECT id, id, 1, 'inform_patient', '', '', now(), 0, now() + interval '1 day' FROM dossier;
INSERT INTO inquiry SELECT id, 'fund', now(), 0, now() + interval '1 day' FROM dossier;
INSERT INTO opening SELECT id, now()::date, 'person' FROM dossier;
INSERT INTO emergency SELECT id, now()::date, 'centre_15' FROM dossier;
"""
"""The rest of what belongs to them."""


_PLANNED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|VALUES)\b", re.IGNORECASE)


async def planned(connection: Any, statement: str) -> list[dict[str, Any]]:
    """The steps of the plan by which a statement is carried out, whatever its parameters; nothing is carried out.

    The connection has `plan_cache_mode = force_generic_plan`. What has no plan (`SHOW`, `BEGIN`) has no steps.
    """
    if not _PLANNED.match(statement):
        return []
    await connection.execute(f"PREPARE hot AS {statement}")
    named = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'hot'"
    parameters = await connection.fetchval(named)
    nothing = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE hot{nothing}")
    await connection.execute("DEALLOCATE hot")
    return list(steps(json.loads(row[0])[0]["Plan"]))


def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A step and those beneath it."""
    yield node
    for inner in node.get("Plans", []):
        yield from steps(inner)


class Index(NamedTuple):
    """An index: the table that it is of, and the first column by which rows are found in it."""

    table: str
    first: str


async def indexes_of(connection: Any) -> Mapping[str, Index]:
    """All there are, by name."""
    rows = await connection.fetch(
        "SELECT i.relname, t.relname, a.attname FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid"
        " JOIN pg_class AS t ON t.oid = x.indrelid"
        " JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]"
    )
    return {name: Index(table, first) for name, table, first in rows}
