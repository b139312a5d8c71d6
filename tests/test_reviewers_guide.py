"""The reviewers' guide shows what its commands really print: everything in policy/README.md is typed here, in order."""

import shutil
from pathlib import Path

import httpx
import pytest

from api.cli.policy import policy
from api.cli.running import dmp, running_service
from models.vocabulary import Scope
from policy.loader import PACKAGED
from policy.review.listing import list_rules
from tests.guides import Desk

ROOT = Path(__file__).parent.parent
GUIDE = (PACKAGED / "README.md").read_text(encoding="utf-8")
DEMONSTRATION = ROOT / "api/cli/demonstration.ndjson"
CHILD, AUTHOR = "215066912300112", "10000000033"
REPORT = "7c0f6c1e-5f6a-4b4e-9a53-0b6b4c4f8a10"
_OWN_REPORT = (
    f'{{"kind":"document","id":"{REPORT}","dossier_ins":"{CHILD}","document_type":"11488-4",'
    f'"author":{{"type":"professional","id":"{AUTHOR}"}},"created_at":"2026-10-01T08:00:00Z","masked":false,'
    '"withheld_until":null,"hidden_from_representatives":false,"status":"current"}\n'
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """`dmp` in the path, the packaged policy as `policy`, and a service that was asked before."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("desk")
    shutil.copytree(PACKAGED, folder / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    dmp(home, "init").check_returncode()
    dmp(home, "import", str(DEMONSTRATION)).check_returncode()
    dmp(home, "import", "-", stdin=_OWN_REPORT).check_returncode()
    key = dmp(home, "client", "add", "guide", *(f"--scope={scope}" for scope in Scope)).stdout.strip()
    with running_service(home) as address:
        _ask(address, key)
    return Desk.at(folder, home)


def _ask(address: str, key: str) -> None:
    """An author asks twice for a report of theirs, and the treating physician once for the list."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as client:
        child = client.post("/v1/identities", json={"ins": CHILD}).json()["person"]
        for rpps, action, resource in (
            (AUTHOR, "document:read", {"type": "document", "id": REPORT}),
            (AUTHOR, "document:read", {"type": "document", "id": REPORT}),
            ("10000000017", "document:list", {"type": "dossier", "id": child}),
        ):
            question = {
                "subject": {"type": "professional", "id": rpps},
                "action": {"name": action},
                "resource": resource,
                "context": {"authentication": "cps"},
            }
            client.post("/access/v1/evaluation", json=question).raise_for_status()


def test_every_command_prints_what_is_shown(desk: Desk) -> None:
    """From the first command to the last; changes of files are made as they are told."""
    assert desk.follow(GUIDE) > 20


def test_the_table_of_rules_is_current() -> None:
    """As `dmp policy rules` prints it."""
    table = "\n".join(list_rules(PACKAGED).lines())
    assert table in GUIDE


def test_every_command_for_reviewers_is_told() -> None:
    """In the table of questions or in the text."""
    assert [name for name in policy.commands if f"dmp policy {name}" not in GUIDE and f"`{name}`" not in GUIDE] == []
