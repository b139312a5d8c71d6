"""The journal's head, signed: what a verifier without database or network holds the log to.

A checkpoint (C2SP tlog-checkpoint) is a signed note (C2SP signed-note) of the log's origin, its size and its root.
A note may carry any number of signatures: those of unknown keys are ignored, so that another signer, or a second
signature of another kind, changes nothing for those who verify this one. A post-quantum one fits in beside
(C2SP tlog-cosignature has one of ML-DSA-44): `Signer` asks whoever else is to sign.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.errors import ProofError
from vault.journal.tree import HASH_SIZE

_ED25519 = b"\x01"
_KEY_SIZE = 32
_ID_SIZE = 4
_MOST_CHARACTERS = 1 << 17  # sixteen signatures of the longest kind there is, which signed-note asks for
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n(?:[^\n]+\n)*")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had this size and this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a verified note; lines of extension are passed over. Raises ProofError."""
        if not (lines := _TEXT.fullmatch(text)):
            raise ProofError("not a checkpoint")
        return cls(lines[1], int(lines[2]), _decoded(lines[3], HASH_SIZE))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name that it signs under. Raises ProofError on a name that a note cannot carry."""

    name: str
    key: Ed25519PublicKey

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _encodable(self.name):
            raise ProofError("the name of a key has no space and no plus")

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key.public_bytes_raw()).digest()[:_ID_SIZE]

    def __str__(self) -> str:
        """The key as operators pass it on: `name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.key.public_bytes_raw()).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read what `str` writes. Raises ProofError."""
        name, _, rest = text.partition("+")
        _, _, key = rest.partition("+")
        data = _decoded(key, len(_ED25519) + _KEY_SIZE)
        verifier = cls(name, Ed25519PublicKey.from_public_bytes(data[len(_ED25519) :]))
        if str(verifier) != text:
            raise ProofError("not the key of a verifier")
        return verifier

    def open(self, note: str) -> Checkpoint:
        """The checkpoint that this key signed. Raises ProofError when it did not, or signed another text."""
        text, signatures = _parted(note)
        own = [signature.data for signature in signatures if (signature.name, signature.id) == (self.name, self.id)]
        if not own:
            raise ProofError("the checkpoint is not signed by this key")
        try:
            for signature in own:
                self.key.verify(signature, text.encode())
        except InvalidSignature:
            raise ProofError("the signature of the checkpoint does not hold") from None
        return Checkpoint.parse(text)


def open_note(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint that at least one of these keys signed, and none of them falsely. Raises ProofError."""
    _, signatures = _parted(note)
    named = {(signature.name, signature.id) for signature in signatures}
    opened = {verifier.open(note) for verifier in verifiers if (verifier.name, verifier.id) in named}
    if not opened:
        raise ProofError("the checkpoint is not signed by a key of this log")
    return opened.pop()


class Signature(NamedTuple):
    """A line below a note: who signed, with which of his keys, and what the key gave."""

    name: str
    id: bytes
    data: bytes

    def __str__(self) -> str:
        return f"{_DASH} {self.name} {b64encode(self.id + self.data).decode()}\n"


class Signer:
    """The key of a log. Its name is also the log's origin; schema-less URLs keep names apart (`example.org/dmp`).

    `others` sign too, each in its own way.
    """

    def __init__(
        self, name: str, key: Ed25519PrivateKey, others: Sequence[Callable[[Checkpoint], Signature]] = ()
    ) -> None:
        self._key = key
        self._others = others
        self.verifier = Verifier(name, key.public_key())

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of a tree as a signed note."""
        checkpoint = Checkpoint(self.verifier.name, size, root)
        text = checkpoint.text()
        own = Signature(self.verifier.name, self.verifier.id, self._key.sign(text.encode()))
        return f"{text}\n{own}{''.join(str(other(checkpoint)) for other in self._others)}"


def _parted(note: str) -> tuple[str, list[Signature]]:
    """The text of a note, and its signatures."""
    text, blank, signatures = note.rpartition("\n\n")
    malformed = not (text and blank and signatures.endswith("\n")) or _CONTROL.search(note)
    if malformed or len(note) > _MOST_CHARACTERS or not _encodable(note):
        raise ProofError("not a signed note")
    return text + "\n", list(_signatures(signatures))


def _signatures(lines: str) -> Iterator[Signature]:
    for line in lines.removesuffix("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        signature = _decoded(encoded)
        if dash != _DASH or not _NAME.fullmatch(name) or len(signature) <= _ID_SIZE:
            raise ProofError("not a signature of a note")
        yield Signature(name, signature[:_ID_SIZE], signature[_ID_SIZE:])


def _decoded(text: str, size: int | None = None) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (ValueError, NotBase64Error):
        raise ProofError("not base64") from None
    if b64encode(data).decode() != text or size not in {None, len(data)}:
        raise ProofError("not base64 of that size")
    return data


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
