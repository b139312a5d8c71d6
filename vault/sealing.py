"""Small values sealed under a key: wrapped keys, the INS, titles, messages. Pure; bytes in vault/FORMAT.md §2 to §5."""

from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vault.errors import SealBrokenError

KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16

_FORMAT = b"\x01"
_PREFIX_SIZE = 5
_LENGTH_SIZE = 4


def pack(*fields: bytes) -> bytes:
    """Fields one after the other, each behind its length, so that no two lists give the same bytes."""
    return b"".join([len(field).to_bytes(_LENGTH_SIZE, "big") + field for field in fields])


def derive(key: bytes, *info: bytes) -> bytes:
    """A key for one use, from a key that serves for nothing but deriving (RFC 5869, Expand with SHA-512)."""
    return HKDFExpand(SHA512(), KEY_SIZE, pack(b"dmp-authz/derive", *info)).derive(key)


class Cipher(Protocol):
    """An AES-256-GCM key that encrypts and decrypts: here, or where it is kept. `decrypt` raises InvalidTag."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SealingKey:
    """An AES-256-GCM key with the number by which what it sealed names it.

    Random nonces of 96 bits bound it to 2^32 values (SP 800-38D §8.3).
    """

    number: int
    cipher: Cipher

    @classmethod
    def of(cls, number: int, key: bytes) -> "SealingKey":
        return cls(number, AESGCM(key))

    @property
    def prefix(self) -> bytes:
        """With which the values begin that it sealed."""
        return _FORMAT + self.number.to_bytes(_PREFIX_SIZE - 1, "big")

    def seal(self, plaintext: bytes, nonce: bytes, *facts: bytes) -> bytes:
        """The value, to be opened with the same facts only; `nonce` is 12 random bytes."""
        prefix = self.prefix
        return prefix + nonce + self.cipher.encrypt(nonce, plaintext, pack(prefix, *facts))

    def open(self, sealed: bytes, *facts: bytes) -> bytes:
        """What was sealed with these facts. Raises SealBrokenError, whatever is wrong."""
        prefix, nonce = sealed[:_PREFIX_SIZE], sealed[_PREFIX_SIZE : _PREFIX_SIZE + NONCE_SIZE]
        if prefix != self.prefix or len(nonce) != NONCE_SIZE:
            raise SealBrokenError
        try:
            return self.cipher.decrypt(nonce, sealed[_PREFIX_SIZE + NONCE_SIZE :], pack(prefix, *facts))
        except InvalidTag:
            raise SealBrokenError from None
