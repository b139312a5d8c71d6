"""`dmp journal ...` as verifiers use it who have nothing of the service, and operators for the authorities."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from api.cli import setting_up
from api.parts import Parts
from models.facts import Reference
from models.tables import journal_chain, journal_entry, journal_leaf
from tests.journeys.operators import NOW, NOWHERE, entries, execute, note, said, settings_of, with_parts, write
from tests.journeys.people import NURSE_RPPS
from tests.journeys.processes import Stack
from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER, PHYSICIAN, an_entry
from vault.journal.checkpoint import Signer
from vault.journal.entry import NO_DOSSIER
from vault.journal.reading import Reader
from vault.journal.tree import Frontier


@pytest.fixture
def stack(fresh_stack: Stack) -> Stack:
    """A journal of 600 entries, published at 300 and at 600; no service runs."""
    setting_up.initialise(fresh_stack.settings)
    write(fresh_stack, entries(0, 300))
    write(fresh_stack, entries(300, 600))
    return fresh_stack


# Offline: what verifiers do who have files and a key.


def key_of(stack: Stack) -> str:
    return said(settings_of(stack), "key")[1].strip()


def proof_of(stack: Stack, dossier: UUID, sequence: int) -> bytes:
    async def proving(parts: Parts) -> bytes:
        proof = await Reader(parts.database, parts.journal_keys, parts.signer).proof(dossier, sequence)
        assert proof is not None
        return proof.encode()

    proof: bytes = with_parts(stack, proving)
    return proof


def test_a_proof_is_checked_offline(stack: Stack, tmp_path: Path) -> None:
    """From a file or standard input, by a key or a file of keys, without the service; the entry is shown."""
    proof, key = proof_of(stack, DOSSIER, 7), key_of(stack)
    (tmp_path / "proof").write_bytes(proof)
    (tmp_path / "keys").write_text(f"{Signer('other', Ed25519PrivateKey.generate()).verifier}\n{key}\n")
    status, out, error = said(NOWHERE, "verify", "--proof", str(tmp_path / "proof"), "--key", key)
    place, entry = out.splitlines()
    assert (status, error) == (0, "")
    assert place == f"entry 7 of dossier {DOSSIER} is in the log of 600 entries, at 12"
    assert json.loads(entry)["request_id"] == "r-12"
    assert said(NOWHERE, "verify", "--proof", "-", "--key", str(tmp_path / "keys"), stdin=proof) == (0, out, "")


def test_a_proof_of_what_was_erased(stack: Stack, tmp_path: Path) -> None:
    """Its place is proved all the same."""
    proof = {name: value for name, value in json.loads(proof_of(stack, DOSSIER, 7)).items() if name not in ERASED}
    (tmp_path / "proof").write_text(json.dumps(proof))
    status, out, _ = said(NOWHERE, "verify", "--proof", str(tmp_path / "proof"), "--key", key_of(stack))
    assert (status, out.splitlines()[1:]) == (0, ["erased since"])


ERASED = {"salt", "entry"}


def test_a_proof_that_does_not_hold(stack: Stack, tmp_path: Path) -> None:
    """Under another key, altered, or of something else: one sentence, and status 1."""
    key, proof = key_of(stack), json.loads(proof_of(stack, DOSSIER, 7))
    other = str(Signer("dmp-authz/journal", Ed25519PrivateKey.generate()).verifier)
    file = tmp_path / "proof"

    def refused(given: object, by: str) -> str:
        file.write_text(json.dumps(given))
        status, out, error = said(NOWHERE, "verify", "--proof", str(file), "--key", by)
        assert (status, out) == (1, "")
        return error

    assert refused(proof, other) == "dmp: the checkpoint is not signed by a key of this log\n"
    assert refused(proof | {"position": 13}, key) == "dmp: the line does not stand in the log\n"
    stripped = proof | {"checkpoint": proof["checkpoint"].split("\n\n")[0] + "\n"}
    assert refused(stripped, key) == "dmp: not a signed note\n"
    assert refused({}, key) == "dmp: not a proof\n"


def published(stack: Stack, folder: Path) -> Path:
    """A copy of what is published, as whoever watches the log keeps it."""

    async def copying(parts: Parts) -> None:
        async for name in parts.store.record_names("journal/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(await parts.store.read_record(name, 10_000))

    with_parts(stack, copying)
    return folder


def test_two_who_were_shown_a_fork(stack: Stack, tmp_path: Path) -> None:
    """Checkpoints that are not published, of two proofs: both of the log, or one of a fork with the same key."""
    copy, key = published(stack, tmp_path / "copy"), key_of(stack)
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.write_text(note(stack, 300))

    async def signing(parts: Parts) -> None:
        async with parts.database.connect() as connection:
            leaves = (await connection.scalars(select(journal_leaf.c.leaf).order_by(journal_leaf.c.position))).all()
        theirs.write_text(parts.signer.sign(411, Frontier().extend(leaves[:411])[0].root()))
        forged = Frontier().extend([*leaves[:410], bytes(32)])[0]
        (tmp_path / "fork").write_text(parts.signer.sign(411, forged.root()))
        (tmp_path / "later").write_text(parts.signer.sign(601, bytes(32)))

    with_parts(stack, signing)
    of_one_log = "checkpoints held: 2, all of the published log, which has 600 entries\n"
    offline = ("consistency", "--records", str(copy), "--key", key)
    online = settings_of(stack)
    assert said(NOWHERE, *offline, str(mine), str(theirs)) == (0, of_one_log, "")
    assert said(online, "consistency", str(mine), str(theirs)) == (0, of_one_log, "")
    fork = "dmp: the checkpoint of 411 entries is not of the log that is published: there is a fork\n"
    assert said(NOWHERE, *offline, str(mine), str(tmp_path / "fork")) == (1, "", fork)
    assert said(online, "consistency", str(tmp_path / "fork")) == (1, "", fork)
    later = "dmp: the checkpoint of 601 entries is newer than what is published, of 600\n"
    assert said(NOWHERE, *offline, str(tmp_path / "later")) == (1, "", later)
    tile = copy / "journal/tile/0/001"
    tile.write_bytes(tile.read_bytes()[:-1] + b"?")
    altered = "dmp: journal/tile/0/001 is not the tile that the newest checkpoint was signed over\n"
    assert said(NOWHERE, *offline, str(mine)) == (1, "", altered)


@pytest.mark.parametrize("stack_name", ["embedded"])
@pytest.mark.parametrize(
    "arguments,status,sentence",
    [
        (
            ["verify", "--proof", "FILE"],
            1,
            "dmp: --proof needs --key: a key that the service itself gave would prove nothing",
        ),
        (["verify", "--proof", "FILE", "--checkpoint", "FILE"], 2, "--checkpoint is for the whole journal"),
        (["verify", "--proof", "FILE", "--key", "?"], 1, "--key is neither a file of keys nor a key"),
        (["verify", "--proof", "FILE", "--key", "FILE"], 1, "--key is neither a file of keys nor a key"),
        (["verify", "--proof", "/nowhere"], 2, "does not exist"),
        (["verify", "--proof", "LARGE", "--key", "KEY"], 1, "LARGE: larger than a proof or a checkpoint can be"),
        (["verify", "--proof", "BYTES", "--key", "KEY"], 1, "BYTES: cannot be read as text"),
        (["verify", "--checkpoint", "FILE"], 1, "FILE: not a signed note"),
        (["consistency", "--records", "FOLDER", "FILE"], 1, "dmp: --records needs --key"),
        (["consistency", "FILE"], 1, "FILE: not a signed note"),
        (["audit"], 2, "whose entries? --professional, --dossier or both"),
        (["audit", "--professional", "1"], 2, "an RPPS has 11 digits"),
        (["audit", "--dossier", "1"], 2, "not a UUID of 36 characters"),
        (["audit", "--dossier", str(DOSSIER), "--from", "yesterday"], 2, "not a date or an instant of ISO 8601"),
        (["audit", "--dossier", str(DOSSIER), "--from", "0001-01-01T00:00:00+14:00"], 2, "not a date or an instant"),
        (["audit", "--dossier", str(DOSSIER), "--to", "2026-11-02T12:00:00"], 2, "an instant says its time zone"),
        (
            ["audit", "--dossier", str(DOSSIER), "--from", "2026-11-02", "--to", "2026-11-02"],
            2,
            "--from is before --to",
        ),
    ],
)
def test_bad_input(fresh_stack: Stack, tmp_path: Path, arguments: list[str], status: int, sentence: str) -> None:
    """One clear sentence, and no success."""
    setting_up.initialise(fresh_stack.settings)
    (tmp_path / "FILE").write_text("?\n")
    (tmp_path / "LARGE").write_text("?" * (1 << 20) + "?")
    (tmp_path / "BYTES").write_bytes(b"\xff")
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "KEY").write_text(f"{Signer('other', Ed25519PrivateKey.generate()).verifier}\n")
    names = {"FILE", "LARGE", "BYTES", "FOLDER", "KEY"}
    words = [str(tmp_path / word) if word in names else word for word in arguments]
    ended, out, error = said({"DMP_HOME": str(fresh_stack.home)}, *words)
    assert (ended, out) == (status, "")
    assert sentence in error


# The authorities.

LATER = NOW + timedelta(days=1)
NURSE = Reference("professional", NURSE_RPPS)


def audited(stack: Stack, *arguments: str) -> list[dict[str, Any]]:
    environment = settings_of(stack)
    status, out, error = said(environment, "audit", *arguments)
    assert (status, error) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def traced(fresh_stack: Stack) -> Stack:
    """A journal of two professionals and two dossiers, a thousand entries of the first."""
    setting_up.initialise(fresh_stack.settings)
    others = [an_entry(subject=NURSE, at=NOW), an_entry(dossier=OTHER_DOSSIER, at=LATER)]
    write(fresh_stack, [*entries(0, 1_100), *others])
    return fresh_stack


def test_all_that_a_professional_asked(traced: Stack) -> None:
    """From an instant on and until before another, oldest first; each line with its dossier and its place there."""
    all_of_them = audited(traced, "--professional", PHYSICIAN.id)
    assert len(all_of_them) == 1_101
    expected = json.loads(an_entry(dossier=OTHER_DOSSIER, at=LATER).encode())
    assert all_of_them[-1] == {"dossier": str(OTHER_DOSSIER), "sequence": 551} | expected
    assert [line["at"] for line in all_of_them] == sorted(line["at"] for line in all_of_them)
    late = ("--professional", PHYSICIAN.id, "--from", LATER.isoformat())
    assert audited(traced, *late) == all_of_them[-1:]
    assert (
        audited(traced, *late, "--to", LATER.isoformat().replace("+00:00", "Z").replace(":00Z", ":01Z"))
        == all_of_them[-1:]
    )
    assert audited(traced, "--professional", PHYSICIAN.id, "--to", "2026-11-02") == []
    assert len(audited(traced, "--professional", PHYSICIAN.id, "--from", "2026-11-02", "--to", "2026-11-03")) == 1_100


def test_all_that_was_asked_about_a_dossier(traced: Stack) -> None:
    """By whoever; or by one professional only."""
    lines = audited(traced, "--dossier", str(DOSSIER))
    assert [line["sequence"] for line in lines] == list(range(1, 552))
    assert {line["dossier"] for line in lines} == {str(DOSSIER)}
    assert lines[-1]["subject"]["id"] == NURSE.id
    assert audited(traced, "--dossier", str(DOSSIER), "--professional", NURSE.id) == lines[-1:]
    assert audited(traced, "--dossier", str(OTHER_DOSSIER), "--from", LATER.isoformat())[0]["sequence"] == 551
    assert audited(traced, "--dossier", str(UUID(int=1))) == []


def test_an_audit_is_journaled(traced: Stack) -> None:
    """Whoever reads the trace leaves one: what was asked for, under no dossier, whatever was found."""
    audited(traced, "--professional", NURSE.id, "--from", "2026-11-02", "--to", "2026-11-02T02:00:00+01:00")
    audited(traced, "--dossier", str(DOSSIER))
    traces = audited(traced, "--dossier", str(NO_DOSSIER))
    assert [(trace["action"], trace["subject"], trace["resource"], trace["change"]) for trace in traces] == [
        (
            "journal:audit",
            {"type": "service", "id": "operator"},
            {"type": "professional", "id": NURSE.id},
            {"professional": NURSE.id, "from": "2026-11-02T00:00:00+00:00", "to": "2026-11-02T01:00:00+00:00"},
        ),
        ("journal:audit", ANY, {"type": "dossier", "id": str(DOSSIER)}, {"dossier": str(DOSSIER)}),
        ("journal:audit", ANY, {"type": "dossier", "id": str(NO_DOSSIER)}, {"dossier": str(NO_DOSSIER)}),
    ]


def test_what_cannot_be_journaled_is_not_shown(traced: Stack) -> None:
    """Where the audit itself is not written down, nothing is printed."""
    gone = update(journal_chain).where(journal_chain.c.dossier == NO_DOSSIER).values(wrapped=b"?")
    audited(traced, "--professional", NURSE.id)
    execute(traced, gone)
    environment = settings_of(traced)
    status, out, error = said(environment, "audit", "--professional", NURSE.id)
    assert (status, out, error) == (1, "", "dmp: the journal could not be written\n")


def test_a_line_that_was_tampered_with_is_not_shown(traced: Stack) -> None:
    """The audit stops at it, and says so."""
    edited = (journal_entry.c.dossier == DOSSIER) & (journal_entry.c.sequence == 3)
    execute(traced, update(journal_entry).where(edited).values(at=LATER))
    environment = settings_of(traced)
    status, out, error = said(environment, "audit", "--dossier", str(DOSSIER))
    assert (status, len(out.splitlines()), error) == (1, 2, "dmp: it does not stand where it was written\n")
