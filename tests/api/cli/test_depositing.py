"""`dmp deposit`, as an operator types it."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from api.cli import importing
from api.cli.setting_up import initialise
from api.parts import open_parts
from api.settings import Settings
from models.facts import Document
from models.identifiers import Ins
from models.reference import DOCUMENT_TYPES
from tests.api.cli.shell import run
from tests.stored import stored_documents
from vault.documents import Kept
from vault.journal.reading import Reader

INS = "185057800608491"
HOSPITAL, LABORATORY, PHYSICIAN = "750000028", "750000010", "10001234565"
FACTS = (
    {"kind": "organization", "id": HOSPITAL, "type": "health_facility", "name": "CHU"},
    {"kind": "organization", "id": LABORATORY, "type": "laboratory", "name": "Laboratoire"},
    {"kind": "professional", "rpps": PHYSICIAN, "profession": "physician", "organizations": [HOSPITAL]},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1985-05-12"},
)
Row = tuple[object, ...]
DICOM = bytes(128) + b"DICM"
FHIR = {"resourceType": "Condition", "subject": {"display": "-"}, "code": {"text": "Asthme"}}
FILES = {
    "report.pdf": (b"%PDF-1.7\n", "application/pdf"),
    "cda": (b'\n<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "text/xml"),
    "photo": (b"\xff\xd8\xff\xe0", "image/jpeg"),
    "drawing": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "images": (DICOM, "application/dicom"),
    "list": (b"[1]", "application/json"),
    "condition": (json.dumps(FHIR).encode(), "application/fhir+json"),
    "note.txt": ("Été".encode(), "text/plain"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of an embedded service that was set up, with a dossier; shared, since deposits do not hinder each other."""
    made = Settings.from_environment({"DMP_HOME": str(tmp_path_factory.mktemp("home"))})
    initialise(made)
    facts = made.home / "facts.ndjson"
    facts.write_text("\n".join(json.dumps(fact) for fact in FACTS))
    importing.import_file(made, facts)
    return made


@pytest.fixture(scope="module")
def dossier(settings: Settings) -> str:
    """Its pseudonym."""

    async def pseudonym() -> str:
        async with open_parts(settings) as parts:
            return str(Ins.parse(INS).pseudonym(parts.secrets.pseudonym))

    return asyncio.run(pseudonym())


def deposit(settings: Settings, dossier: str, *words: str, kind: str = "11488-4", by: str = HOSPITAL) -> Result:
    return run(
        "deposit", "--organization", by, "--dossier", dossier, "--type", kind, *words, home=settings.home
    )  # fmt: skip


def kept(settings: Settings) -> dict[str, tuple[Row, Kept]]:
    """The documents of the dossier, and what is kept of them, by id."""

    async def found() -> dict[str, tuple[Row, Kept]]:
        async with open_parts(settings) as parts:
            whose = Ins.parse(INS).pseudonym(parts.secrets.pseudonym)
            rows = {each.id: _row(each) for each in await stored_documents(parts.database)}
            contents = await parts.documents.find_all(whose, dict.fromkeys(rows, 1))
            return {str(each): (rows[each], known) for each, known in contents.items() if isinstance(known, Kept)}

    return asyncio.run(found())


def _row(document: Document) -> Row:
    said = (document.masked, document.withheld_until is not None, document.hidden_from_representatives)
    return document.author.id, document.created_at, *said


def test_files_are_deposited(settings: Settings, dossier: str, tmp_path: Path) -> None:
    """One line for each, of the type that its bytes have, under the title that is given, or else that of their type."""
    paths = []
    for name, (content, _) in FILES.items():
        path = tmp_path / name
        path.write_bytes(content)
        paths.append(str(path))
    done = deposit(settings, dossier, *paths)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [
        re.fullmatch(r"(\S+): (?P<id>\S{36}) version 1, (?P<size>\d+) bytes, (?P<type>\S+)", line)
        for line in done.stdout.splitlines()
    ]
    told = [(line[1], int(line["size"]), line["type"]) for line in lines if line]
    assert told == [(path, len(content), kind) for path, (content, kind) in zip(paths, FILES.values(), strict=True)]
    documents = kept(settings)
    deposited = [documents[line["id"]][1] for line in lines if line]
    assert {each.title for each in deposited} == {DOCUMENT_TYPES["11488-4"].label_fr}
    assert [each.content_type for each in deposited] == [kind for _, kind in FILES.values()]


def test_what_is_said_of_files_is_kept(settings: Settings, dossier: str, tmp_path: Path) -> None:
    """Title, day, author, visibility; and the journal tells who deposited, and by what."""
    path = tmp_path / "file"
    path.write_bytes(b"report")
    words = ("--title", "Compte rendu", "--created-at", "2026-10-01T10:00:00+02:00", "--author", PHYSICIAN)
    done = deposit(settings, dossier, *words, "--masked", "--hidden-from-representatives", str(path))
    withheld = deposit(settings, dossier, "--withheld", str(path))
    assert [done.exit_code, withheld.exit_code] == [0, 0]
    documents = kept(settings)
    (row, content), (other, _) = (documents[each.stdout.split(": ")[1].split()[0]] for each in (done, withheld))
    assert (content.title, *row) == ("Compte rendu", PHYSICIAN, datetime(2026, 10, 1, 8, tzinfo=UTC), True, False, True)
    assert (other[0], other[2:]) == (HOSPITAL, (False, True, False))

    async def last() -> tuple[str, str, str]:
        async with open_parts(settings) as parts:
            whose = Ins.parse(INS).pseudonym(parts.secrets.pseudonym)
            (line,) = await Reader(parts.database, parts.journal_keys, parts.signer).read(whose, limit=1)
            assert line.entry is not None
            return line.entry.action, f"{line.entry.subject.type}/{line.entry.subject.id}", line.entry.request_id

    assert asyncio.run(last()) == ("document:deposit", f"organization/{HOSPITAL}", "dmp deposit")


def test_a_file_that_is_refused_does_not_hinder_the_others(settings: Settings, dossier: str, tmp_path: Path) -> None:
    """Its line says why, and the command fails in the end."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(b"good")
    bad.write_bytes(b"b\0d")
    done = deposit(settings, dossier, str(bad), str(good))
    first, second = done.stdout.splitlines()
    assert (done.exit_code, "version 1, 4 bytes" in second) == (1, True)
    assert first == f"{bad}: refused: content-mismatch: The content is no text: it holds the character NUL."


@pytest.mark.parametrize(
    "words, expected",
    [
        (("--masked", "--withheld"), "withheld-and-masked"),
        (("--type", "REMB"), "not-permitted"),
        (("--organization", "750000036"), "unknown-subject"),
        (("--organization", LABORATORY, "--author", PHYSICIAN), "author-not-verified"),
        (("--dossier", "5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01"), "no-dossier"),
        (("--content-type", "application/pdf"), "content-mismatch"),
        (("--content-type", "text/html"), "content-type"),
    ],
)
def test_what_the_rules_refuse_is_refused(
    settings: Settings, dossier: str, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    """By the same rules as over HTTP, told by the same reasons."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    done = deposit(settings, dossier, *words, str(path))
    assert (done.exit_code, done.stdout.split(": ")[2]) == (1, expected)


@pytest.mark.parametrize(
    "words, expected",
    [
        (("--dossier", INS), "--dossier is the pseudonym that /v1/identities gives, never an INS."),
        (("--type", "none"), "--type is not one of the DMP's document types."),
        (("--title", ""), "--title has 1 to 300 characters."),
        (("--created-at", "yesterday"), "--created-at is an instant with its time zone, as 2026-10-01T08:00:00Z."),
        (("--created-at", "2026-10-01T08:00:00"), "--created-at is an instant with its time zone"),
        (("--organization", "1"), "9 digits"),
        (("--author", "1"), "11 digits"),
    ],
)
def test_what_says_nothing_is_one_sentence(
    settings: Settings, dossier: str, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    """Before anything is read, and without what was typed."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    done = deposit(settings, dossier, *words, str(path))
    assert (done.exit_code, done.stdout) == (1, "")
    assert expected in str(done.exception)
    assert INS not in str(done.exception)


def test_a_file_must_be_there(settings: Settings, dossier: str, tmp_path: Path) -> None:
    """And at least one; nothing of the others is deposited then."""
    for files in ((), (str(tmp_path / "none"),), (str(tmp_path),)):
        assert deposit(settings, dossier, *files).exit_code == 2
