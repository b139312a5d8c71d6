"""Signed checkpoints against the specifications of C2SP, and against whoever forges one."""

import hashlib
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import ProofError
from vault.journal.checkpoint import Checkpoint, Signature, Signer, Verifier, open_note

ROOT = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
SIGNER = Signer("dmp.example/journal", KEY)
NOTE = SIGNER.sign(20_852_163, ROOT)
TEXT, SIGNATURE = NOTE.split("\n\n")

# A key, text and signature published with Go's golang.org/x/mod/sumdb/note, from which the C2SP format was taken.
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_form_of_a_checkpoint() -> None:
    """Origin, size and root, a line each, then an empty line and the signature (C2SP tlog-checkpoint)."""
    assert NOTE.startswith(f"dmp.example/journal\n20852163\n{b64encode(ROOT).decode()}\n\n\u2014 dmp.example/journal ")
    signature = b64decode(NOTE.split(" ")[-1])
    assert len(signature) == 4 + 64
    KEY.public_key().verify(signature[4:], (TEXT + "\n").encode())


def test_a_checkpoint_opens() -> None:
    """Whoever holds the public key reads what was signed."""
    assert SIGNER.verifier.open(NOTE) == Checkpoint("dmp.example/journal", 20_852_163, ROOT)
    assert SIGNER.verifier.open(SIGNER.sign(0, ROOT)).size == 0


def test_a_published_key_and_note() -> None:
    """The published key is read and written the same, and its note verifies; its text is only no checkpoint."""
    verifier = Verifier.parse(GO_VERIFIER)
    assert str(verifier) == GO_VERIFIER
    assert verifier.id.hex() == "c74f20a3"
    with pytest.raises(ProofError, match="not a checkpoint"):
        verifier.open(GO_NOTE)
    with pytest.raises(ProofError, match="does not hold"):
        verifier.open(GO_NOTE.replace("answer", "riddle"))


def test_signatures_of_others_are_passed_over() -> None:
    """Unknown signatures, also under the same name, neither help nor harm: a second one may be added one day."""
    other = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    theirs = other.sign(20_852_163, ROOT).split("\n\n")[1]
    unknown = "\u2014 elsewhere.example/witness " + b64encode(b"\x01" * 2_500).decode() + "\n"
    for signatures in (theirs + SIGNATURE, SIGNATURE + unknown + theirs):
        assert SIGNER.verifier.open(f"{TEXT}\n\n{signatures}").root == ROOT
        assert other.verifier.open(f"{TEXT}\n\n{signatures}").root == ROOT
    with pytest.raises(ProofError, match="not signed by this key"):
        SIGNER.verifier.open(f"{TEXT}\n\n{theirs}")


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    """A note with a good and a false signature of the same key is refused (C2SP signed-note)."""
    false = "\u2014 dmp.example/journal " + b64encode(SIGNER.verifier.id + b"\x00" * 64).decode() + "\n"
    with pytest.raises(ProofError, match="does not hold"):
        SIGNER.verifier.open(NOTE + false)


def _signed(text: str) -> str:
    signature = b64encode(SIGNER.verifier.id + KEY.sign(text.encode())).decode()
    return f"{text}\n\u2014 dmp.example/journal {signature}\n"


def test_lines_of_extension_are_passed_over() -> None:
    """A checkpoint may say more than we read."""
    assert SIGNER.verifier.open(_signed(f"{TEXT}\nmore\n")).root == ROOT


@pytest.mark.parametrize(
    "text",
    [
        "dmp.example/journal\n3\n",
        f"dmp.example/journal\n03\n{b64encode(ROOT).decode()}\n",
        f"dmp.example/journal\n-3\n{b64encode(ROOT).decode()}\n",
        f"dmp.example/journal\n\u0663\n{b64encode(ROOT).decode()}\n",
        f"dmp.example/journal\n3\n{b64encode(ROOT[1:]).decode()}\n",
        f"\n3\n{b64encode(ROOT).decode()}\n",
        f"dmp.example/journal\n3\n{b64encode(ROOT).decode()}\n\nmore\n",
    ],
)
def test_signed_texts_that_are_no_checkpoints(text: str) -> None:
    """A signature does not make a checkpoint of any other text."""
    with pytest.raises(ProofError):
        SIGNER.verifier.open(_signed(text))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        TEXT,
        TEXT + "\n\n",
        NOTE.removesuffix("\n"),
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014 dmp", "\u2014  dmp"),
        NOTE.replace("=\n", "\n"),
        f"{TEXT}\n\n\u2014 dmp.example/journal AAAA\n",
        f"{TEXT}\n\n\u2014 dmp.example/journal {b64encode(SIGNER.verifier.id).decode()}\n",
        f"{TEXT}\n\n\u2014 dmp.example/journal \u00e9\n",
        NOTE + "x" * (1 << 16),
        NOTE.replace("journal\n", "journal\ud800\n", 1),
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    """Anything that a note may not be is refused by one kind of error."""
    with pytest.raises(ProofError):
        SIGNER.verifier.open(note)


@given(st.data())
@pytest.mark.no_cover
def test_any_character_counts(data: st.DataObject) -> None:
    """Whatever character of a note is changed, it does not open to anything else."""
    at = data.draw(st.integers(0, len(NOTE) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != NOTE[at]))
    with pytest.raises(ProofError):
        SIGNER.verifier.open(NOTE[:at] + other + NOTE[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dmp.example/journal",
        str(SIGNER.verifier).replace("dmp", "dpm"),
        str(SIGNER.verifier) + "=",
        # From the same tests: another kind of key, and one of another length, each with the id that fits it.
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        GO_VERIFIER.replace("c74f20a3", "c74f20a4"),
        GO_VERIFIER.replace("PeterNeumann", "Peter Neumann"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """A key that does not carry its own id, or another kind of key, is refused."""
    with pytest.raises(ProofError):
        Verifier.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u00a0b"])
def test_names_that_a_note_cannot_carry(name: str) -> None:
    """A name that would break the form of a note is refused when the key is made."""
    with pytest.raises(ProofError):
        Signer(name, KEY)


class Cosigner:
    """Signs checkpoints with ML-DSA-44 as C2SP tlog-cosignature says, without a word on when."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = MLDSA44PrivateKey.from_seed_bytes(b"\x09" * 32)
        public = self._key.public_key().public_bytes_raw()
        self._id = hashlib.sha256(name.encode() + b"\n\x06" + public).digest()[:4]

    def __call__(self, checkpoint: Checkpoint) -> Signature:
        return Signature(self.name, self._id, bytes(8) + self._key.sign(self._message(checkpoint)))

    def _message(self, checkpoint: Checkpoint) -> bytes:
        name, origin = self.name.encode(), checkpoint.origin.encode()
        start_and_end = bytes(8) + checkpoint.size.to_bytes(8, "big")
        named = bytes([len(name)]) + name + bytes(8) + bytes([len(origin)]) + origin
        return b"subtree/v1\n\x00" + named + start_and_end + checkpoint.root

    def verify(self, checkpoint: Checkpoint, note: str) -> None:
        data = b64decode(note.removesuffix("\n").rpartition(f"\u2014 {self.name} ")[2])
        assert data[:12] == self._id + bytes(8)
        self._key.public_key().verify(data[12:], self._message(checkpoint))


def test_a_post_quantum_signature_stands_beside() -> None:
    """A note that ML-DSA-44 signed too opens for whoever knows the Ed25519 key alone, and both signatures hold."""
    cosigner = Cosigner("dmp.example/journal")
    note = Signer("dmp.example/journal", KEY, [cosigner]).sign(20_852_163, ROOT)
    assert note.startswith(NOTE)
    checkpoint = SIGNER.verifier.open(note)
    assert Checkpoint("dmp.example/journal", 20_852_163, ROOT) == checkpoint
    cosigner.verify(checkpoint, note)


def test_sixteen_of_the_longest_signatures() -> None:
    """Verifiers accept notes of sixteen signatures, also of the longest kind there is (C2SP signed-note)."""
    witness = Signature("witness.example/" + "w" * 64, b"\x01\x02\x03\x04", bytes(4_627 + 8))
    note = Signer("dmp.example/journal", KEY, [lambda _: witness] * 15).sign(3, ROOT)
    assert SIGNER.verifier.open(note).root == ROOT


OLDER = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))


def test_each_of_the_keys_opens_what_it_signed() -> None:
    """After the key changed, checkpoints of before are still those of the log."""
    verifiers = [SIGNER.verifier, OLDER.verifier]
    for signer in (SIGNER, OLDER):
        assert open_note(signer.sign(3, ROOT), verifiers) == Checkpoint("dmp.example/journal", 3, ROOT)


def test_a_note_that_no_key_of_the_log_signed() -> None:
    """Signed by another, or by a known key falsely beside a good signature: refused."""
    with pytest.raises(ProofError, match="not signed by a key of this log"):
        open_note(OLDER.sign(3, ROOT), [SIGNER.verifier])
    with pytest.raises(ProofError, match="not signed by a key of this log"):
        open_note(NOTE, [])
    false = str(Signature(OLDER.verifier.name, OLDER.verifier.id, bytes(64)))
    with pytest.raises(ProofError, match="does not hold"):
        open_note(NOTE + false, [SIGNER.verifier, OLDER.verifier])


def test_a_note_whose_signatures_were_taken_off() -> None:
    """Without its signatures a checkpoint is nothing."""
    for stripped in (TEXT + "\n", TEXT + "\n\n", NOTE.replace(NOTE.split("\n\n")[1], "\u2014 x\n")):
        with pytest.raises(ProofError):
            open_note(stripped, [SIGNER.verifier])
