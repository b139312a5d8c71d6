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


def keyring_trees(path: Path, secret: bytes) -> Any:
    """§1. `secret` is the passphrase or the bytes of the key file, if the keyring is sealed by one."""
    document = json.loads(path.read_text())
    assert document["format"] == "dmp-authz/keyring@v2"
    protection = document["protection"]
    if protection == "none":
        return document["trees"]
    if protection == "passphrase":
        scrypt = document["scrypt"]
        salt = base64.b64decode(scrypt["salt"])
        key = Scrypt(salt=salt, length=32, n=scrypt["n"], r=scrypt["r"], p=scrypt["p"]).derive(secret)
    else:
        assert protection == "key-file"
        key = hkdf_expand(secret, pack(b"dmp-authz/derive", b"keyring"), 32)
    associated = pack(b"dmp-authz/keyring@v2", i64(document["generation"]), protection.encode())
    nonce, sealed = base64.b64decode(document["nonce"]), base64.b64decode(document["sealed"])
    return json.loads(AESGCM(key).decrypt(nonce, sealed, associated))


def unsealed(key: bytes, number: int, value: bytes, *facts: bytes) -> bytes:
    """§2."""
    assert value[:5] == b"\x01" + number.to_bytes(4, "big")
    return AESGCM(key).decrypt(value[5:17], value[17:], pack(value[:5], *facts))


def unwrapped(key: bytes, key_id: str, value: bytes, purpose: bytes, owner: bytes, version: int) -> bytes:
    """§3: a key that the key of that id wraps."""
    number = int(key_id.rpartition("/")[2])
    return unsealed(key, number, value, b"key", key_id.encode(), purpose, owner, version.to_bytes(4, "big"))


def shard_key(trees: Any, row: Any) -> bytes:
    """§3: the key of a row of `shard_key`."""
    tree, number = row["key_id"].split("/")
    assert tree == row["tree"]
    told = trees[tree]
    assert int(number) >= told["floor"]
    assert told["keys"][number]["state"] in {"primary", "enabled"}
    owner = pack(tree.encode(), row["shard"].to_bytes(2, "big"))
    master = base64.b64decode(told["keys"][number]["key"])
    return unwrapped(master, row["key_id"], row["wrapped"], b"shard", owner, row["version"])


def row_mac(key: bytes, row: Any) -> bytes:
    """§5: what the column `mac` of a row of `content` holds, if the key is that of its first four bytes."""
    fields = (
        row["dossier"],
        row["document"],
        row["object_name"].encode(),
        row["head"],
        row["data_key"],
        row["content_type"].encode(),
        i64(row["size"]),
        row["sha256"],
        row["title_sealed"],
        i64(row["deposited_at"]),
    )
    version: bytes = row["mac"][:4]
    return version + hmac.digest(key, pack(b"content", *fields), "sha256")


class DossierReader:
    """§3 and §4."""

    def __init__(self, shard: bytes, row: Any, dossier: UUID) -> None:
        tree, place, _ = row["key_id"].split("/")
        assert (tree, int(place, 16)) == ("dossier", dossier.int >> 116)
        self.dossier = dossier.bytes
        self.version = row["version"]
        self.key = unwrapped(shard, row["key_id"], row["wrapped"], b"dossier", dossier.bytes, self.version)

    def derive(self, *use: bytes) -> bytes:
        return hkdf_expand(self.key, pack(b"dmp-authz/derive", *use), 32)

    def text(self, purpose: str, value: bytes) -> bytes:
        use = b"text", purpose.encode(), self.dossier
        return unsealed(self.derive(*use), self.version, value, *use)

    def document_key(self, row: Any, version: int) -> bytes:
        """§5."""
        use = b"wrap", self.dossier
        facts = row["document"], i64(version), i64(row["size"]), row["content_type"].encode(), row["head"]
        return unsealed(self.derive(*use), self.version, row["data_key"], *use, *facts)


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
