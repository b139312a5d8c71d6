"""`dmp policy explain`: a situation in words, or a question about what is stored."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli.main import dmp
from models.database import open_database
from models.queries.documents import add_document
from policy.engine import Engine
from policy.review.explain import explain
from policy.review.typed import situation_of_words
from tests.models import world
from tests.policy.folders import copy_of_the_policy, rewrite

DOCUMENT = world.document(1, masked=True)
"""Of Julie, in Alice's dossier."""
LISTING = {"subject": f"professional/{world.KARIM.rpps}", "action": "document:list"}
DOSSIER_OF_ALICE = f"dossier/{world.ALICE}"
READING = {
    "subject": f"professional/{world.JULIE.rpps}",
    "action": "document:read",
    "resource": f"document/{DOCUMENT.id}",
    "at": world.AT.isoformat(),
}
WORDS = ["physician", "document:read", "masked", "habilitated", "strong_authentication"]


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(dmp, ["policy", "explain", *arguments], env=environment)


def options(**stated: str) -> list[str]:
    return [part for name, value in stated.items() for part in (f"--{name.replace('_', '-')}", value)]


@pytest.fixture
def filled_url(migrated_url: str) -> str:
    """The world of the tests with one document, on each engine in turn."""
    asyncio.run(_fill(migrated_url))
    return migrated_url


async def _fill(url: str) -> None:
    database = await open_database(url)
    await world.settle(database)
    async with database.begin() as connection:
        await add_document(connection, world.ALICE, DOCUMENT)
    await database.close()


def test_words_are_explained() -> None:
    """Line by line as the report has them, by the rules in force; a refusal is no failure."""
    result = run(*WORDS)
    expected = explain(Engine.load(), situation_of_words(WORDS))
    assert (result.exit_code, result.output) == (0, "\n".join([*expected.lines(), ""]))
    assert result.output.startswith("no, by masked: ")


def test_words_are_explained_to_machines() -> None:
    """The data of the report, alone."""
    result = run("--json", *WORDS)
    expected = json.loads(json.dumps(explain(Engine.load(), situation_of_words(WORDS)).data()))
    assert (result.exit_code, json.loads(result.output)) == (0, expected)


def test_a_folder_can_be_named(tmp_path: Path) -> None:
    """Its rules explain, and not those in force; without it, those that the setting names."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(folder / "reasons.csv", lambda text: text.replace("The dossier is yours.", "It is yours."))
    words = ("person", "document:read", "holder")
    assert run("--folder", str(folder), *words).output.startswith("yes, by holder: It is yours.\n")
    assert run(*words, DMP_POLICY_DIR=str(folder)).output.startswith("yes, by holder: It is yours.\n")
    assert run(*words).output.startswith("yes, by holder: The dossier is yours.\n")


def test_what_is_stored_is_explained(filled_url: str) -> None:
    """The case of a question at an instant, the situation that it is, and what made it."""
    result = run(*options(**READING, authentication="cps"), DMP_DATABASE_URL=filled_url)
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("yes, by treating-physician: ")
    assert lines[2] == (
        "  situation: physician document:read normal treating_physician in_care_team strong_authentication has_read "
        "author habilitated masked"
    )
    start = lines.index("made from what is stored and stated")
    assert lines[start + 1 : lines.index("", start)] == [
        (
            "  asked: document:read, resource document, at 2026-11-23T10:00:00+00:00, mode normal, no reason, strong "
            "authentication cps"
        ),
        "  subject: professional, physician, exercises in 750000002, 750000010, has read in the dossier",
        "  relation: care_team of the subject, ended 2026-11-23T10:00:00+00:00",
        "  relation: treating_physician of the subject, in force",
        "  relation: blocked of organization 750000002, in force",
        "  relation: granted of organization 750000002, in force until 2026-12-23T10:00:00+00:00",
        "  relation: care_team of organization 750000010, in force",
        "  dossier: open, protected, refuses_break_glass, masked_in_emergency",
        "  document: 11488-4, current, of 2026-11-22T10:00:00+00:00, by the subject, masked",
    ]


def test_the_context_counts_as_for_the_service(filled_url: str) -> None:
    """Mode, reason, authentication and presence are read as a caller's."""
    stated = {"mode": "break_glass", "reason": "found unconscious", "authentication": "e_cps", "organization": "1"}
    result = run(*options(**READING, **stated), "--patient-present", "--json", DMP_DATABASE_URL=filled_url)
    assert json.loads(result.output)["situation"] == [
        "physician",
        "document:read",
        "break_glass",
        "reasoned",
        "break_glass_refused",
        "emergency_lifts_mask",
        "treating_physician",
        "in_care_team",
        "strong_authentication",
        "patient_present",
        "has_read",
        "author",
        "habilitated",
        "masked",
    ]


def test_the_deposit_and_the_beneficiary_count(filled_url: str) -> None:
    """What an action needs to be known by is read as a caller's too."""
    julie = {"subject": READING["subject"], "resource": DOSSIER_OF_ALICE, "at": READING["at"]}
    deposit = options(**julie, action="document:deposit", document_type="11488-4")
    result = run(*deposit, "--masked", "--withheld", "--json", DMP_DATABASE_URL=filled_url)
    assert {"masked", "withheld", "known_document_type"} <= set(json.loads(result.output)["situation"])
    grant = options(**julie, action="access:grant", professional=world.JULIE.rpps)
    assert "for_self" in json.loads(run(*grant, "--json", DMP_DATABASE_URL=filled_url).output)["situation"]


def test_what_does_not_exist_is_explained_too(filled_url: str) -> None:
    """A document, an action, a subject that nobody knows are situations like others; the instant is now by default."""
    for changed, rule in (
        ({"resource": f"document/{world.NOBODY}"}, "no-document"),
        ({"action": "document:eat"}, "unknown-action"),
        ({"subject": "doctor/who"}, "unknown-subject"),
    ):
        stated = {name: value for name, value in {**READING, **changed}.items() if name != "at"}
        result = run(*options(**stated), DMP_DATABASE_URL=filled_url)
        assert (result.exit_code, result.output.split(":")[0]) == (0, f"no, by {rule}")


def test_nobody_is_named(filled_url: str) -> None:
    """Neither pseudonyms, nor numbers of people, nor dates of birth, nor what a reason says."""
    stated = {"mode": "break_glass", "reason": "Alice fell in the street"}
    for asked in (
        {**READING, **stated},
        {**READING, "subject": f"professional/{world.KARIM.rpps}"},
        {**READING, "subject": f"person/{world.BASILE}"},
        {**READING, "subject": f"staff/{world.SECRETARY.id}"},
    ):
        for form in ([], ["--json"]):
            output = run(*options(**asked), *form, DMP_DATABASE_URL=filled_url).output
            people = [str(who) for who in (world.ALICE, world.BASILE, DOCUMENT.id)]
            numbers = [who.rpps for who in (world.JULIE, world.KARIM, world.LEA)]
            hidden = [*people, *numbers, world.SECRETARY.id, "1985", "fell in the street"]
            assert [word for word in hidden if word in output] == []


def test_nothing_is_written(filled_url: str) -> None:
    """An explanation is no access: the journal and what was read stay as they are."""
    before = asyncio.run(_rows(filled_url))
    assert run(*options(**READING, authentication="cps"), DMP_DATABASE_URL=filled_url).exit_code == 0
    assert asyncio.run(_rows(filled_url)) == before


async def _rows(url: str) -> list[int]:
    database = await open_database(url)
    counts = [
        (await database.read(f"SELECT count(*) FROM {table}"))[0][0]
        for table in ("journal_entry", "has_read", "whereabouts")
    ]
    await database.close()
    return counts


@pytest.mark.parametrize(
    "arguments, fault",
    [
        (["physician", "document:read", "maskd"], "'maskd' is no known fact; did you mean masked?"),
        ([], "a situation in words, or --subject, --action and --resource; not told: --subject, --action, --resource"),
        (["--subject", "person/1"], "a situation in words, or --subject, --action and --resource; not told: --action"),
        ([*WORDS, "--patient-present"], "ask with words or about what is stored, not both: --patient-present"),
        (options(**{**READING, "subject": "Martin"}), "--subject is <type>/<id>"),
        (options(**{**READING, "resource": "document/"}), "--resource is <type>/<id>"),
        (options(**{**READING, "at": "today"}), "--at is an instant with its offset, as 2026-11-23T10:00:00Z"),
        (options(**{**READING, "at": "2026-11-23T10:00:00"}), "--at is an instant with its offset"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], fault: str) -> None:
    """In one sentence, which repeats no identifier."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert re.fullmatch(rf"Error: {re.escape(fault)}.*\n", result.output)
    assert "Martin" not in result.output
