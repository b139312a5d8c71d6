"""The key service of a single machine: one file, readable by its owner only. Bytes in vault/FORMAT.md §1.

It protects against whoever takes the database or the object store, not against whoever takes this machine.
"""

import base64
import json
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vault.durable_files import place_new, sync_folder, write_new
from vault.errors import KeyringError, KeysUnavailableError, SealBrokenError
from vault.keys import GeneratedKey, Randomness, Secret, WrappedKey
from vault.sealing import KEY_SIZE, NONCE_SIZE, SealingKey, pack

FORMAT = "dmp-authz/keyring@v1"
SCRYPT_COST = 2**17
"""Memory of 128 MiB and about a third of a second for each guess (RFC 7914, with r = 8 and p = 1)."""

_SCRYPT_COSTS = range(2**10, 2**20 + 1)
_BLOCK_SIZE = 8
_PARALLEL = 1
_SALT_SIZE = 16
_MASTER = "master"


@dataclass(frozen=True, slots=True, repr=False)
class _Content:
    masters: Mapping[int, bytes]
    primary: int
    secrets: Mapping[str, bytes]


class LocalKeyring:
    """A KeyService in one file, which only `create` and `protect` write."""

    def __init__(self, path: Path, generation: int, content: _Content, randomness: Randomness) -> None:
        self._path = path
        self._content = content
        self._masters = {number: SealingKey.of(number, key) for number, key in content.masters.items()}
        self._randomness = randomness
        self.generation = generation

    def __repr__(self) -> str:
        return f"LocalKeyring({str(self._path)!r}, generation={self.generation})"

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: bytes | None = None,
        *,
        randomness: Randomness = os.urandom,
        scrypt_cost: int = SCRYPT_COST,
    ) -> "LocalKeyring":
        """A new keyring with one master key. Raises KeyringError if the file is there: keys are never overwritten."""
        content = _Content({1: randomness(KEY_SIZE)}, 1, {name: randomness(KEY_SIZE) for name in Secret})
        beside = _write_beside(path, _encode(1, content, passphrase, randomness, scrypt_cost))
        try:
            place_new(beside, path)
        except FileExistsError:
            raise KeyringError(f"there is a keyring already: {path}") from None
        finally:
            beside.unlink(missing_ok=True)
        return cls(path, 1, content, randomness)

    @classmethod
    def open(
        cls, path: Path, passphrase: bytes | None = None, *, randomness: Randomness = os.urandom
    ) -> "LocalKeyring":
        """The keyring of that file. Raises KeyringError, which says why."""
        generation, content = _decode(_read_private(path), passphrase)
        return cls(path, generation, content, randomness)

    def protect(self, passphrase: bytes | None, *, scrypt_cost: int = SCRYPT_COST) -> None:
        """Write the file anew under this passphrase, or none, one generation on."""
        self.generation += 1
        data = _encode(self.generation, self._content, passphrase, self._randomness, scrypt_cost)
        _write_beside(self._path, data).replace(self._path)
        sync_folder(self._path.parent)

    async def generate(self, purpose: str, owners: Sequence[bytes]) -> list[GeneratedKey]:
        """See KeyService."""
        number = self._content.primary
        master, key_id = self._masters[number], f"{_MASTER}/{number}"
        size = KEY_SIZE + NONCE_SIZE
        random = self._randomness(size * len(owners))
        generated: list[GeneratedKey] = []
        for position, owner in enumerate(owners):
            fresh = random[position * size : (position + 1) * size]
            key, nonce = fresh[:KEY_SIZE], fresh[KEY_SIZE:]
            wrapped = master.seal(key, nonce, *_facts(key_id, purpose, owner))
            generated.append(GeneratedKey(key, WrappedKey(key_id, wrapped)))
        return generated

    async def unwrap(self, purpose: str, owner: bytes, wrapped: WrappedKey) -> bytes:
        """See KeyService."""
        tree, _, number = wrapped.key_id.partition("/")
        master = self._masters.get(int(number)) if tree == _MASTER and number.isdecimal() else None
        if master is None:
            raise SealBrokenError
        return master.open(wrapped.wrapped, *_facts(wrapped.key_id, purpose, owner))

    async def secret(self, name: Secret) -> bytes:
        """See KeyService."""
        if name not in self._content.secrets:
            raise KeysUnavailableError(f"the keyring has no secret named {name}")
        return self._content.secrets[name]

    async def probe(self) -> None:
        """See KeyService: what is in memory always answers."""


def _facts(key_id: str, purpose: str, owner: bytes) -> tuple[bytes, ...]:
    return b"key", key_id.encode(), purpose.encode(), owner


def _encode(
    generation: int, content: _Content, passphrase: bytes | None, randomness: Randomness, scrypt_cost: int
) -> bytes:
    keys = {
        "masters": {str(number): _text(key) for number, key in content.masters.items()},
        "primary": content.primary,
        "secrets": {name: _text(value) for name, value in content.secrets.items()},
    }
    document: dict[str, Any] = {"format": FORMAT, "generation": generation}
    if passphrase is None:
        document["keys"] = keys
    else:
        salt, nonce = randomness(_SALT_SIZE), randomness(NONCE_SIZE)
        key = _stretch(passphrase, salt, scrypt_cost)
        sealed = AESGCM(key).encrypt(nonce, json.dumps(keys).encode(), _associated(generation))
        document["scrypt"] = {"n": scrypt_cost, "r": _BLOCK_SIZE, "p": _PARALLEL, "salt": _text(salt)}
        document["nonce"] = _text(nonce)
        document["sealed"] = _text(sealed)
    return json.dumps(document, indent=1).encode() + b"\n"


def _decode(data: bytes, passphrase: bytes | None) -> tuple[int, _Content]:
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise KeyringError("the keyring is of another format")
        generation = int(document["generation"])
        keys = document["keys"] if "keys" in document else _unseal(document, generation, passphrase)
        masters = {int(number): _key(key) for number, key in keys["masters"].items()}
        content = _Content(masters, keys["primary"], {name: _key(value) for name, value in keys["secrets"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyringError("the keyring is damaged") from None
    if content.primary not in masters:
        raise KeyringError("the keyring lacks its primary master key")
    return generation, content


def _unseal(document: Mapping[str, Any], generation: int, passphrase: bytes | None) -> Any:
    if passphrase is None:
        raise KeyringError("the keyring asks for a passphrase")
    cost = document["scrypt"]["n"]
    if cost not in _SCRYPT_COSTS:
        raise KeyringError("the keyring is damaged")
    cipher = AESGCM(_stretch(passphrase, _bytes(document["scrypt"]["salt"]), cost))
    try:
        keys = cipher.decrypt(_bytes(document["nonce"]), _bytes(document["sealed"]), _associated(generation))
    except InvalidTag:
        raise KeyringError("the passphrase is not the keyring's, or the keyring is damaged") from None
    return json.loads(keys)


def _stretch(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_SIZE, n=cost, r=_BLOCK_SIZE, p=_PARALLEL).derive(passphrase)


def _associated(generation: int) -> bytes:
    return pack(FORMAT.encode(), generation.to_bytes(8, "big"))


def _read_private(path: Path) -> bytes:
    """The file's bytes, if nobody but its owner, who must be us, can read or write it."""
    try:
        with open(path, "rb", opener=_open_no_link) as file:  # Path.open takes none
            status = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        raise KeyringError(f"the keyring cannot be read: {path} ({error.strerror})") from None
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise KeyringError(f"the keyring is not a file of this user: {path}")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringError(f"the keyring is open to others: chmod 600 {path}")
    return data


def _open_no_link(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW)


def _write_beside(path: Path, data: bytes) -> Path:
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    write_new(beside, data)
    return beside


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _key(value: str) -> bytes:
    key = _bytes(value)
    if len(key) != KEY_SIZE:
        raise ValueError
    return key
