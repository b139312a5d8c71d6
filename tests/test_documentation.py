"""What the guides tell a reader to type is typed here."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli.running import dmp, environment, running_service
from api.cli.setting_up import DEMONSTRATION_CLIENT
from models.vocabulary import Scope

ROOT = Path(__file__).parent.parent
DEMONSTRATION = ROOT / "api/cli/demonstration.ndjson"
BASH, MAKE = shutil.which("bash") or "", shutil.which("make") or ""
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
# Targets that other tests follow, and the service itself, which runs already.
_NOT_TYPED = re.compile(r"make |dmp serve")


@dataclass(frozen=True)
class Shell:
    """A reader's shell: in a folder of its own, beside a service that runs."""

    folder: Path
    variables: dict[str, str]
    address: str

    def type(self, commands: list[str]) -> str:
        """Run commands as one script, stopping at the first that fails; what they print."""
        script = "\n".join(commands).replace("http://127.0.0.1:8000", self.address)
        run = subprocess.run(  # noqa: S603 - the guides' own commands
            [BASH, "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell as the guides suppose it: `dmp` in the path, KEY set, the files that they name."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("reader")
    dmp(home, "init").check_returncode()
    dmp(home, "import", str(DEMONSTRATION)).check_returncode()
    scopes = [f"--scope={scope}" for scope in Scope]
    key = dmp(home, "client", "add", DEMONSTRATION_CLIENT, *scopes).stdout.strip()
    (folder / "report.txt").write_text("A report.")
    lines = DEMONSTRATION.read_text().splitlines(keepends=True)
    (folder / "directory.ndjson").write_text("".join(line for line in lines if "dossier" not in line))
    (folder / "dossiers.ndjson").write_text("".join(line for line in lines if "dossier" in line))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with running_service(home) as address:
        yield Shell(folder, environment(home) | {"PATH": path, "KEY": key}, address)


def commands_of(page: str) -> list[str]:
    """The commands of a page, in order."""
    text = (ROOT / page).read_text()
    found = [command for block in _BLOCK.findall(text) for command in _PROMPT.split(block)[1:]]
    return [command for command in found if not _NOT_TYPED.match(command)]


def test_the_first_decision_is_the_one_that_the_readme_tells(shell: Shell) -> None:
    """README: the treating physician may list the dossier, by the rule and with the obligations that it names."""
    answer = json.loads(shell.type(commands_of("README.md")))
    assert answer["decision"] is True
    assert answer["context"]["rule"] == "treating-physician"
    assert answer["context"]["obligations"] == [{"id": "notify_patient"}, {"id": "write_down"}]


@pytest.mark.parametrize(
    "change, rule",
    [(("10000000017", "10000000033"), "not-permitted"), (('"authentication": "cps", ', ""), "weak-authentication")],
)
def test_the_readme_is_right_about_what_changes_the_answer(shell: Shell, change: tuple[str, str], rule: str) -> None:
    """README: a stranger is not permitted, and without the card the authentication is too weak."""
    answer = json.loads(shell.type([command.replace(*change) for command in commands_of("README.md")]))
    assert answer["decision"] is False
    assert answer["context"]["rule"] == rule


def test_every_command_for_who_starts_and_calls_the_service_works(shell: Shell) -> None:
    """api/README.md, from the first command to the last, in the order in which a reader meets them."""
    person = commands_of("README.md")[0]
    printed = shell.type([person, *commands_of("api/README.md")])
    assert '"sha256":"' in printed
    assert "entries verified" in printed
    assert "accepted: revision" in printed


def test_every_target_that_the_readme_names_exists() -> None:
    """README: `make demo`, `make test`, `make help`, `make serve`."""
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text()))
    for target in named:
        run = subprocess.run([MAKE, "-n", target], cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - our own
        assert run.returncode == 0, target
    assert {"demo", "test", "help", "serve"} <= named


def test_every_promise_is_kept_by_a_test_that_is_there() -> None:
    """The table of the seeds' promises names an address and a test; each test exists, and all five seeds are there."""
    page = (ROOT / "api/README.md").read_text()
    kept = re.findall(r"^\| ([0-9, ]+) \| .* \| `(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)` \|$", page, re.MULTILINE)
    missing = [name for _, path, name in kept if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []
    assert {seed for seeds, _, _ in kept for seed in seeds.split(", ")} == {"000", "001", "002", "003", "004"}
