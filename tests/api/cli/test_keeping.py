"""`dmp notifications`, `dmp inquiries` and `dmp retention`, as an operator types them."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.cli.setting_up import initialise
from api.errors import DmpError
from api.settings import Settings
from models.database import Database, open_database
from models.facts import Document, Reference
from models.queries.documents import add_document
from models.queries.dossiers import open_dossier, set_state
from models.queries.inquiries import add_inquiries, put_off_inquiry, take_inquiries
from models.queries.notifications import note_failure, take_due
from models.vocabulary import DossierState, InquirySource, Notice
from tests.api.cli.shell import run
from tests.doubles.told import AT, BOTH, DOSSIER, owe, owe_of_change
from vault.journal.notifying import Owed, notification_id

PATIENT, PHYSICIANS = BOTH
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
Work = Callable[[Database], Coroutine[None, None, None]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of an embedded service that was set up."""
    initialise(Settings.from_environment({"DMP_HOME": str(tmp_path)}))
    return tmp_path


def prepare(home: Path, work: Work) -> None:
    async def prepared() -> None:
        database = await open_database(f"sqlite:///{home}/dmp.sqlite3")
        await work(database)
        await database.close()

    asyncio.run(prepared())


async def fail(database: Database) -> None:
    """Two emergency readings; the patient could not be told of the first, and will not be told of the second."""
    await owe(database, 2, *BOTH)
    patients = {notification_id(DOSSIER, number, PATIENT): number for number in (1, 2)}
    async with database.begin() as connection:
        for each in await take_due(connection, AT, AT + timedelta(minutes=1), 10):
            if each.id in patients:
                later = AT + timedelta(seconds=5) if patients[each.id] == 1 else None
                await note_failure(connection, each, "answered 500", later)


def told(home: Path, *words: str) -> list[str]:
    result = run("notifications", *words, home=home)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def line(number: int, obligation: str, end: str) -> str:
    what = f"{obligation} of document:read (break_glass) at 2026-11-02T09:30:15Z, dossier {DOSSIER} entry {number}"
    return f"{notification_id(DOSSIER, number, obligation)}: {what}; {end}"


def test_notifications_are_listed(home: Path) -> None:
    """Those that wait, the next one first; the dead letters apart; how many more there are."""
    prepare(home, fail)
    listed = told(home, "list")
    assert listed[:2] == [
        "3 waiting, 1 dead",
        line(1, PATIENT, "1 attempt, answered 500, next 2026-11-02T09:30:20Z"),
    ]
    assert set(listed[2:]) == {line(number, PHYSICIANS, "1 attempt, next 2026-11-02T09:31:15Z") for number in (1, 2)}
    assert told(home, "list", "--limit", "1")[2:] == ["and 2 more"]
    assert told(home, "list", "--dead")[1:] == [line(2, PATIENT, "1 attempt, answered 500, given up")]


def test_what_is_for_later_does_not_wait(home: Path) -> None:
    """It is counted apart and listed with the others; nobody can have it told before its time."""
    due_at = datetime.now(UTC) + timedelta(days=14)
    later = Owed(Notice.STILL_WITHHELD, UUID(int=1), due_at)
    prepare(home, lambda database: owe_of_change(database, later))
    first, second = told(home, "list")
    identity = notification_id(DOSSIER, 1, f"still_withheld/{later.document}")
    assert (first, second.split(": ")[0]) == ("0 waiting, 0 dead, 1 later", str(identity))
    assert second.endswith(f"entry 1; 0 attempts, next {due_at:%Y-%m-%dT%H:%M:%SZ}")
    assert str(later.document) not in second
    result = run("notifications", "retry", str(identity), home=home)
    assert isinstance(result.exception, DmpError)


def test_notifications_are_tried_again(home: Path) -> None:
    """The dead letters, or those that are named."""
    prepare(home, fail)
    assert told(home, "retry") == ["1 due now"]
    assert told(home, "retry") == ["0 due now"]
    assert told(home, "list")[0] == "4 waiting, 0 dead"
    assert any("; 0 attempts, answered 500, next " in line for line in told(home, "list"))
    ids = [str(notification_id(DOSSIER, number, PHYSICIANS)) for number in (1, 2)]
    assert told(home, "retry", *ids) == ["2 due now"]


def test_all_that_are_named_are_tried_again_or_none(home: Path) -> None:
    """One that is not there is named."""
    prepare(home, fail)
    unknown = UUID(int=9)
    result = run("notifications", "retry", str(notification_id(DOSSIER, 2, PATIENT)), str(unknown), home=home)
    assert isinstance(result.exception, DmpError)
    why = "it was delivered, never was, or its time has not come"
    assert str(result.exception) == f"there is no notification {unknown}: {why}"
    assert told(home, "list")[0] == "3 waiting, 1 dead"
    assert run("notifications", "retry", "nonsense", home=home).exit_code == 2


OTHER_DOSSIER = UUID("9b0d7c64-2a75-4d55-8c0e-3f1f5f0c7d11")


async def inquire(database: Database) -> None:
    """Two dossiers just opened; the fund gave no answer about the first, and none about the other that helps."""
    async with database.begin() as connection:
        for identity in (DOSSIER, OTHER_DOSSIER):
            await open_dossier(connection, identity, at=AT)
            await add_inquiries(connection, identity, [InquirySource.FUND], AT)
        for each in await take_inquiries(connection, [InquirySource.FUND], AT, AT + timedelta(minutes=5), 10):
            later = AT + timedelta(seconds=5) if each.dossier == DOSSIER else None
            await put_off_inquiry(connection, each, "answered 503", later)


def inquiries(home: Path, *words: str) -> list[str]:
    result = run("inquiries", *words, home=home)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_inquiries_are_listed_and_made_again(home: Path) -> None:
    """Those that wait, those that were given up; all of these again, or those about the dossiers that are named."""
    prepare(home, inquire)
    asked = "fund, opened at 2026-11-02T09:30:15Z; 1 attempt, answered 503"
    assert inquiries(home, "list") == [
        "1 waiting, 1 given up",
        f"{DOSSIER}: {asked}, next 2026-11-02T09:30:20Z",
    ]
    assert inquiries(home, "list", "--given-up") == ["1 waiting, 1 given up", f"{OTHER_DOSSIER}: {asked}, given up"]
    unknown = run("inquiries", "retry", str(DOSSIER), str(UUID(int=9)), home=home)
    why = "it was answered, closed, or never was"
    assert str(unknown.exception) == f"nothing is to be asked about dossier {UUID(int=9)}: {why}"
    assert isinstance(unknown.exception, DmpError)
    assert inquiries(home, "retry") == ["dossiers to be asked about now: 1"]
    assert inquiries(home, "retry") == ["dossiers to be asked about now: 0"]
    assert inquiries(home, "retry", str(DOSSIER)) == ["dossiers to be asked about now: 1"]
    first, *_, last = inquiries(home, "list", "--limit", "1")
    assert (first, last) == ("2 waiting, 0 given up", "and 1 more")
    assert run("inquiries", "retry", "nonsense", home=home).exit_code == 2


async def close_long_ago(database: Database) -> None:
    """One dossier closed for more than ten years, with a document of reimbursements."""
    author = Reference("organization", "180035024")
    async with database.begin() as connection:
        await open_dossier(connection, DOSSIER, at=LONG_AGO)
        await add_document(connection, DOSSIER, Document(DOSSIER, "REMB", author, LONG_AGO))
        await set_state(connection, DOSSIER, DossierState.CLOSED, LONG_AGO)


def kept(home: Path, *words: str) -> str:
    result = run("retention", "run", *words, home=home)
    assert result.exit_code == 0, result.output
    return result.output


def test_retention_says_what_it_does(home: Path) -> None:
    """First what it would do; how many, and of whom nothing; doing it again does nothing."""
    prepare(home, close_long_ago)
    would, does = "1 to destroy", "1 destroyed"
    sentence = (
        "reimbursements 24 months old: {0}; dossiers closed for 10 years: {0}; "
        "traces of dossiers gone for {1} years: {2} unreadable\n"
    )
    assert kept(home, "--dry-run") == sentence.format(would, 10, "0 to make")
    assert kept(home, "--traces-years", "3") == sentence.format(does, 3, "0 made")
    assert kept(home) == sentence.format("0 destroyed", 10, "0 made")
    assert run("journal", "verify", home=home).exit_code == 0


def test_what_retention_does_is_no_decision(home: Path) -> None:
    """There is nothing to judge again by other rules."""
    prepare(home, close_long_ago)
    kept(home)
    result = run("policy", "replay", "--since", "2015-01-01", home=home)
    assert (result.exit_code, result.output.splitlines()[0][:25]) == (0, "0 decisions judged again ")


@pytest.mark.parametrize("years", ["0", "101", "ten"])
def test_years_are_a_number_of_years(home: Path, years: str) -> None:
    """Anything else is refused before anything is done."""
    assert run("retention", "run", "--traces-years", years, home=home).exit_code == 2
