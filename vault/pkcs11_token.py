"""One token behind a PKCS#11 module: its session, its objects, AES-GCM in it. Everything here blocks.

The library initialises a module without asking it for locks of its own (C_Initialize without arguments), so all calls
of this process take turns. A session that was lost or logged out is opened anew once, before the next piece of work;
the module is initialised anew with it, since many come back from a lost connection in no other way.
"""

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from cryptography.exceptions import InvalidTag
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.attributes import AttributeMapper

from vault.errors import KeyringError, KeysUnavailableError
from vault.keys.service import Tree
from vault.sealing import KEY_SIZE, NONCE_SIZE, TAG_SIZE

PREFIX = "dmp-authz/"
"""Begins the label of every object of ours; a token may hold others' too."""

_CANDIDATE = f"{PREFIX}new/"
_FLOOR = f"{PREFIX}floor/"
_KEY_LABEL = re.compile(rf"({PREFIX}|{_CANDIDATE})({'|'.join(Tree)})/([1-9][0-9]{{0,4}})")
_SHOWN = [Attribute.LABEL, Attribute.ID, Attribute.VALUE_LEN, Attribute.SENSITIVE, Attribute.EXTRACTABLE]
_FLOOR_SIZE = 4
_READINGS = 5
_PIN_ERRORS = (
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.PinExpired,
    pkcs11.UserPinNotInitialized,
)
_TURN = threading.Lock()

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A master in the token, or a candidate that may become one; their random ids tell candidates apart."""

    tree: Tree
    version: int
    candidate: bool
    id: bytes
    handle: Any = field(repr=False, compare=False)

    @property
    def key_id(self) -> str:
        return f"{self.tree}/{self.version}"

    @property
    def usable(self) -> bool:
        """Whether the token lets it encrypt and decrypt."""
        return isinstance(self.handle, pkcs11.EncryptMixin) and isinstance(self.handle, pkcs11.DecryptMixin)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """As AESGCM's, in the token."""
        parameters = GCMParams(nonce, associated_data, TAG_SIZE * 8)
        sealed: bytes = self.handle.encrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
        return sealed

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """As AESGCM's, in the token. Raises InvalidTag.

        Tokens do not agree on how they say that a tag is wrong; SoftHSM 2.6 says "general error". So whatever they
        say, it is the value's fault if the same key then does as it should with a value of ours.
        """
        try:
            return self._decrypt(nonce, data, associated_data)
        except pkcs11.PKCS11Error:
            fresh = os.urandom(NONCE_SIZE)
            self._decrypt(fresh, self.encrypt(fresh, b"", None), None)
        raise InvalidTag

    def _decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        parameters = GCMParams(nonce, associated_data, TAG_SIZE * 8)
        opened: bytes = self.handle.decrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
        return opened


_MORE_LOOKS, _PAUSE_SECONDS = 5, 0.1


class OpenToken:
    """A token with a session in which the user is logged in.

    Any method may raise PKCS11Error, which `Token.use` translates.
    """

    def __init__(self, session: pkcs11.Session) -> None:
        self._session = session
        # Gone as soon as the session is, or its login (PKCS#11 v2.40 §11.6, C_Logout).
        self._witness = session.create_object(_data_object(f"{PREFIX}witness", b"", stored=False))

    def is_alive(self) -> bool:
        try:
            return bool(self._witness[Attribute.LABEL])
        except pkcs11.PKCS11Error:
            return False

    def read_keys(self) -> list[TokenKey]:
        """Every master and candidate. Raises KeysUnavailableError if one could leave the token."""
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES, Attribute.TOKEN: True}
        return [key for key in self._read(wanted, _read_key) if key]

    def generate(self, tree: Tree, version: int) -> TokenKey:
        """A new candidate, made in the token, never to leave it."""
        identity = os.urandom(16)
        handle = self._session.generate_key(
            KeyType.AES,
            KEY_SIZE * 8,
            id=identity,
            label=f"{_CANDIDATE}{tree}/{version}",
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template={Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True, Attribute.SENSITIVE: True},
        )
        return TokenKey(tree, version, candidate=True, id=identity, handle=handle)

    def promote(self, candidate: TokenKey) -> None:
        """Make it a master."""
        candidate.handle[Attribute.LABEL] = f"{PREFIX}{candidate.key_id}"

    def allow(self, key: TokenKey, *, use: bool) -> None:
        """Whether the token lets the key do anything."""
        key.handle[Attribute.ENCRYPT] = use
        key.handle[Attribute.DECRYPT] = use

    def destroy(self, key: TokenKey) -> None:
        key.handle.destroy()

    def read_floors(self) -> dict[Tree, int]:
        """The floor of each tree that has one: the highest that was ever set."""
        return {tree: max(found) for tree in Tree if (found := [number for number, _ in self._floors_of(tree)])}

    def set_floor(self, tree: Tree, version: int) -> None:
        """The new one is written before those before it go, so that the floor never sinks."""
        before = [handle for number, handle in self._floors_of(tree) if number < version]
        self._session.create_object(_data_object(f"{_FLOOR}{tree}", version.to_bytes(_FLOOR_SIZE, "big"), stored=True))
        for handle in before:
            handle.destroy()

    def _floors_of(self, tree: Tree) -> list[tuple[int, Any]]:
        wanted = {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: f"{_FLOOR}{tree}", Attribute.TOKEN: True}
        return self._read(wanted, lambda handle: (int.from_bytes(handle[Attribute.VALUE], "big"), handle))

    def _read(self, wanted: dict[Attribute, Any], read: Callable[[Any], _Result]) -> list[_Result]:
        """What is read of each object; all again if one is destroyed by another process between finding and reading."""
        for _ in range(_READINGS):
            with suppress(pkcs11.ObjectHandleInvalid):
                return [read(handle) for handle in list(self._session.get_objects(wanted))]
        raise KeysUnavailableError("the token changes too fast to be read")

    def close(self) -> None:
        """Log out and end the session, or what is left of it."""
        with suppress(pkcs11.PKCS11Error):
            self._session.close()


class Token:
    """The token of that label behind that module. One piece of work at a time, in an open session."""

    def __init__(self, module: Path, label: str, pin: str) -> None:
        self._module = str(module)
        self._pin: str | None = pin
        self._open: OpenToken | None = None
        self.label = label

    def use(self, work: Callable[[OpenToken], _Result]) -> _Result:
        """What the work answers, done while nobody else in this process talks to a module.

        Raises KeysUnavailableError if the token fails, KeyringError if it refuses to be opened.
        """
        with _TURN:
            try:
                return work(self._alive())
            except pkcs11.PKCS11Error as error:
                said = _words(error)
        # Outside of the handler, so that what the library keeps for that error goes in the thread where it came up.
        raise KeysUnavailableError(f"the token {self.label!r} failed: {said}")

    def close(self) -> None:
        with _TURN:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _alive(self) -> OpenToken:
        if self._open is None or not self._open.is_alive():
            again, self._open = self._open is not None, None
            self._open = OpenToken(self._log_in(self._find(again=again)))
        return self._open

    def _labelled(self, *, again: bool) -> list[pkcs11.Token]:
        try:
            module = pkcs11.lib(self._module)
            if again:
                module.reinitialize()
        except pkcs11.PKCS11Error as error:
            raise KeyringError(f"the PKCS#11 module cannot be used: {self._module} ({_words(error)})") from None
        return [token for token in module.get_tokens() if token.label == self.label]

    def _find(self, *, again: bool) -> pkcs11.Token:
        found, looks = self._labelled(again=again), 0
        # A token that came after the module was initialised is seen only when that is done anew; and SoftHSM shows none
        # in the instant in which another process writes into it.
        while not found and looks < _MORE_LOOKS:
            time.sleep(_PAUSE_SECONDS)
            found, looks = self._labelled(again=True), looks + 1
        if len(found) != 1:
            told = "more than one token" if found else "no token"
            raise KeyringError(f"there is {told} labelled {self.label!r} behind {self._module}")
        if missing := {Mechanism.AES_KEY_GEN, Mechanism.AES_GCM} - found[0].slot.get_mechanisms():
            lacking = ", ".join(sorted(mechanism.name for mechanism in missing))
            raise KeyringError(f"the token {self.label!r} does not do {lacking}")
        return found[0]

    def _log_in(self, token: pkcs11.Token) -> pkcs11.Session:
        if self._pin is None:
            raise KeyringError(f"the token {self.label!r} refused the PIN; trying it again might lock the token")
        try:
            return token.open(rw=True, user_pin=self._pin, attribute_mapper=_mapper())
        except pkcs11.UserAlreadyLoggedIn:  # by another user of the token in this process
            return token.open(rw=True, attribute_mapper=_mapper())
        except _PIN_ERRORS as error:
            self._pin = None
            raise KeyringError(f"the token {self.label!r} refuses the PIN ({_words(error)})") from None


def _read_key(handle: Any) -> TokenKey | None:
    shown = handle.get_attributes(_SHOWN)
    match = _KEY_LABEL.fullmatch(shown.get(Attribute.LABEL, ""))
    if match is None:
        return None
    kept = shown.get(Attribute.SENSITIVE) is True and shown.get(Attribute.EXTRACTABLE) is False
    if not kept or shown.get(Attribute.VALUE_LEN) != KEY_SIZE:
        raise KeysUnavailableError(f"the key {match[0]!r} is not an AES-256 key that the token keeps to itself")
    candidate, identity = match[1] == _CANDIDATE, shown.get(Attribute.ID, b"")
    return TokenKey(Tree(match[2]), int(match[3]), candidate=candidate, id=identity, handle=handle)


def _data_object(label: str, value: bytes, *, stored: bool) -> dict[Attribute, Any]:
    return {
        Attribute.CLASS: ObjectClass.DATA,
        Attribute.TOKEN: stored,
        Attribute.PRIVATE: True,
        Attribute.APPLICATION: PREFIX.rstrip("/"),
        Attribute.LABEL: label,
        Attribute.VALUE: value,
    }


def _mapper() -> AttributeMapper:
    """Reads labels of others' objects whatever their bytes are."""
    mapper = AttributeMapper()
    mapper.register_handler(Attribute.LABEL, str.encode, lambda label: label.decode("utf-8", "replace"))
    return mapper


def _words(error: pkcs11.PKCS11Error) -> str:
    return str(error) or type(error).__name__
