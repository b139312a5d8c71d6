"""A document as the object store keeps it: a short header, then C2SP chunked encryption in its 256-bit form.

Writing is cryptography's Cobblestone-256. Reading is ours, over the same specification, because a range is to be read
without what stands before it. Pure; bytes in vault/FORMAT.md §6, specification at https://c2sp.org/chunked-encryption.
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vault.errors import SealBrokenError
from vault.sealing import KEY_SIZE, NONCE_SIZE, TAG_SIZE, pack

HEADER = b"\x89DMP\x01\x01\x00\x00"
"""Magic, version of the container, suite (1: Cobblestone-256), two zero bytes."""

CHUNK_SIZE = 16 * 1024
SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE
SALT_SIZE = 24
COMMITMENT_SIZE = 32
HEAD_SIZE = len(HEADER) + SALT_SIZE + COMMITMENT_SIZE

_MAX_CHUNKS = 2**38
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


@dataclass(frozen=True, slots=True)
class Context:
    """What the object must be: bound into its key, known to the reader from the facts, never read from the object."""

    dossier: UUID
    document: UUID
    version: int
    content_type: str

    def encode(self) -> bytes:
        """The bytes that enter the key derivation."""
        return pack(
            b"dmp-authz/document",
            HEADER,
            self.dossier.bytes,
            self.document.bytes,
            self.version.to_bytes(8, "big", signed=True),
            self.content_type.encode(),
        )


def sealed_size(size: int) -> int:
    """Of the object that a document of so many bytes is, if it is alone in it."""
    return HEAD_SIZE + size + TAG_SIZE * (size // CHUNK_SIZE + 1)


class Sealer:
    """Seals one document as it comes, keeping count of it and its digest."""

    def __init__(self, key: bytes, context: Context) -> None:
        self._encryptor = Cobblestone256Encryptor(key, context.encode())
        self._digest = hashlib.sha256()
        self.head = HEADER
        self.size = 0

    def update(self, plaintext: bytes) -> bytes:
        """The object's next bytes, which may be none."""
        self._digest.update(plaintext)
        self.size += len(plaintext)
        return self._emit(self._encryptor.update(plaintext))

    def finish(self) -> bytes:
        """The object's last bytes. `head`, `size` and `sha256` now hold for the whole document."""
        return self._emit(self._encryptor.finalize())

    @property
    def sha256(self) -> bytes:
        """Of the plaintext so far."""
        return self._digest.digest()

    def _emit(self, sealed: bytes) -> bytes:
        missing = HEAD_SIZE - len(self.head)
        if missing and sealed:
            first = self.head == HEADER
            self.head += sealed[:missing]
            return HEADER + sealed if first else sealed
        return sealed


class Reader:
    """Opens bytes `start` until before `stop` of a document of `size` bytes, from as few chunks as hold them.

    Give it the object's bytes from `object_start` until before `object_stop` (None: to the end, so that what was
    added there shows). A range that reaches the document's end takes in the last chunk even if that is empty: only a
    short chunk proves that nothing was cut off. Plaintext comes out chunk by chunk, each verified.

    `head` and `size` come from the facts. Every method raises SealBrokenError, whatever is wrong, and so does every
    call after that.
    """

    def __init__(self, key: bytes, context: Context, head: bytes, size: int, start: int, stop: int) -> None:
        self._cipher, self._base_nonce = _open_head(key, context.encode(), head)
        self._start, self._stop = start, stop
        self._final = size // CHUNK_SIZE
        self._final_size = size % CHUNK_SIZE + TAG_SIZE
        if self._final >= _MAX_CHUNKS:
            raise SealBrokenError
        self._next = start // CHUNK_SIZE
        self._last = self._final if stop >= size else (stop - 1) // CHUNK_SIZE
        whole = start == 0 and stop >= size
        self._head = head if whole else b""
        self._rest = b""
        self._is_broken = False
        self.object_start = 0 if whole else HEAD_SIZE + self._next * SEALED_CHUNK_SIZE
        after = HEAD_SIZE + self._last * SEALED_CHUNK_SIZE + self._sealed_size_of(self._last)
        self.object_stop = None if stop >= size else after

    def update(self, sealed: bytes) -> bytes:
        """The plaintext of the chunks that are now complete, as far as it is in the range."""
        if self._is_broken:
            raise SealBrokenError
        self._is_broken = True  # unless this ends well
        data = memoryview(self._rest + sealed)
        position = 0
        if self._head and len(data) >= HEAD_SIZE:
            if data[:HEAD_SIZE] != self._head:
                raise SealBrokenError
            self._head, position = b"", HEAD_SIZE
        pieces: list[bytes] = []
        while not self._head and self._next <= self._last and len(data) - position >= self._sealed_size_of(self._next):
            end = position + self._sealed_size_of(self._next)
            pieces.append(self._open_chunk(data[position:end]))
            position = end
        self._rest = bytes(data[position:])
        if self._rest and self._next > self._last:
            raise SealBrokenError
        self._is_broken = False
        return b"".join(pieces)

    def finish(self) -> None:
        """Hold that everything came, the last chunk included."""
        self._is_broken = self._is_broken or self._next <= self._last or bool(self._rest)
        if self._is_broken:
            raise SealBrokenError

    def _sealed_size_of(self, chunk: int) -> int:
        return SEALED_CHUNK_SIZE if chunk < self._final else self._final_size

    def _open_chunk(self, sealed: memoryview) -> bytes:
        nonce = (self._base_nonce ^ self._next).to_bytes(NONCE_SIZE, "big")
        try:
            plaintext = self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise SealBrokenError from None
        begin = self._next * CHUNK_SIZE
        self._next += 1
        return plaintext[max(self._start - begin, 0) : self._stop - begin]


def _open_head(key: bytes, context: bytes, head: bytes) -> tuple[AESGCM, int]:
    """The chunks' cipher and base nonce, once the commitment holds: key, context and head belong together."""
    header, salt, commitment = head[: len(HEADER)], head[len(HEADER) :][:SALT_SIZE], head[len(HEADER) + SALT_SIZE :]
    if header != HEADER or len(commitment) != COMMITMENT_SIZE or len(key) != KEY_SIZE:
        raise SealBrokenError
    derived = HKDFExpand(SHA512(), KEY_SIZE + NONCE_SIZE + COMMITMENT_SIZE, _INFO + salt + context).derive(key)
    if not hmac.compare_digest(derived[KEY_SIZE + NONCE_SIZE :], commitment):
        raise SealBrokenError
    return AESGCM(derived[:KEY_SIZE]), int.from_bytes(derived[KEY_SIZE : KEY_SIZE + NONCE_SIZE], "big")
