"""Proofs as the patient holds them, against whoever alters them; no database here."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.journal.entries import an_entry
from vault.errors import ProofError
from vault.journal.checkpoint import Signer
from vault.journal.entry import Line
from vault.journal.proof import Proof, encode_line, parse_line, verify_inclusion
from vault.journal.tree import Frontier, Node, compute, inclusion, leaf_hash

SIGNER = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
SALT = b"\x5a" * 32
LINES = [
    Line.of(an_entry(request_id=f"r-{position}"), position + 1, b"\xab" * 32 if position else b"", SALT)
    for position in range(11)
]
LEAVES = [leaf_hash(line.encode()) for line in LINES]
ROOT = Frontier().extend(LEAVES)[0].root()
CHECKPOINT = SIGNER.sign(len(LINES), ROOT)


def proof_of(position: int) -> Proof:
    stored = {Node(0, place): leaf for place, leaf in enumerate(LEAVES)}
    path = tuple(compute(step, stored) for step in inclusion(position, len(LINES)))
    return Proof.of(LINES[position], position, len(LINES), path, CHECKPOINT)


PROOF = proof_of(6)
ERASED = replace(PROOF, opened=None)
OPENED = (SALT, an_entry(request_id="r-6").encode())


@pytest.mark.parametrize("position", range(11))
def test_a_proof_verifies_offline(position: int) -> None:
    """With the public key alone, the line that it proves is certain."""
    assert verify_inclusion(Proof.parse(proof_of(position).encode()), [SIGNER.verifier]) == LINES[position]


def test_the_proof_of_an_erased_entry_verifies() -> None:
    """What is left is certain: that the dossier had an entry of this number, behind this one, and its commitment."""
    carried = Proof.parse(ERASED.encode())
    assert verify_inclusion(carried, [SIGNER.verifier]) == replace(LINES[6], entry=None, salt=b"")


def test_a_proof_given_before_an_erasure_still_verifies() -> None:
    """Whoever kept salt and entry can put them to a proof that was made without them."""
    assert verify_inclusion(replace(ERASED, opened=OPENED), [SIGNER.verifier]) == LINES[6]


def test_what_a_proof_opens_is_not_shown() -> None:
    """The entry is in no log through the repr of its proof."""
    assert "10001234565" not in repr(PROOF)


OTHER_TREE = SIGNER.sign(len(LINES), b"\x00" * 32)
SMALLER = SIGNER.sign(7, ROOT)
FOREIGN = Signer("dmp.example/journal", Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)).sign(len(LINES), ROOT)


@pytest.mark.parametrize(
    "proof",
    [
        replace(PROOF, line=LINES[5].encode()),
        replace(PROOF, line=Line.of(an_entry(request_id="other"), 7, b"\xab" * 32, SALT).encode()),
        replace(PROOF, line=LINES[5].encode(), opened=None),
        replace(PROOF, opened=(b"\x00" * 32, OPENED[1])),
        replace(PROOF, opened=(OPENED[0], an_entry(request_id="r-5").encode())),
        replace(PROOF, line=b"{}"),
        replace(PROOF, position=5),
        replace(PROOF, position=6 + 16),
        replace(PROOF, size=12),
        replace(PROOF, path=PROOF.path[:-1]),
        replace(PROOF, path=PROOF.path[::-1]),
        replace(PROOF, path=(*PROOF.path, b"\x00" * 32)),
        replace(PROOF, checkpoint=OTHER_TREE),
        replace(PROOF, checkpoint=SMALLER),
        replace(PROOF, checkpoint=SMALLER, size=7),
        replace(PROOF, checkpoint=FOREIGN),
        replace(PROOF, checkpoint=""),
    ],
)
def test_an_altered_proof_does_not_verify(proof: Proof) -> None:
    """Another line, place, path, size or checkpoint: refused, by one kind of error."""
    with pytest.raises(ProofError):
        verify_inclusion(proof, [SIGNER.verifier])


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    """Whatever byte of a carried proof is changed, it is refused, or it says the same as before."""
    encoded = PROOF.encode()
    at = data.draw(st.integers(0, len(encoded) - 1))
    changed = encoded[:at] + bytes([data.draw(st.integers(0, 255))]) + encoded[at + 1 :]
    try:
        line = verify_inclusion(Proof.parse(changed), [SIGNER.verifier])
    except ProofError:
        return
    assert line == LINES[6]


def _altered(**members: object) -> bytes:
    """A member that is None goes."""
    told = json.loads(PROOF.encode()) | members
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        _altered(position=-1),
        _altered(position="6"),
        _altered(size=0),
        _altered(path=["AAAA"]),
        _altered(path=["*" * 43 + "="]),
        _altered(path=["A" * 43 + "="] * 65),
        _altered(line=None),
        _altered(line="\ud800"),
        _altered(entry=None),
        _altered(entry="\ud800"),
        _altered(salt=None),
        _altered(salt="AAAA"),
        _altered(checkpoint=None),
        _altered(more=1),
    ],
)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    """Anything else than a proof is refused by the same kind of error."""
    with pytest.raises(ProofError):
        Proof.parse(data)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_nothing_else_escapes_the_parser(data: bytes | str) -> None:
    """Whatever is handed to the parser, it is refused as a proof and nothing worse."""
    with pytest.raises(ProofError):
        Proof.parse(data)


@pytest.mark.parametrize("line", [LINES[0], LINES[6], replace(LINES[6], entry=None, salt=b"")])
def test_a_line_is_taken_away_with_its_entry(line: Line) -> None:
    """As a proof tells them, on one line; an erased one without."""
    data = encode_line(line)
    assert b"\n" not in data
    assert parse_line(data) == line


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        encode_line(LINES[6]).replace(b"r-6", b"r-5"),
        encode_line(LINES[6]).replace(b'"salt"', b'"more"'),
        b'{"line":"{}"}',
    ],
)
def test_a_line_that_was_altered_is_refused(data: bytes) -> None:
    """It commits to its entry, wherever it is carried."""
    with pytest.raises(ProofError):
        parse_line(data)
