"""A verifier written from vault/FORMAT.md alone: nothing of the package is used to verify, only to make the proof."""

import hashlib
import json
from base64 import b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.database import Database
from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER, an_entry
from vault.journal.checkpoint import Signer
from vault.journal.erasing import erase_journal
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def verified(proof: bytes, key: str) -> tuple[dict[str, object], dict[str, object] | None] | None:
    """The line and its entry, if the proof holds under the key as operators pass it on; no entry once it was erased."""
    told = json.loads(proof)
    name, key_id, public = key.split("+", 2)
    text, _, signatures = told["checkpoint"].rpartition("\n\n")
    signature = b64decode(signatures.split(" ")[2])
    _, size, root = (text + "\n").split("\n")[:3]
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(public)[1:]).verify(signature[4:], (text + "\n").encode())
    except InvalidSignature:
        return None
    line = json.loads(told["line"])
    same = int(size) == told["size"] and line["version"] == 2
    signed_by = signatures.split(" ")[1] == name and signature[:4].hex() == key_id
    leaf = sha256(b"\x00" + told["line"].encode())
    path = [b64decode(step) for step in told["path"]]
    stands = root_from(leaf, told["position"], told["size"], path) == b64decode(root)
    if not (same and signed_by and stands):
        return None
    if "entry" not in told:
        return line, None
    if sha256(b64decode(told["salt"]) + told["entry"].encode()).hex() != line["commitment"]:
        return None
    return line, json.loads(told["entry"])


def root_from(node: bytes, position: int, size: int, path: list[bytes]) -> bytes | None:
    """The root over a leaf, by the cuts of RFC 6962 §2.1.1 from the top down."""
    if size == 1:
        return None if path else node
    if not path:
        return None
    left = 1 << (size - 1).bit_length() - 1
    if position < left:
        below = root_from(node, position, left, path[:-1])
        return below and sha256(b"\x01" + below + path[-1])
    below = root_from(node, position - left, size - left, path[:-1])
    return below and sha256(b"\x01" + path[-1] + below)


@pytest.fixture
async def proofs(ledger: Ledger, reader: Reader, database: Database) -> list[bytes]:
    """Of the lines of one dossier in a journal of 301."""
    entries = [an_entry(dossier=OTHER_DOSSIER if number % 100 else DOSSIER) for number in range(301)]
    async with database.begin() as connection:
        await ledger.append(connection, entries)
    return await proofs_of(reader)


async def proofs_of(reader: Reader) -> list[bytes]:
    found = [await reader.proof(DOSSIER, sequence) for sequence in (1, 2, 3, 4)]
    return [proof.encode() for proof in found if proof is not None]


async def test_someone_else_verifies_a_proof(proofs: list[bytes], signer: Signer) -> None:
    """The page says enough to verify a proof, to read the entry and to follow the chain of a dossier."""
    found = [verified(proof, str(signer.verifier)) for proof in proofs]
    lines, entries = zip(*(each for each in found if each is not None), strict=True)
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4]
    assert [json.loads(proof)["position"] for proof in proofs] == [0, 100, 200, 300]
    leaves = [sha256(b"\x00" + json.loads(proof)["line"].encode()).hex() for proof in proofs]
    assert [line.get("previous") for line in lines] == [None, *leaves[:3]]
    assert {entry["rule"] for entry in entries} == {"treating-physician"}


@pytest.mark.parametrize(
    "old,new",
    [
        (b"treating-physician", b"treating-physicien"),
        (b'"sequence\\":1', b'"sequence\\":2'),
        (b'"position":0', b'"position":1'),
    ],
)
async def test_someone_else_refuses_a_forged_proof(old: bytes, new: bytes, proofs: list[bytes], signer: Signer) -> None:
    """The same reader refuses an entry, a line or a place that is not the one that was written."""
    assert old in proofs[0]
    assert verified(proofs[0].replace(old, new), str(signer.verifier)) is None


async def test_someone_else_verifies_what_was_erased(
    proofs: list[bytes], database: Database, reader: Reader, signer: Signer
) -> None:
    """After an erasure the proofs given before hold as they did, and new ones hold without the entry."""
    async with database.begin() as connection:
        await erase_journal(connection, DOSSIER)
    before = [verified(proof, str(signer.verifier)) for proof in proofs]
    after = [verified(proof, str(signer.verifier)) for proof in await proofs_of(reader)]
    assert None not in before
    assert after == [(line, None) for line, _ in (each for each in before if each is not None)]
