"""A reader of what the vault wrote, after vault/FORMAT.md alone. It imports nothing of the vault.

Section numbers are those of FORMAT.md. What does not fit ends in an assertion or in InvalidTag: a reader for tests.
"""

import base64
import hmac
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt


def pack(*fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def i64(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 §2.3 with SHA-512."""
    output, block = b"", b""
    while len(output) < length:
        block = hmac.digest(key, block + info + bytes([len(output) // 64 + 1]), "sha512")
        output += block
    return output[:length]


def keyring_keys(path: Path, passphrase: bytes | None) -> Any:
    """§1."""
    document = json.loads(path.read_text())
    assert document["format"] == "dmp-authz/keyring@v1"
    if passphrase is None:
        return document["keys"]
    scrypt = document["scrypt"]
    salt, nonce, sealed = (base64.b64decode(each) for each in (scrypt["salt"], document["nonce"], document["sealed"]))
    key = Scrypt(salt=salt, length=32, n=scrypt["n"], r=scrypt["r"], p=scrypt["p"]).derive(passphrase)
    return json.loads(AESGCM(key).decrypt(nonce, sealed, pack(b"dmp-authz/keyring@v1", i64(document["generation"]))))


def unsealed(key: bytes, number: int, value: bytes, *facts: bytes) -> bytes:
    """§2."""
    assert value[:5] == b"\x01" + number.to_bytes(4, "big")
    return AESGCM(key).decrypt(value[5:17], value[17:], pack(value[:5], *facts))


class DossierReader:
    """§3 and §4."""

    def __init__(self, keys: Any, row: Any, dossier: UUID) -> None:
        number = row["key_id"].removeprefix("master/")
        master = base64.b64decode(keys["masters"][number])
        facts = b"key", row["key_id"].encode(), b"dossier", dossier.bytes
        self.dossier = dossier.bytes
        self.key = unsealed(master, int(number), row["wrapped"], *facts)

    def derive(self, *use: bytes) -> bytes:
        return hkdf_expand(self.key, pack(b"dmp-authz/derive", *use), 32)

    def text(self, purpose: str, value: bytes) -> bytes:
        use = b"text", purpose.encode(), self.dossier
        return unsealed(self.derive(*use), 1, value, *use)

    def document_key(self, row: Any, version: int) -> bytes:
        """§5."""
        use = b"wrap", self.dossier
        facts = row["document"], i64(version), i64(row["size"]), row["content_type"].encode(), row["head"]
        return unsealed(self.derive(*use), 1, row["data_key"], *use, *facts)


def document_opened(key: bytes, row: Any, version: int, data: bytes) -> bytes:
    """§6, whole."""
    assert data[:8] == bytes.fromhex("89444d5001010000")
    assert data[:64] == row["head"]
    fields = row["dossier"], row["document"], i64(version), row["content_type"].encode()
    context = pack(b"dmp-authz/document", data[:8], *fields)
    salt, commitment = data[8:32], data[32:64]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    derived = hkdf_expand(key, info, 76)
    assert derived[44:] == commitment
    cipher, base_nonce = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big")
    chunks = row["size"] // 16_384 + 1
    assert len(data) == 64 + row["size"] + 16 * chunks
    return b"".join(
        cipher.decrypt((base_nonce ^ n).to_bytes(12, "big"), data[64 + 16_400 * n : 64 + 16_400 * (n + 1)], None)
        for n in range(chunks)
    )
