"""Reviewers' keys, their signatures, and who is trusted: the one module of this package that meets cryptography.

Ed25519 (RFC 8032). A signature is made over the format's name and the bundle without its signatures, so nothing that is
reviewed can be altered, and a signature says nothing of any other file.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from policy.bundles.form import NAMES, Bundle, Signature, is_name
from policy.errors import BundleError, PolicyFileError
from policy.text import read_table

HEADER = ("reviewer", "key")
_KEY_SIZE, _SIGNATURE_SIZE = 32, 64

_FORGEABLE = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Keys under which anybody can sign: points of small order, of which the zeros of a table to be filled in are one."""


@dataclass(frozen=True, slots=True)
class ReviewerKey:
    """What a reviewer signs with, and keeps to himself."""

    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"ReviewerKey({self.public!r})"

    @classmethod
    def generate(cls) -> "ReviewerKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def decode(cls, data: bytes, passphrase: bytes | None) -> "ReviewerKey":
        """The key of a PEM file (PKCS #8). Raises BundleError."""
        try:
            key = load_pem_private_key(data, passphrase)
        except TypeError:
            asks = "is under a passphrase" if passphrase is None else "is under no passphrase"
            raise BundleError("key", f"the key {asks}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise BundleError("key", "this is no private key, or the passphrase is not its own") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BundleError("key", "reviewers sign with Ed25519, and this is a key of another kind")
        return cls(key)

    def encode(self, passphrase: bytes | None) -> bytes:
        """A PEM file (PKCS #8), under a passphrase if one is given."""
        how = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)

    @property
    def public(self) -> str:
        """The public key, as trust files and signatures write it."""
        return b64encode(self.private.public_key().public_bytes_raw()).decode()


def sign(bundle: Bundle, key: ReviewerKey, reviewer: str) -> Bundle:
    """The same with one more signature. Raises BundleError where that signature would not count."""
    if not is_name(reviewer):
        raise BundleError("reviewer", f"the name of a reviewer is {NAMES}")
    if reviewer == bundle.author:
        raise BundleError("author", f"{reviewer} is the author, whose signature does not count")
    if any(reviewer == each.reviewer for each in bundle.signatures):
        raise BundleError("repeated", f"{reviewer} has signed already")
    if any(key.public == each.key for each in bundle.signatures):
        raise BundleError("repeated", "this key has signed already, under another name")
    signature = b64encode(key.private.sign(bundle.signed_bytes())).decode()
    return msgspec.structs.replace(
        bundle, signatures=(*bundle.signatures, Signature(key=key.public, reviewer=reviewer, signature=signature))
    )


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose keys are trusted: the reviewer of each public key. One reviewer may have several keys, and counts once."""

    reviewers: Mapping[str, str]


def read_trust(file: Path) -> Trust:
    """A trust file: a table `reviewer,key`. Raises PolicyFileError."""
    reviewers: dict[str, str] = {}
    for line, (reviewer, key) in read_table(file, HEADER):
        if not is_name(reviewer):
            raise PolicyFileError(file, line, f"the name of a reviewer is {NAMES}")
        raw = _decoded(key, _KEY_SIZE)
        if raw is None or bytes([*raw[:-1], raw[-1] & 0x7F]) in _FORGEABLE:
            raise PolicyFileError(file, line, "this is no public key as `dmp policy reviewer` prints it")
        if key in reviewers:
            raise PolicyFileError(file, line, f"this key is that of {reviewers[key]} already")
        reviewers[key] = reviewer
    return Trust(reviewers)


def holds(bundle: Bundle, signature: Signature) -> bool:
    """Whether the signature is that of its key over this bundle, whoever's key it is."""
    key, made = _decoded(signature.key, _KEY_SIZE), _decoded(signature.signature, _SIGNATURE_SIZE)
    if key is None or made is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(made, bundle.signed_bytes())
    except InvalidSignature:
        return False
    return True


def _decoded(text: str, size: int) -> bytes | None:
    """So many bytes, of which base64 has several spellings and one is taken."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return None
    return data if len(data) == size and b64encode(data).decode() == text else None
