"""`dmp journal verify --copy`: an unpacked copy, and whoever changes something in it."""

import asyncio
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.database import upgrade
from tests.api.cli.shell import run
from tests.api.whole import HOLDER, whole
from vault.journal.checkpoint import Signer

NOWHERE = Path("/nonexistent")


async def _taken(url: str, folder: Path) -> bytes:
    async with whole(url, folder) as dmp:
        await dmp.deposit(content=b"a report", title="Bilan")
        await dmp.deposit(content=b"another", title="Œil")
        await dmp.journal()
        asked = await dmp.http.post(dmp.path("/exports"), headers=dmp.headers(HOLDER))
        return (await dmp.get(f"/exports/{asked.json()['id']}")).content


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked copy that nobody changes."""
    folder, home = tmp_path_factory.mktemp("taken"), tmp_path_factory.mktemp("service")
    url = f"sqlite:///{home / 'database'}"
    upgrade(url)
    archive = asyncio.run(_taken(url, home))
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    return folder


@pytest.fixture
def copy(taken: Path, tmp_path: Path) -> Path:
    """One that a test changes."""
    shutil.copytree(taken, tmp_path / "copy")
    return tmp_path / "copy"


def verified(folder: Path, *more: str) -> tuple[int, str, str]:
    """Exit status and what was said: neither database nor keys are there."""
    result = run("journal", "verify", "--copy", str(folder), *more, home=NOWHERE)
    return result.exit_code, result.stdout, str(result.exception or "")


def sums_again(folder: Path) -> None:
    """What somebody does who changes a file and knows of the sums."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    names = [line.partition("  ")[2] for line in lines if (folder / line.partition("  ")[2]).exists()]
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums))


def edited(folder: Path, name: str, change: Callable[[list[bytes]], object]) -> None:
    """Lines of a file changed, its sum with them."""
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    change(lines)
    (folder / name).write_bytes(b"".join(lines))
    sums_again(folder)


def test_a_copy_verifies_without_anything_of_the_service(taken: Path) -> None:
    """It says what holds, and that the key is the copy's own."""
    status, said, _ = verified(taken)
    lines = len((taken / "journal.jsonl").read_bytes().splitlines())
    files = len((taken / "SHA256SUMS").read_text().splitlines())
    key = (taken / "log-key.txt").read_text().strip()
    assert status == 0
    assert f"{files} files are those that SHA256SUMS names" in said
    assert f"{lines} entries of dossier " in said
    assert "from the first to the one that asked for this copy, none is missing" in said
    assert f"by the key that came with the copy: {key}\ncompare it with one that came another way" in said


def test_a_copy_verifies_by_a_key_that_came_another_way(taken: Path) -> None:
    """Which is said."""
    status, said, _ = verified(taken, "--key", (taken / "log-key.txt").read_text().strip())
    assert (status, said.splitlines()[-1]) == (0, "by the key that was given")


def test_another_key_does_not_verify(taken: Path) -> None:
    """A copy that somebody else signed is none of this log's."""
    other = Signer("dmp-authz/journal", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)).verifier
    status, _, error = verified(taken, "--key", str(other))
    assert (status, error) == (
        1,
        "the journal cannot be verified: the checkpoint is not signed by a key of this log",
    )


def _swap_documents(folder: Path) -> None:
    first, second = (folder / "documents/reports" / name for name in ("Bilan.txt", "Œil.txt"))
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


def _swap_documents_and_sums(folder: Path) -> None:
    _swap_documents(folder)
    sums_again(folder)


def _remove_a_document(folder: Path) -> None:
    (folder / "documents/reports/Bilan.txt").unlink()


def _add_a_document(folder: Path) -> None:
    (folder / "documents/reports/Ajout\x1b.txt").write_text("added")


def _edit_an_entry(folder: Path) -> None:
    edited(folder, "journal.jsonl", lambda lines: lines.__setitem__(1, lines[1].replace(b"holder", b"granted", 1)))


def _remove_an_entry(folder: Path) -> None:
    edited(folder, "journal.jsonl", lambda lines: lines.pop(1))
    edited(folder, "proofs.jsonl", lambda lines: lines.pop(1))


def _remove_the_newest(folder: Path) -> None:
    edited(folder, "journal.jsonl", lambda lines: lines.pop(0))
    edited(folder, "proofs.jsonl", lambda lines: lines.pop(0))


def _remove_the_journal(folder: Path) -> None:
    (folder / "journal.jsonl").unlink()
    sums_again(folder)


def _remove_the_key(folder: Path) -> None:
    (folder / "log-key.txt").unlink()
    sums_again(folder)


def _edit_the_checkpoint(folder: Path) -> None:
    edited(folder, "checkpoint.txt", lambda lines: lines.__setitem__(1, b"7\n"))


def _another_dossier(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["dossier"] = "00000000-0000-0000-0000-000000000007"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    sums_again(folder)


def _no_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")
    sums_again(folder)


def _lead_elsewhere(folder: Path) -> None:
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  ../secret\n{'0' * 64}  /etc/passwd\nnothing\n")


def _name_twice(folder: Path) -> None:
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  index.html\n")


@pytest.mark.parametrize(
    "change,findings",
    [
        (
            _swap_documents,
            [
                "documents/reports/Œil.txt is not the file that SHA256SUMS names",
                "documents/reports/Bilan.txt is not the file that SHA256SUMS names",
            ],
        ),
        (
            _swap_documents_and_sums,
            [
                "documents/reports/Œil.txt is another file in manifest.json than in SHA256SUMS",
                "documents/reports/Bilan.txt is another file in manifest.json than in SHA256SUMS",
            ],
        ),
        (_remove_a_document, ["documents/reports/Bilan.txt is missing"]),
        (_add_a_document, ["documents/reports/Ajout\ufffd.txt is not of the copy"]),
        (_edit_an_entry, ["entry 3 (line 2) is none of a journal, or not what was committed to"]),
        (_remove_an_entry, ["entry 3 is missing"]),
        (_remove_the_newest, ["the newest entries, those after 3, are missing"]),
        (_remove_the_journal, ["the journal cannot be verified: COPY/journal.jsonl: cannot be read"]),
        (_remove_the_key, ["the journal cannot be verified: COPY/log-key.txt: cannot be read as text"]),
        (_edit_the_checkpoint, ["the journal cannot be verified: the signature of the checkpoint does not hold"]),
        (_another_dossier, ["the journal is of another dossier than manifest.json"]),
        (_no_manifest, ["manifest.json is not there, or none"]),
        (_lead_elsewhere, [f"SHA256SUMS: line {line} is none" for line in (11, 12, 13)]),
        (_name_twice, ["SHA256SUMS: line 11 names index.html again"]),
    ],
)
def test_what_was_changed_is_named(change: Callable[[Path], None], findings: list[str], copy: Path) -> None:
    """A file that was exchanged, taken away or added; an entry that was edited or left out, sums and all."""
    change(copy)
    status, said, error = verified(copy)
    assert (status, said) == (1, "")
    assert sorted(error.replace(str(copy), "COPY").splitlines()) == sorted(findings)


def test_a_copy_without_sums_is_none(tmp_path: Path) -> None:
    """Some other folder was given."""
    assert verified(tmp_path)[::2] == (1, f"{tmp_path}/SHA256SUMS: cannot be read")


def test_a_copy_without_a_journal_says_so(copy: Path) -> None:
    """Its subject may not read it; the files are verified."""
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"journal": None}))
    sums_again(copy)
    status, said, _ = verified(copy)
    assert (status, said.splitlines()[-1]) == (0, "there is no journal in this copy")


def test_own_entries_alone_cannot_be_told_to_be_all(copy: Path) -> None:
    """Which is said."""
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"journal_whole": False}))
    _remove_an_entry(copy)
    status, said, _ = verified(copy)
    assert status == 0
    assert "they are somebody's own entries: that none is missing cannot be told" in said


@pytest.mark.parametrize("words", [("--proof", "-"), ("--checkpoint", "-")])
def test_a_copy_is_checked_by_itself(words: tuple[str, str], tmp_path: Path) -> None:
    """A proof or a checkpoint beside it is a mistake."""
    result = run("journal", "verify", "--copy", str(tmp_path), *words, home=NOWHERE)
    assert (result.exit_code, "checked by" in result.stderr) == (2, True)
