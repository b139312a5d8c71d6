"""What the patient takes away to check, offline, that an entry stands in the journal; and the check.

A proof needs nothing of the service: the line's bytes, what it commits to, the path of hashes from its leaf to the
root, and the root signed. Whoever holds the log's public key verifies it, then or in ten years. Once the entry was
erased the line alone is proved: that there was an entry, and where.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from vault.errors import JournalEntryError, ProofError
from vault.journal.checkpoint import Verifier, open_note
from vault.journal.entry import Line
from vault.journal.tree import leaf_hash
from vault.journal.tree import verify_inclusion as holds

_LONGEST_PATH = 64
_Hash = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{43}=$")]
_Path = Annotated[tuple[_Hash, ...], msgspec.Meta(max_length=_LONGEST_PATH)]
_Place = Annotated[int, msgspec.Meta(ge=0)]
_Number = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, slots=True)
class Proof:
    """That the line with these bytes is the leaf at `position` of the tree that the checkpoint signs.

    `opened` is what the line commits to, salt and entry; None once it was erased.
    """

    line: bytes
    opened: tuple[bytes, bytes] | None = field(repr=False)
    position: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def of(cls, line: Line, position: int, size: int, path: tuple[bytes, ...], checkpoint: str) -> "Proof":
        opened = None if line.entry is None else (line.salt, line.entry.encode())
        return cls(line.encode(), opened, position, size, path, checkpoint)

    def encode(self) -> bytes:
        """JSON that travels: line and entry as text, salt and hashes in base64, nearest the leaf first."""
        place = self.position, self.size, _written(self.path), self.checkpoint
        return _encoder.encode(_Proof(self.line.decode(), *place, *_told(self.opened)))

    @classmethod
    def parse(cls, data: bytes | str) -> "Proof":
        """Read what `encode` writes. Raises ProofError."""
        try:
            wire = _decoder.decode(data)
            opened, path = _opened(wire.salt, wire.entry), _read(wire.path)
            return cls(wire.line.encode(), opened, wire.position, wire.size, path, wire.checkpoint)
        except (ValueError, RecursionError):
            raise ProofError("not a proof") from None


def verify_inclusion(proof: Proof, verifiers: Sequence[Verifier]) -> Line:
    """The line, once it is certain that it stands in the log with one of these keys. Raises ProofError."""
    checkpoint = open_note(proof.checkpoint, verifiers)
    try:
        line = Line.parse(proof.line, proof.opened)
    except JournalEntryError:
        raise ProofError("the line is none of a journal, or does not commit to this entry") from None
    leaf = leaf_hash(proof.line)
    if checkpoint.size != proof.size or not holds(leaf, proof.position, proof.size, proof.path, checkpoint.root):
        raise ProofError("the line does not stand in the log")
    return line


def encode_line(line: Line) -> bytes:
    """A line with what it commits to, as a proof tells them: one line of JSON, for whoever takes a journal away."""
    opened = None if line.entry is None else (line.salt, line.entry.encode())
    return _encoder.encode(_Line(line.encode().decode(), *_told(opened)))


def parse_line(data: bytes | str) -> Line:
    """Read what `encode_line` writes; that it stands in the log is for a proof to say. Raises ProofError."""
    try:
        wire = _line_decoder.decode(data)
        return Line.parse(wire.line.encode(), _opened(wire.salt, wire.entry))
    except (ValueError, RecursionError, JournalEntryError):
        raise ProofError("not a line of a journal") from None


@dataclass(frozen=True, slots=True)
class Way:
    """Where a dossier's line stands in the tree, and the path from there to the root: a proof without line and root."""

    sequence: int
    position: int
    path: tuple[bytes, ...]

    def encode(self) -> bytes:
        """One line of JSON, hashes in base64 as in a proof."""
        return _encoder.encode(_Way(self.sequence, self.position, _written(self.path)))

    @classmethod
    def parse(cls, data: bytes | str) -> "Way":
        """Read what `encode` writes. Raises ProofError."""
        try:
            wire = _way_decoder.decode(data)
            return cls(wire.sequence, wire.position, _read(wire.path))
        except (ValueError, RecursionError):
            raise ProofError("not the place of a line") from None


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    line: str
    salt: _Hash | UnsetType = UNSET
    entry: str | UnsetType = UNSET


class _Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sequence: _Number
    position: _Place
    path: _Path


class _Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    line: str
    position: _Place
    size: _Number
    path: _Path
    checkpoint: str
    salt: _Hash | UnsetType = UNSET
    entry: str | UnsetType = UNSET


def _written(path: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(b64encode(node).decode() for node in path)


def _read(path: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(b64decode(node, validate=True) for node in path)


def _told(opened: tuple[bytes, bytes] | None) -> tuple[str | UnsetType, str | UnsetType]:
    return (UNSET, UNSET) if opened is None else (b64encode(opened[0]).decode(), opened[1].decode())


def _opened(salt: str | UnsetType, entry: str | UnsetType) -> tuple[bytes, bytes] | None:
    """Raises ValueError where one of the two is missing."""
    match salt, entry:
        case str(), str():
            return b64decode(salt, validate=True), entry.encode()
        case UnsetType(), UnsetType():
            return None
    raise ValueError("salt and entry are given together")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Proof)
_line_decoder = msgspec.json.Decoder(_Line)
_way_decoder = msgspec.json.Decoder(_Way)
