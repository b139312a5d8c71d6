"""`dmp policy replay`, on the journal of a service that did everything once."""

import asyncio
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from api.cli.policy.recorded import recorded_decisions
from api.cli.policy.replay import replay
from api.services.swaps import Occasion, Swaps
from api.settings import Settings
from models.facts import Reference
from models.tables import journal_entry
from policy.engine import Engine
from policy.review.recorded import Recorded
from tests.api.whole import HOLDER, HOSPITAL, INS, NOBODY_INS, NOW, NURSE, OTHER_INS, TREATING, Json, Whole
from tests.policy.folders import copy_of_the_policy, rewrite
from vault.errors import JournalEntryError
from vault.journal.entry import POLICY_SWAP, Entry
from vault.journal.ledger import Ledger

SINCE = ("--since", "2026-10-01")
A_NURSE = f"professional/{NURSE}"


@pytest.fixture
def settings(dmp: Whole, migrated_url: str) -> Settings:
    """Those of the service."""
    return Settings(dmp.home, migrated_url, f"file://{dmp.home / 'vault'}", f"file://{dmp.home / 'keys'}")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy folder to be changed."""
    folder = tmp_path / "policy"
    folder.mkdir()
    return copy_of_the_policy(folder)


async def replayed(settings: Settings, *arguments: str) -> Result:
    """The command's outcome; it has an event loop of its own, so it runs in a thread of its own."""
    return await asyncio.to_thread(CliRunner().invoke, replay, arguments, obj=settings)


async def told(settings: Settings, *arguments: str) -> Json:
    outcome = await replayed(settings, *SINCE, "--json", *arguments)
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
    answer: Json = json.loads(outcome.output)
    return answer


def counts(report: Json) -> tuple[int, ...]:
    """How many were judged again, and how many would be opened, closed and otherwise."""
    kinds = (report[kind] for kind in ("opened", "closed", "otherwise"))
    return report["replayed"], *(sum(change["count"] for change in kind) for kind in kinds)


async def read(dmp: Whole, document: str, who: str, **headers: str) -> int:
    answer = await dmp.http.get(f"/v1/documents/{document}/content", headers=dmp.headers(who, **headers))
    return answer.status_code


async def asked_together(dmp: Whole, subject: str, documents: list[str]) -> None:
    """A batch that is written down."""
    kind, _, identity = subject.partition("/")
    batch = {
        "subject": {"type": kind, "id": identity},
        "action": {"name": "document:read"},
        "context": {"authentication": "cps"},
        "evaluations": [{"resource": {"type": "document", "id": each}} for each in documents],
    }
    answer = await dmp.http.post("/access/v1/evaluations", json=batch)
    assert answer.status_code == 200, answer.text


async def test_the_rules_that_decided_change_nothing(dmp: Whole, settings: Settings) -> None:
    """Everything that the service writes down can be judged again, and is what it was; a fault is told apart."""
    report, broken = await dmp.deposit(), await dmp.deposit()
    assert [await read(dmp, report, who) for who in (HOLDER, TREATING, A_NURSE)] == [200, 200, 404]
    await dmp.change(report, masked=True)
    await dmp.get("/documents", TREATING)
    await dmp.get("/journal")
    ticket = (await dmp.http.post(dmp.path("/exports"), headers=dmp.headers(HOLDER))).json()["id"]
    await dmp.get(f"/exports/{ticket}")
    await asked_together(dmp, TREATING, [report, broken, str(uuid4()), "none at all"])
    await dmp.feed("treating-physicians", [{"id": "a", "ins": NOBODY_INS, "professional": NURSE}])
    await dmp.feed("treating-physicians", [{"id": "b", "ins": ins, "professional": NURSE} for ins in (NOBODY_INS, INS)])
    two = [{"id": each, "ins": f"25508141680{each}", "professional": NURSE} for each in ("2538", "3018")]
    await dmp.feed("treating-physicians", two)
    await dmp.tamper(broken)
    assert await read(dmp, broken, TREATING) == 500
    outcome = await replayed(settings, *SINCE)
    first, *others = outcome.output.splitlines()
    assert others == [
        "opened: 0",
        "closed: 0",
        "otherwise: 0",
        "left out, since a fault refused them and no rule: 1",
    ]
    assert first.startswith("25 decisions from 2026-10-15 12:00Z to 2026-10-15 12:00Z")
    assert first.endswith(f"judged again by the rules {Engine.load().revision[:12]}")
    assert outcome.exit_code == 0


async def test_what_other_rules_would_have_done(dmp: Whole, settings: Settings, policy: Path) -> None:
    """Decisions of a batch count each for itself, and the example is named by its place in the journal."""
    documents = [await dmp.deposit(), await dmp.deposit()]
    await asked_together(dmp, TREATING, [*documents, str(uuid4())])
    row = "of_treating_physicians, normal & treating_physician,"
    rewrite(policy / "rules" / "70-care.csv", lambda text: text.replace(row, f"{row[:-1]} & patient_present,"))
    report = await told(settings, str(policy), "--dossier", dmp.id_of())
    assert (report["passed"], counts(report)) == (True, (4, 0, 2, 0))
    (change,) = report["closed"]
    assert (change["was"]["rule"], change["would_be"]["rule"]) == ("treating-physician", "not-permitted")
    assert change["example"]["where"] == f"{dmp.id_of()}/3/1"
    assert change["example"]["situation"][:2] == ["physician", "document:read"]
    assert counts(await told(settings, str(policy), "--dossier", dmp.id_of(OTHER_INS))) == (0, 0, 0, 0)


async def test_another_matrix(dmp: Whole, settings: Settings, policy: Path) -> None:
    """The type of a document is looked up where documents are, deleted ones too; of an erased dossier it is unknown."""
    hospital = f"organization/{HOSPITAL}"
    report, imaging = await dmp.deposit(hospital), await dmp.deposit(hospital, document_type="18748-4")
    assert [await read(dmp, each, TREATING) for each in (report, imaging, str(uuid4()))] == [200, 200, 404]
    answer = await dmp.http.delete(f"/v1/documents/{report}", headers=dmp.headers(hospital))
    assert answer.status_code == 204
    row = "physician,report,allow"
    rewrite(policy / "habilitations.csv", lambda text: text.replace(row, "physician,report,deny", 1))
    found = await told(settings, str(policy))
    assert (counts(found), found["by_old_matrix"]) == ((6, 0, 1, 0), 0)
    assert found["closed"][0]["would_be"]["rule"] == "not-habilitated"
    answer = await dmp.http.delete(dmp.path(""), headers=dmp.headers(HOLDER))
    assert answer.status_code == 204
    found = await told(settings, str(policy))
    assert (counts(found), found["by_old_matrix"]) == ((7, 0, 0, 0), 2)


async def test_how_far_back(dmp: Whole, settings: Settings) -> None:
    """Since an instant, which counts, or for so many days; not both."""
    await dmp.deposit()
    dmp.clock.now = datetime(2026, 10, 20, 12, tzinfo=UTC)
    await dmp.deposit()
    for since, expected in (
        ("2026-10-15", 2),
        ("2026-10-15T12:00:00", 2),
        ("2026-10-15T14:00:00+02:00", 2),
        ("2026-10-15T12:00:01Z", 1),
        ("2026-10-21", 0),
    ):
        outcome = await replayed(settings, "--since", since)
        assert outcome.output.startswith(f"{expected} decisions"), since
    dmp.clock.now = datetime.now(UTC)
    await dmp.deposit()
    assert (await replayed(settings, "--days", "36500")).output.startswith("3 decisions")
    assert (await replayed(settings, "--days", "1")).output.startswith("1 decisions")
    assert (await replayed(settings, *SINCE, "--days", "1")).exit_code == 2


async def test_a_journal_that_was_tampered_with(dmp: Whole, settings: Settings) -> None:
    """It is an error, and no figure is given."""
    await dmp.deposit()
    async with dmp.database.begin() as connection:
        await connection.execute(update(journal_entry).values(subject=b""))
    outcome = await replayed(settings, *SINCE)
    assert isinstance(outcome.exception, JournalEntryError)
    assert (outcome.exit_code, outcome.output) == (1, "")


async def test_words_that_are_no_more(dmp: Whole, settings: Settings) -> None:
    """What cannot be judged again is counted, and the command fails."""
    entry = Entry(
        at=NOW,
        dossier=UUID(dmp.id_of()),
        subject=Reference("person", dmp.id_of()),
        action="document:read",
        resource=Reference("document", "x"),
        allowed=True,
        rule="holder",
        revision="5f" * 32,
        client="tests",
        request_id="r-1",
        situation=("patient", "document:read", "normal"),
    )
    ledger = Ledger(dmp.database, dmp.journal_keys)
    await ledger.record(entry)
    await ledger.aclose()
    outcome = await replayed(settings, *SINCE)
    assert outcome.output.splitlines()[-1] == (
        f"NOT JUDGED, their words are not of this vocabulary: 1, such as {dmp.id_of()}/1"
    )
    assert outcome.exit_code == 1


async def test_that_rules_were_replaced_is_no_decision(dmp: Whole, settings: Settings) -> None:
    """But whoever asks for an action of that name gets one."""
    about = {"resource": {"type": "policy", "id": "x"}, "subject": {"type": "person", "id": dmp.id_of()}}
    await dmp.http.post("/access/v1/evaluation", json=about | {"action": {"name": POLICY_SWAP}})
    ledger = Ledger(dmp.database, dmp.journal_keys)
    await Swaps(dmp.database, ledger).from_folder("5f" * 32, Occasion.of_service("start"), NOW)
    await ledger.aclose()
    assert await dmp.database.read("SELECT COUNT(*) FROM journal_entry") == [(2,)]
    assert counts(await told(settings)) == (1, 0, 0, 0)


async def test_recorded_decisions_can_be_left_in_the_middle(dmp: Whole, settings: Settings) -> None:
    """Whoever needs the first only takes it, and the database is closed behind him."""
    await dmp.deposit()
    await dmp.deposit()

    def first() -> Recorded:
        with closing(recorded_decisions(settings)) as decisions:
            return next(decisions)

    assert (await asyncio.to_thread(first)).where == f"{dmp.id_of()}/2"
