"""What the files of a copy hold together, and what none of them says."""

import io
import json
import zipfile
from urllib.parse import unquote

import pypdfium2  # type: ignore[import-untyped]  # published without types
from fhir.resources.R4B.bundle import Bundle

from tests.api.test_exports import asked, fetched, manifest_of
from tests.api.whole import CHILD_INS, HOLDER, HOSPITAL, INS, NURSE, TREATING, Whole
from vault.journal.checkpoint import Verifier
from vault.journal.copied import hold_copied

NAMES = {
    "index.html",
    "dossier.pdf",
    "manifest.json",
    "bundle.json",
    "journal.jsonl",
    "proofs.jsonl",
    "checkpoint.txt",
    "log-key.txt",
    "SHA256SUMS",
}


def texts(archive: zipfile.ZipFile) -> str:
    """All that the archive says anywhere, the print included."""
    print_ = pypdfium2.PdfDocument(archive.read("dossier.pdf"))
    printed = "".join(page.get_textpage().get_text_range() for page in print_)
    print_.close()
    files = [archive.read(name).decode() for name in archive.namelist() if name != "dossier.pdf"]
    return "\n".join([printed, *archive.namelist(), *files])


async def test_the_files_are_of_one_record(dmp: Whole) -> None:
    """Page, print, manifest and bundle name the same documents; the journal holds by itself, up to the asking."""
    first = await dmp.deposit(title="Première version")
    second = await dmp.deposit(replaces=first, title="Bilan œuvré")
    directives = await dmp.deposit(
        HOLDER, document_type="EXPPAT_3", title="Mes volontés", content=b"%PDF-1", content_type="application/pdf"
    )
    contest = {"reason": "Ce n’est pas mon genou."}
    contested = await dmp.http.post(f"/v1/documents/{second}/contest", json=contest, headers=dmp.headers(HOLDER))
    assert contested.status_code == 204, contested.text
    archive = await fetched(dmp)
    paths = {each["id"]: each["path"] for each in manifest_of(archive)["documents"]}
    assert set(archive.namelist()) == NAMES | set(paths.values())
    bundle = archive.read("bundle.json")
    Bundle.model_validate_json(bundle)
    resources = [each["resource"] for each in json.loads(bundle)["entry"]]
    assert {each["id"]: unquote(each["content"][0]["attachment"]["url"]) for each in resources} == paths
    said = texts(archive)
    for words in ("Bilan œuvré", "Mes volontés", "en vigueur", "remplacé par une version plus récente", "genou"):
        assert words in said
    key = Verifier.parse(archive.read("log-key.txt").decode().strip())
    checkpoint = key.open(archive.read("checkpoint.txt").decode())
    lines, proofs = (archive.read(name).splitlines() for name in ("journal.jsonl", "proofs.jsonl"))
    copied = hold_copied(lines, proofs, checkpoint)
    assert (str(copied.dossier), copied.lines, copied.findings) == (dmp.id_of(), len(lines), [])
    assert archive.read("index.html").decode().count("<li><time") == len(lines)
    assert paths[directives] == "documents/personal/Mes volontés.pdf"


async def test_no_file_says_what_is_withheld(dmp: Whole) -> None:
    """Neither its title nor its type nor its content nor its id, but where the journal says that something was done."""
    withheld = await dmp.deposit(
        withheld=True, title="Annonce difficile", document_type="60568-3", content=b"diagnostic"
    )
    archive = await fetched(dmp)
    said = texts(archive)
    for words in ("Annonce difficile", "60568-3", "anatomie et de cytologie", "diagnostic"):
        assert words not in said
    for name in NAMES - {"journal.jsonl", "dossier.pdf"}:
        assert withheld not in archive.read(name).decode()


async def test_a_representative_does_not_get_what_is_hidden_from_him(dmp: Whole) -> None:
    """The holder does: the same request gives each his own copy."""
    parent = dmp.id_of(CHILD_INS)
    await dmp.learn(
        {"kind": "representation", "dossier_ins": INS, "person_ins": CHILD_INS, "as": "legal_representative"},
        {"kind": "dossier", "ins": INS, "state": "open", "born": "2011-05-12"},
    )
    await dmp.deposit(title="Entre nous", hidden_from_representatives=True, content=b"confidence")
    await dmp.deposit(title="Vaccination", document_type="11369-6")
    theirs, own = texts(await fetched(dmp, f"person/{parent}")), texts(await fetched(dmp))
    assert [words in theirs for words in ("Vaccination", "Entre nous", "confidence")] == [True, False, False]
    assert [words in own for words in ("Vaccination", "Entre nous", "confidence")] == [True] * 3


async def test_the_print_says_who_has_access(dmp: Whole) -> None:
    """Those whose relation has not ended."""
    ended = {"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "granted"}
    await dmp.learn(
        ended | {"until": "2026-10-01T00:00:00Z"},
        {"kind": "relation", "dossier_ins": INS, "organization": HOSPITAL, "relation": "blocked"},
    )
    said = texts(await fetched(dmp))
    assert "Hospital" in said
    assert "Médecin, RPPS\u00a010001234565" in said.replace("RPPS 1", "RPPS\u00a01")
    assert "accès bloqué" in said
    assert f"RPPS\u00a0{NURSE}" not in said.replace("RPPS 1", "RPPS\u00a01")


async def test_the_copy_of_a_closed_record(dmp: Whole) -> None:
    """Its holder may take it away, and read the journal; the rules open none of the documents until it is reopened."""
    await dmp.deposit(title="Avant la fermeture")
    answer = await dmp.http.put(dmp.path("/state"), json={"state": "closed"}, headers=dmp.headers(HOLDER))
    assert answer.status_code == 200, answer.text
    archive = await fetched(dmp)
    manifest = manifest_of(archive)
    assert (manifest["state"], manifest["documents"], manifest["journal"]) == ("closed", [], "journal.jsonl")
    said = texts(archive)
    assert ("fermé" in said, "Avant la fermeture" in said, "Qui a accès" in said) == (True, False, False)
    (taken, *_) = await dmp.journal()
    assert [item["action"] for item in taken["items"]] == ["dossier:export", "journal:read"]


async def test_an_entry_that_has_no_proof_yet_is_waited_for(dmp: Whole) -> None:
    """Whoever asks at once gets the proof of the asking too; others' entries change nothing."""
    path = f"/exports/{await asked(dmp)}"
    await dmp.deposit(TREATING)
    answer = await dmp.get(path)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    first = json.loads(archive.read("proofs.jsonl").splitlines()[0])
    size = int(archive.read("checkpoint.txt").splitlines()[1])
    assert first["position"] == size - 1
