"""`dmp feed dispensations`, as an operator types it."""

import json
from pathlib import Path

import pytest

from api.cli.setting_up import initialise
from api.settings import Settings
from tests.api.cli.shell import run
from tests.api.whole import INS, NOBODY_INS, PHARMACY
from tests.doubles import fhir

FACTS = (
    {"kind": "organization", "id": PHARMACY, "type": "pharmacy", "name": "Pharmacie"},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1960-05-12"},
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Of the record, for a service that was set up: one line that is taken, one about nobody."""
    initialise(Settings.from_environment({"DMP_HOME": str(tmp_path)}))
    facts, file = tmp_path / "facts.ndjson", tmp_path / "dispensations.ndjson"
    facts.write_text("\n".join(map(json.dumps, FACTS)))
    assert run("import", str(facts), home=tmp_path).exit_code == 0
    lines = (fhir.handed_out(ins, PHARMACY, f"D{ins}") for ins in (INS, NOBODY_INS))
    file.write_bytes(b"\n".join(map(fhir.encoded, lines)))
    return file


def test_each_line_has_its_result(export: Path, tmp_path: Path) -> None:
    """And the command fails while a line is refused; fed again, what was taken stands."""
    for _ in range(2):
        result = run("feed", "dispensations", str(export), home=tmp_path)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert [(each["line"], each["id"], each["ok"], each.get("reason")) for each in told] == [
            (1, f"D{INS}", True, None),
            (2, f"D{NOBODY_INS}", False, "no-dossier"),
        ]
        assert result.stderr.splitlines()[-1] == f"{export}: 1 lines taken, 1 refused: 1 no-dossier"
        assert result.exit_code == 1
    export.write_bytes(export.read_bytes().splitlines()[0])
    assert run("feed", "dispensations", str(export), home=tmp_path).exit_code == 0


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is one error."""
    initialise(Settings.from_environment({"DMP_HOME": str(tmp_path)}))
    result = run("feed", "dispensations", str(tmp_path / "none"), home=tmp_path)
    assert (result.exit_code, type(result.exception)) == (1, FileNotFoundError)
