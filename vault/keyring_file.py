"""The bytes of a keyring, and what seals them. Bytes in vault/FORMAT.md §1."""

import base64
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vault.errors import KeyringError
from vault.keys.keyset import Keyset
from vault.keys.service import KeyState, Tree
from vault.keys.shards import Randomness
from vault.sealing import KEY_SIZE, NONCE_SIZE, derive, pack

FORMAT = "dmp-authz/keyring@v2"
SCRYPT_COST = 2**17
"""Memory of 128 MiB and about a third of a second for each guess (RFC 7914, with r = 8 and p = 1)."""

_GENERATIONS = range(1, 2**63)
_SCRYPT_COSTS = range(2**10, 2**20 + 1)
_BLOCK_SIZE = 8
_PARALLEL = 1
_SALT_SIZE = 16
_LARGEST_KEY_FILE = 100


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """The masters: of each tree a keyset, and the keys of those that are not destroyed."""

    keysets: Mapping[Tree, Keyset]
    keys: Mapping[Tree, Mapping[int, bytes]]

    @classmethod
    def new(cls, randomness: Randomness) -> "Content":
        """One key for each tree."""
        return cls({tree: Keyset.first(tree) for tree in Tree}, {tree: {1: randomness(KEY_SIZE)} for tree in Tree})

    def rotated(self, tree: Tree, key: bytes) -> "Content":
        """With this key as the tree's primary."""
        changed = self.having(self.keysets[tree].rotated())
        return replace(changed, keys={**self.keys, tree: {**self.keys[tree], changed.keysets[tree].primary: key}})

    def having(self, keyset: Keyset) -> "Content":
        """With this keyset, and without the keys that are destroyed in it."""
        tree = Tree(keyset.name)
        kept = {
            version: key
            for version, key in self.keys[tree].items()
            if keyset.states.get(version) is not KeyState.DESTROYED
        }
        return Content({**self.keysets, tree: keyset}, {**self.keys, tree: kept})


class Protection(Protocol):
    """What seals a keyring."""

    kind: str

    def begin(self, randomness: Randomness) -> tuple[dict[str, Any], bytes | None]:
        """Members of a file to be written, and the key that seals it; None seals nothing."""
        ...

    def resume(self, document: Mapping[str, Any]) -> bytes | None:
        """The key that seals a file with these members."""
        ...


class Unprotected:
    """Nothing: whoever reads the file has the keys."""

    kind = "none"

    def begin(self, _: Randomness) -> tuple[dict[str, Any], None]:
        """See Protection."""
        return {}, None

    def resume(self, _: Mapping[str, Any]) -> None:
        """See Protection."""


class Passphrase:
    """A passphrase, stretched by scrypt once for as long as the salt stays."""

    kind = "passphrase"

    def __init__(self, passphrase: bytes, *, cost: int = SCRYPT_COST) -> None:
        self._passphrase = passphrase
        self._cost = cost
        self._stretched: tuple[bytes, int, bytes] | None = None

    def begin(self, randomness: Randomness) -> tuple[dict[str, Any], bytes]:
        """See Protection."""
        salt, cost = self._stretched[:2] if self._stretched else (randomness(_SALT_SIZE), self._cost)
        told = {"n": cost, "r": _BLOCK_SIZE, "p": _PARALLEL, "salt": _text(salt)}
        return {"scrypt": told}, self._stretch(salt, cost)

    def resume(self, document: Mapping[str, Any]) -> bytes:
        """See Protection. Raises KeyringError on a cost that is not one of ours."""
        told = document["scrypt"]
        if told["n"] not in _SCRYPT_COSTS:
            raise KeyringError("the keyring is damaged")
        return self._stretch(_bytes(told["salt"]), told["n"])

    def _stretch(self, salt: bytes, cost: int) -> bytes:
        if self._stretched is None or self._stretched[:2] != (salt, cost):
            kdf = Scrypt(salt=salt, length=KEY_SIZE, n=cost, r=_BLOCK_SIZE, p=_PARALLEL)
            self._stretched = salt, cost, kdf.derive(self._passphrase)
        return self._stretched[2]


class KeyFile:
    """A key of 32 random bytes that the operator gives, from a place of its own."""

    kind = "key-file"

    def __init__(self, key: bytes) -> None:
        self._key = derive(key, b"keyring")

    def begin(self, _: Randomness) -> tuple[dict[str, Any], bytes]:
        """See Protection."""
        return {}, self._key

    def resume(self, _: Mapping[str, Any]) -> bytes:
        """See Protection."""
        return self._key


_ASKS = {
    Unprotected.kind: "is not sealed",
    Passphrase.kind: "asks for a passphrase",
    KeyFile.kind: "asks for a key file",
}


def encode(generation: int, content: Content, protection: Protection, randomness: Randomness) -> bytes:
    """The file's bytes."""
    trees = {
        tree: {
            "floor": content.keysets[tree].floor,
            "keys": {
                str(version): {"state": state} | _told(content.keys[tree].get(version))
                for version, state in content.keysets[tree].states.items()
            },
        }
        for tree in Tree
    }
    members, key = protection.begin(randomness)
    document = {"format": FORMAT, "generation": generation, "protection": protection.kind, **members}
    if key is None:
        document["trees"] = trees
    else:
        nonce = randomness(NONCE_SIZE)
        sealed = AESGCM(key).encrypt(nonce, json.dumps(trees).encode(), _associated(generation, protection.kind))
        document |= {"nonce": _text(nonce), "sealed": _text(sealed)}
    return json.dumps(document, indent=1).encode() + b"\n"


def decode(data: bytes, protection: Protection) -> tuple[int, Content]:
    """Generation and content. Raises KeyringError, which says why and repeats no key."""
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise KeyringError(f"the keyring is not of the format {FORMAT}, the only one that this service reads")
        if document["protection"] != protection.kind:
            raise KeyringError(f"the keyring {_ASKS[document['protection']]}, which is not what was given")
        generation = document["generation"]
        if type(generation) is not int or generation not in _GENERATIONS:
            raise ValueError
        trees = _trees(document, generation, protection)
        if set(trees) != set(Tree):
            raise ValueError
        keysets = {Tree(tree): _keyset(tree, told) for tree, told in trees.items()}
        keys = {Tree(tree): _keys(told, keysets[Tree(tree)]) for tree, told in trees.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KeyringError("the keyring is damaged") from None
    return generation, Content(keysets, keys)


def read_private(path: Path, what: str, *, links: bool = False) -> tuple[bytes, os.stat_result]:
    """A file's bytes, if nobody but its owner, who must be us, can read or write it. Raises KeyringError."""
    try:
        with open(path, "rb", opener=None if links else _open_no_link) as file:  # Path.open takes none
            status = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        raise KeyringError(f"the {what} cannot be read: {path} ({error.strerror})") from None
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise KeyringError(f"the {what} is not a file of this user: {path}")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringError(f"the {what} is open to others: chmod 600 {path}")
    return data, status


def read_key_file(path: Path) -> KeyFile:
    """32 bytes, raw or in base64. A link to the file will do: that is how orchestrators lay secrets down."""
    data, _ = read_private(path, "key file", links=True)
    key = data
    if len(data) != KEY_SIZE:
        try:
            key = base64.b64decode(data[:_LARGEST_KEY_FILE].strip(), validate=True)
        except ValueError:
            key = b""
    if len(key) != KEY_SIZE:
        raise KeyringError(f"a key file holds 32 bytes, raw or in base64: {path}")
    return KeyFile(key)


def _trees(document: Mapping[str, Any], generation: int, protection: Protection) -> Any:
    key = protection.resume(document)
    if key is None:
        return document["trees"]
    try:
        associated = _associated(generation, protection.kind)
        return json.loads(AESGCM(key).decrypt(_bytes(document["nonce"]), _bytes(document["sealed"]), associated))
    except InvalidTag:
        raise KeyringError(f"the {protection.kind} is not the keyring's, or the keyring is damaged") from None


def _keyset(tree: str, told: Mapping[str, Any]) -> Keyset:
    states = {int(version): KeyState(each["state"]) for version, each in told["keys"].items()}
    return Keyset(tree, states, told["floor"])


def _keys(told: Mapping[str, Any], keyset: Keyset) -> dict[int, bytes]:
    """Of every version but the destroyed ones."""
    return {
        version: _key(told["keys"][str(version)]["key"])
        for version, state in keyset.states.items()
        if state is not KeyState.DESTROYED
    }


def _told(key: bytes | None) -> dict[str, str]:
    return {} if key is None else {"key": _text(key)}


def _associated(generation: int, kind: str) -> bytes:
    return pack(FORMAT.encode(), generation.to_bytes(8, "big"), kind.encode())


def _open_no_link(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _key(value: str) -> bytes:
    key = _bytes(value)
    if len(key) != KEY_SIZE:
        raise ValueError
    return key
