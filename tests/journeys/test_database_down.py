"""The database goes away, and comes back."""

from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import ON_CITUS
from tests.journeys.conftest import production_stack
from tests.journeys.databases import execute
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, until
from tests.journeys.service import started
from tests.servers.minio import MinioServer
from tests.servers.postgresql import PostgresqlServer


def test_without_its_database_the_service_says_so_and_recovers(
    tmp_path: Path,
    postgresql_server: PostgresqlServer,
    migrated_postgresql_template: str,
    minio_server: MinioServer,
    common: dict[str, str],
) -> None:
    """Not ready, and 503 for everything, without an answer that might be wrong; ready again as soon as it is back."""
    stack = production_stack(tmp_path, postgresql_server, migrated_postgresql_template, minio_server, common)
    name = urlsplit(stack.settings.database_url).path[1:]
    administrator = Stack("administrator", tmp_path, {"DMP_DATABASE_URL": postgresql_server.url()})
    with started(stack) as service:
        record = service.opened()
        document = record.deposited(HOSPITAL)
        execute(administrator, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        execute(administrator, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        ready = service.http.get("/health/ready")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert {part: each["ok"] for part, each in ready.json()["checks"].items()} == {
            "policy": True,
            "database": False,
            "store": True,
            "keys": True,
            "journal": False,
            "notifications": True,
            "inquiries": True,
            "antivirus": True,
            "replica": True,
        }
        assert service.http.get("/health/live").status_code == 200
        answers = [
            record.read(document, record.holder),
            record.ask("GET", "/journal", record.holder),
            record.ask("PUT", "/care-team-consent", record.holder, {"given": True}),
            record.deposit(HOSPITAL),
        ]
        assert [each.status_code for each in answers] == [503] * len(answers)
        known = service.evaluate(record.holder, "document:read", ("document", document), dry_run=True)
        # The nodes of a cluster may go on telling what is so: nobody can change it without the coordinator.
        assert known.status_code == 503 or (ON_CITUS and known.json()["decision"] is True)
        execute(administrator, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        until(service.server.is_ready)
        until(lambda: record.read(document, record.holder).content == b"content")
        assert record.deposit(HOSPITAL).status_code == 201
