"""The reviewers' guide shows what its commands really print: everything in policy/README.md is typed here, in order."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.cli.policy import policy
from api.cli.running import dmp, environment, running_service
from models.vocabulary import Scope
from policy.loader import PACKAGED
from policy.review.listing import list_rules

ROOT = Path(__file__).parent.parent
GUIDE = (PACKAGED / "README.md").read_text(encoding="utf-8")
DEMONSTRATION = ROOT / "api/cli/demonstration.ndjson"
BASH = shutil.which("bash") or ""
CHILD, AUTHOR = "215066912300112", "10000000033"
REPORT = "7c0f6c1e-5f6a-4b4e-9a53-0b6b4c4f8a10"
_OWN_REPORT = (
    f'{{"kind":"document","id":"{REPORT}","dossier_ins":"{CHILD}","document_type":"11488-4",'
    f'"author":{{"type":"professional","id":"{AUTHOR}"}},"created_at":"2026-10-01T08:00:00Z","masked":false,'
    '"withheld_until":null,"hidden_from_representatives":false,"status":"current"}\n'
)
_BLOCK = re.compile(r"^```(console|diff [^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Desk:
    """A reviewer's folder, and a home whose journal holds a question of each kind that the guide speaks of."""

    folder: Path
    variables: dict[str, str]

    def type(self, command: str) -> str:
        """What a command prints, errors included."""
        return subprocess.run(  # noqa: S603 - the guide's own commands
            [BASH, "-c", command],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout

    def edit(self, file: str, lines: list[str]) -> None:
        """Carry out a change: what is taken out stands there as it is shown; without that, lines are added below."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        out = "".join(f"{line[1:]}\n" for line in lines if line.startswith("-"))
        new = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
        assert text.count(out) == 1 or not out, (file, out)
        path.write_text(text.replace(out, new) if out else text + new, encoding="utf-8")


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
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Desk(folder, environment(home) | {"PATH": path})


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


def shown(expected: str) -> re.Pattern[str]:
    """What is shown, where `…` stands for anything in a line, and for any lines where it is alone."""
    lines = (
        "(?:.*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*')}\n" for line in expected.splitlines()
    )
    return re.compile("".join(lines))


def test_every_command_prints_what_is_shown(desk: Desk) -> None:
    """From the first command to the last; changes of files are made as they are told."""
    typed = 0
    for kind, body in _BLOCK.findall(GUIDE):
        if kind != "console":
            desk.edit(kind.removeprefix("diff "), body.splitlines())
            continue
        for part in _PROMPT.split(body)[1:]:
            command, _, expected = part.partition("\n")
            printed = desk.type(command)
            assert shown(expected).fullmatch(printed), f"$ {command}\n{printed}"
            typed += 1
    assert typed > 20


def test_the_table_of_rules_is_current() -> None:
    """As `dmp policy rules` prints it."""
    table = "\n".join(list_rules(PACKAGED).lines())
    assert table in GUIDE


def test_every_command_for_reviewers_is_told() -> None:
    """In the table of questions or in the text."""
    assert [name for name in policy.commands if f"dmp policy {name}" not in GUIDE and f"`{name}`" not in GUIDE] == []
