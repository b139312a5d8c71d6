"""`dmp feed reimbursements` and `dmp feed treating-physicians`, as an operator types them."""

import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.setting_up import initialise
from api.errors import DmpError
from api.settings import Settings
from models.identifiers import InvalidIdentifierError
from tests.api.cli.shell import run
from tests.api.whole import FUND, INS, NOBODY_INS, PHARMACY, PHYSICIAN

FACTS = (
    {"kind": "organization", "id": FUND, "type": "insurance_fund", "name": "Fund"},
    {"kind": "organization", "id": PHARMACY, "type": "pharmacy", "name": "Pharmacy"},
    {"kind": "professional", "rpps": PHYSICIAN, "profession": "physician", "organizations": []},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1960-05-12"},
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of a service that was set up and knows a fund and one dossier."""
    initialise(Settings.from_environment({"DMP_HOME": str(tmp_path)}))
    facts = tmp_path / "facts.ndjson"
    facts.write_text("\n".join(map(json.dumps, FACTS)))
    assert run("import", str(facts), home=tmp_path).exit_code == 0
    return tmp_path


def line(identity: str, **told: object) -> Mapping[str, object]:
    today = datetime.now(UTC).date().replace(day=1).isoformat()
    amounts = {"amount": "30.00", "reimbursed": "21.00"}
    return {"id": identity, "ins": INS, "care_date": today, "code": "G", "label": "Consultation"} | amounts | told


def encoded(*lines: Mapping[str, object]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def test_each_line_has_its_result(home: Path) -> None:
    """And the command fails while a line is refused; fed again, what was taken stands."""
    file = home / "lines.ndjson"
    file.write_bytes(encoded(line("a"), line("b", ins=NOBODY_INS), line("c", code="?"), line("d")))
    for _ in range(2):
        result = run("feed", "reimbursements", "--organization", FUND, str(file), home=home)
        told = [json.loads(each) for each in result.stdout.splitlines()]
        assert [(each["line"], each["id"], each.get("reason")) for each in told] == [
            (1, "a", None),
            (2, "b", "no-dossier"),
            (3, "c", "vocabulary"),
            (4, "d", None),
        ]
        summary = f"{file}: 2 lines taken, 2 refused: 1 no-dossier, 1 vocabulary"
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, summary)


def test_a_pipe_is_read_as_it_is_filled(home: Path) -> None:
    """The end of it is the end of the feed."""
    pipe = home / "pipe"
    os.mkfifo(pipe)
    told = encoded({"id": "t-1", "ins": INS, "professional": PHYSICIAN}, {"id": "t-2", "ins": INS, "professional": "1"})

    def fill() -> None:
        with pipe.open("wb", buffering=0) as filled:
            for begin in range(0, len(told), 40):
                filled.write(told[begin : begin + 40])

    filling = threading.Thread(target=fill)
    filling.start()
    result = run("feed", "treating-physicians", "--organization", FUND, str(pipe), home=home)
    filling.join()
    assert [json.loads(each).get("reason") for each in result.stdout.splitlines()] == [None, "identifier"]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "organization, error",
    [(PHARMACY, DmpError), ("180035024", DmpError), ("12", InvalidIdentifierError)],
)
def test_only_the_fund_feeds(home: Path, organization: str, error: type[Exception]) -> None:
    """Another organization, one that nobody knows, what is none: nothing is read, and it is said why."""
    result = run("feed", "reimbursements", "--organization", organization, str(home / "none"), home=home)
    assert (result.exit_code, type(result.exception), result.stdout) == (1, error, "")
