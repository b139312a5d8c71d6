"""The operator's guide shows what its commands really print: everything in vault/README.md is typed here, in order."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.cli.main import dmp as command_line
from api.cli.running import dmp, running_service
from models.vocabulary import Scope
from tests.guides import Desk

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "vault/README.md").read_text(encoding="utf-8")
DEMONSTRATION = ROOT / "api/cli/demonstration.ndjson"
CHILD = "215066912300112"
METADATA = (
    '{"document_type":"11488-4","title":"Consultation","content_type":"text/plain","created_at":"2026-10-01T08:00:00Z"}'
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An operator's shell beside a service that runs, in whose vault there is one document."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("desk")
    dmp(home, "init").check_returncode()
    dmp(home, "import", str(DEMONSTRATION)).check_returncode()
    key = dmp(home, "client", "add", "guide", *(f"--scope={scope}" for scope in Scope)).stdout.strip()
    with running_service(home) as address:
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as client:
            person = client.post("/v1/identities", json={"ins": CHILD}).json()["person"]
            deposited = client.post(
                f"/v1/dossiers/{person}/documents",
                headers={"DMP-Subject": "organization/750000002"},
                files={
                    "metadata": (None, METADATA, "application/json"),
                    "content": ("report.txt", b"A report.", "text/plain"),
                },
            )
        assert deposited.status_code == 201, deposited.text
        (folder / "backup").mkdir()
        yield Desk.at(folder, home, SERVICE=address, KEY=key, PERSON=person)


def test_every_command_prints_what_is_shown(desk: Desk) -> None:
    """From the first command to the last, while the service runs."""
    assert desk.follow(GUIDE) > 25


def test_every_command_for_operators_is_told() -> None:
    """All of `dmp keys`, `vault`, `journal`, `notifications`, `inquiries` and `retention`."""
    groups = ("keys", "vault", "journal", "notifications", "inquiries", "retention")
    told = {f"dmp {group} {name}" for group in groups for name in command_line.commands[group].commands}  # type: ignore[attr-defined] # these are groups
    assert {command for command in told if command not in GUIDE} == set()


def test_what_proves_an_answer_exists() -> None:
    """Every test that the guide names."""
    named = re.findall(r"`(tests/[a-z_/]+(?:\.py)?)`", GUIDE)
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(named) > 5
