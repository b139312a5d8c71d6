"""What the patient takes away to check, offline, that a line stands in the journal; and the check.

A proof needs nothing of the service: the line's bytes, the path of hashes from its leaf to the root, and the root
signed. Whoever holds the log's public key verifies it, then or in ten years.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Annotated

import msgspec

from vault.errors import JournalEntryError, ProofError
from vault.journal.checkpoint import Verifier
from vault.journal.entry import Line
from vault.journal.tree import leaf_hash
from vault.journal.tree import verify_inclusion as holds

_LONGEST_PATH = 64
_Hash = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{43}=$")]


@dataclass(frozen=True, slots=True)
class Proof:
    """That the line with these bytes is the leaf at `position` of the tree that the checkpoint signs."""

    line: bytes
    position: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str

    def encode(self) -> bytes:
        """JSON that travels: the line as text, hashes in base64, nearest the leaf first."""
        path = tuple(b64encode(node).decode() for node in self.path)
        return _encoder.encode(_Proof(self.line.decode(), self.position, self.size, path, self.checkpoint))

    @classmethod
    def parse(cls, data: bytes | str) -> "Proof":
        """Read what `encode` writes. Raises ProofError."""
        try:
            wire = _decoder.decode(data)
            path = tuple(b64decode(node, validate=True) for node in wire.path)
            return cls(wire.entry.encode(), wire.position, wire.size, path, wire.checkpoint)
        except (ValueError, RecursionError):
            raise ProofError("not a proof") from None


def verify_inclusion(proof: Proof, verifier: Verifier) -> Line:
    """The line, once it is certain that it stands in the log whose key this is. Raises ProofError."""
    checkpoint = verifier.open(proof.checkpoint)
    try:
        line = Line.parse(proof.line)
    except JournalEntryError:
        raise ProofError("the line is no entry of a journal") from None
    named = line.position == proof.position and checkpoint.size == proof.size
    if not named or not holds(leaf_hash(proof.line), proof.position, proof.size, proof.path, checkpoint.root):
        raise ProofError("the line does not stand in the log")
    return line


class _Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: str
    position: Annotated[int, msgspec.Meta(ge=0)]
    size: Annotated[int, msgspec.Meta(ge=1)]
    path: Annotated[tuple[_Hash, ...], msgspec.Meta(max_length=_LONGEST_PATH)]
    checkpoint: str


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Proof)
