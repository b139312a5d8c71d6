"""What anybody may hand us is spoilt a million times over; nothing escapes the error that says so.

Each run counts its executions. `DMP_FUZZ` is how many each parser gets (`make test-long`: a million).
"""

import os
import random
from collections.abc import Callable
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vault.journal.entries import an_entry
from tests.vault.mutations import mutants
from vault.envelope import Context, Reader, Sealer
from vault.errors import ProofError, SealBrokenError
from vault.journal.checkpoint import Signer, Verifier, open_note
from vault.journal.entry import Line
from vault.journal.proof import Proof, verify_inclusion
from vault.journal.tree import Frontier, Node, compute, inclusion, leaf_hash
from vault.sealing import SealingKey

pytestmark = pytest.mark.no_cover
EXECUTIONS = int(os.environ.get("DMP_FUZZ") or 20_000)
KEY = bytes(range(32))
CONTEXT = Context(UUID(int=1), UUID(int=2), 3, "text/plain")
TEXT = b"A small report, of which no byte may leave." * 3
SIGNER = Signer("dmp-authz/journal", Ed25519PrivateKey.from_private_bytes(KEY))


@pytest.fixture
def seed() -> int:
    """Another one each time; a failure shows it."""
    return random.randrange(2**32)


def _sealed() -> bytes:
    sealer = Sealer(KEY, CONTEXT)
    return sealer.update(TEXT) + sealer.finish()


def _proofs() -> list[bytes]:
    """Proofs of a little log, one of an entry that was erased."""
    lines: list[Line] = []
    for sequence in range(1, 8):
        previous = leaf_hash(lines[-1].encode()) if lines else b""
        lines.append(Line.of(an_entry(request_id=f"r-{sequence}", reason="é «"), sequence, previous, KEY))
    leaves = [leaf_hash(line.encode()) for line in lines]
    tree, hashes = Frontier().extend(leaves)[0], {Node(0, place): leaf for place, leaf in enumerate(leaves)}
    checkpoint = SIGNER.sign(tree.size, tree.root())

    def path(position: int) -> tuple[bytes, ...]:
        return tuple(compute(subtrees, hashes) for subtrees in inclusion(position, tree.size))

    proofs = [Proof.of(line, place, tree.size, path(place), checkpoint) for place, line in enumerate(lines)]
    erased = Proof(lines[2].encode(), None, 2, tree.size, path(2), checkpoint)
    return [proof.encode() for proof in (*proofs, erased)]


def _count(seed: int, originals: list[bytes], run: Callable[[bytes], None]) -> int:
    executed = 0
    for data in mutants(seed, originals, EXECUTIONS):
        run(data)
        executed += 1
    return executed


def test_no_spoilt_object_escapes(seed: int) -> None:
    """A header, a commitment, chunks: whatever they have become gives the document or SealBrokenError."""
    whole = _sealed()

    def run(data: bytes) -> None:
        try:
            reader = Reader(KEY, CONTEXT, data[:64], len(TEXT), 0, len(TEXT))
            plaintext = reader.update(data)
            reader.finish()
        except SealBrokenError:
            return
        assert (data, plaintext) == (whole, TEXT), seed

    assert _count(seed, [whole], run) == EXECUTIONS


def test_no_spoilt_sealed_value_escapes(seed: int) -> None:
    """A wrapped key gives itself or SealBrokenError."""
    key = SealingKey.of(7, KEY)
    whole = key.seal(KEY, KEY[:12], b"key", b"owner")

    def run(data: bytes) -> None:
        try:
            plaintext = key.open(data, b"key", b"owner")
        except SealBrokenError:
            return
        assert (data, plaintext) == (whole, KEY), seed

    assert _count(seed, [whole], run) == EXECUTIONS


def test_no_spoilt_proof_escapes(seed: int) -> None:
    """A proof is refused by ProofError, or proves what one of the honest ones proves."""
    originals = _proofs()
    told = [verify_inclusion(Proof.parse(data), [SIGNER.verifier]) for data in originals]
    honest = {line.encode(): {line.entry, None} for line in told if line.entry is not None}

    def run(data: bytes) -> None:
        try:
            line = verify_inclusion(Proof.parse(data), [SIGNER.verifier])
        except ProofError:
            return
        assert line.entry in honest.get(line.encode(), ()), seed

    assert _count(seed, originals, run) == EXECUTIONS


@pytest.mark.parametrize(
    "parse, original",
    [
        (lambda text: open_note(text, [SIGNER.verifier]), SIGNER.sign(7, KEY)),
        (Verifier.parse, str(SIGNER.verifier)),
    ],
    ids=["checkpoint", "key"],
)
def test_no_spoilt_note_escapes(seed: int, parse: Callable[[str], object], original: str) -> None:
    """A signed note or a verifier's key is read as what it was, or refused by ProofError."""
    expected = parse(original)

    def run(data: bytes) -> None:
        try:
            read = parse(data.decode("utf-8", "surrogateescape"))
        except ProofError:
            return
        assert read == expected, seed

    assert _count(seed, [original.encode()], run) == EXECUTIONS
