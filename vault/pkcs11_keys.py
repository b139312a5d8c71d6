"""The key service of a deployment with an HSM: masters live in a PKCS#11 token and never leave it.

What the token holds, every label beginning with `dmp-authz/`:

- a master `dmp-authz/dossier/3`: an AES-256 secret key, generated in the token, private, sensitive, not extractable,
  that may encrypt and decrypt and nothing else. The highest usable version of a tree is its primary. Disabled: the
  token is told to let it neither encrypt nor decrypt. Destroyed: the object is destroyed; that there was a version is
  known from the higher ones, which is why the highest is never destroyed and no version is used twice;
- a floor `dmp-authz/floor/dossier`: a private data object, 4 bytes, big-endian;
- a candidate `dmp-authz/new/dossier/4`, for the seconds in which a master is made (`vault.pkcs11_masters.make`).

What an HSM must support (PKCS#11 v2.40): a user PIN, CKM_AES_KEY_GEN, CKM_AES_GCM with a 96-bit nonce that the caller
gives and a tag of 128 bits, private data objects in the token and in a session, and changing CKA_LABEL, CKA_ENCRYPT and
CKA_DECRYPT of a key. An HSM that insists on making the nonces itself, as some do in their FIPS mode, does not do.

What is wrapped is a sealed value, as the local keyring's (vault/FORMAT.md): its readers need not know which service
made it. Masters wrap keys of shards only: a few thousand nonces each, where 2^32 would be too many.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from vault.errors import KeyringError, KeyStateError, KeysUnavailableError, SealBrokenError
from vault.keyring_file import read_private
from vault.keys.keyset import Keyset
from vault.keys.remembering import Clock
from vault.keys.service import GeneratedKey, KeyState, Master, Name, Status, Tree, WrappedKey
from vault.keys.shards import Randomness
from vault.pkcs11_masters import SETTLE, Masters, Settle, make
from vault.pkcs11_token import OpenToken, Token, TokenKey
from vault.sealing import KEY_SIZE, NONCE_SIZE, SealingKey

PATIENCE = 10.0
"""Seconds after which a token that does not answer is given up."""

_BATCH = 64
"""Keys for which the token is held at a time, so that nobody waits behind thousands."""
_FRESH = 1.0
"""Seconds for which what the token was seen to hold is believed: so late is another process's change noticed."""

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")


class Pkcs11Keys:
    """A KeyService in a PKCS#11 token. The first key that is asked for in an empty token makes the five masters."""

    def __init__(
        self,
        token: Token,
        *,
        randomness: Randomness = os.urandom,
        clock: Clock = time.monotonic,
        settle: Settle = lambda: time.sleep(SETTLE),
        patience: float = PATIENCE,
    ) -> None:
        self._token = token
        self._randomness = randomness
        self._clock = clock
        self._settle = settle
        self._patience = patience
        self._seen: tuple[OpenToken, float, Masters] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pkcs11")

    def __repr__(self) -> str:
        return f"Pkcs11Keys({self._token.label!r})"

    @classmethod
    def from_url(cls, url: str) -> "Pkcs11Keys":
        """`pkcs11:///module.so?token=LABEL&pin_file=/file`.

        Raises ValueError on another URL, which it never repeats; KeyringError, which says why, where the module, the
        token or the PIN does not do; KeysUnavailableError.
        """
        module, label, pin_file = _parse(url)
        token = Token(module, label, _read_pin(pin_file))
        token.use(lambda _: None)
        return cls(token)

    async def generate(self, tree: Tree, names: Sequence[Name]) -> list[GeneratedKey]:
        """See KeyService."""
        fresh = [self._randomness(KEY_SIZE) for _ in names]
        wrapped = await self.wrap(tree, list(zip(names, fresh, strict=True)))
        return [GeneratedKey(*each) for each in zip(fresh, wrapped, strict=True)]

    async def wrap(self, tree: Tree, keys: Sequence[tuple[Name, bytes]]) -> list[WrappedKey]:
        """See KeyService."""

        def work(token: OpenToken, batch: Sequence[tuple[Name, bytes]]) -> list[WrappedKey]:
            primary = self._made(token).primary(tree)
            return [self._seal(primary, name, key) for name, key in batch]

        return await self._in_batches(work, keys)

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """See KeyService."""
        _, key = await self._do(lambda token: _open(self._having(token, [wrapped]), name, wrapped))
        return key

    async def rewrap(self, keys: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey]:
        """See KeyService; but each key passes through this process's memory for a moment.

        A token could keep it to itself only by unwrapping it into an object that may leave it again, under mechanisms
        that most do not offer (SoftHSM wraps nothing by AES-GCM), and that would give other bytes than a sealed value.
        """

        def work(token: OpenToken, batch: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey]:
            masters = self._having(token, [wrapped for _, wrapped in batch])
            return [self._rewrap(masters, name, wrapped) for name, wrapped in batch]

        return await self._in_batches(work, keys)

    async def rotate(self, tree: Tree) -> Master:
        """See KeyService. Of two who rotate at once, both may be given the same new primary."""

        def work(token: OpenToken) -> Master:
            version = self._made(token).keysets[tree].rotated().primary
            self._make(token, [(tree, version)])
            return Master(tree, version, KeyState.PRIMARY)

        return await self._change(work)

    async def enable(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._move(tree, version, lambda keyset: keyset.enabled(version))

    async def disable(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._move(tree, version, lambda keyset: keyset.disabled(version))

    async def set_floor(self, tree: Tree, version: int) -> None:
        """See KeyService."""

        def work(token: OpenToken) -> None:
            keyset = self._masters(token).keyset(tree)
            if keyset.with_floor(version) != keyset:
                token.set_floor(tree, version)

        await self._change(work)

    async def destroy(self, tree: Tree, version: int) -> None:
        """See KeyService. Nor the newest, whose number would be given again."""
        await self._move(tree, version, lambda keyset: keyset.destroyed(version))

    async def status(self) -> Status:
        """See KeyService."""
        keysets = (await self._change(self._masters)).keysets
        masters = (
            Master(tree, version, state) for tree, keyset in keysets.items() for version, state in keyset.states.items()
        )
        floors = {tree: keyset.floor for tree, keyset in keysets.items()}
        return Status(f"PKCS#11 token {self._token.label}", 0, tuple(masters), floors)

    async def probe(self) -> None:
        """See KeyService: a token that is open, or opens."""
        await self._do(lambda _: None)

    async def close(self) -> None:
        """See KeyService. Logs out, with every other user of the token in this process; they log in again."""
        with suppress(KeysUnavailableError):
            await self._in_thread(self._token.close)
        self._thread.shutdown(wait=False)

    def _masters(self, token: OpenToken) -> Masters:
        """What the token holds, as read in this session a moment ago or now."""
        now = self._clock()
        if self._seen is None or self._seen[0] is not token or now - self._seen[1] > _FRESH:
            self._seen = token, now, Masters.read(token)
        return self._seen[2]

    def _made(self, token: OpenToken) -> Masters:
        """As `_masters`, and every tree has one."""
        if lacking := self._masters(token).lacking:
            self._make(token, lacking)
        return self._masters(token)

    def _having(self, token: OpenToken, wrapped: Sequence[WrappedKey]) -> Masters:
        """As `_masters`, read anew if one is named that was not there: another process may have made it meanwhile."""
        if any(each.key_id not in self._masters(token).keys for each in wrapped):
            self._seen = None
        return self._masters(token)

    def _make(self, token: OpenToken, wanted: Sequence[tuple[Tree, int]]) -> None:
        self._seen = None
        make(token, wanted, self._settle, self._clock)

    def _seal(self, master: TokenKey, name: Name, key: bytes) -> WrappedKey:
        sealed = SealingKey(master.version, master).seal(key, self._randomness(NONCE_SIZE), *name.facts(master.key_id))
        return WrappedKey(master.key_id, sealed)

    def _rewrap(self, masters: Masters, name: Name, wrapped: WrappedKey) -> WrappedKey:
        master, key = _open(masters, name, wrapped)
        return self._seal(masters.primary(master.tree), name, key)

    async def _in_batches(
        self, work: Callable[[OpenToken, Sequence[_Item]], list[WrappedKey]], items: Sequence[_Item]
    ) -> list[WrappedKey]:
        def batch(start: int) -> Callable[[OpenToken], list[WrappedKey]]:
            return lambda token: work(token, items[start : start + _BATCH])

        done = [await self._do(batch(start)) for start in range(0, len(items), _BATCH)]
        return list(chain.from_iterable(done))

    async def _move(self, tree: Tree, version: int, change: Callable[[Keyset], Keyset]) -> None:
        """Bring a master into the state that the change gives it."""

        def work(token: OpenToken) -> None:
            masters = self._masters(token)
            keyset = masters.keyset(tree)
            state = change(keyset).states[version]
            if state is keyset.states[version]:
                return
            key = masters.keys[f"{tree}/{version}"]
            if state is not KeyState.DESTROYED:
                token.allow(key, use=state is KeyState.ENABLED)
            elif version == max(keyset.states):
                raise KeyStateError(f"{key.key_id} is the newest: rotate first")
            else:
                token.destroy(key)

        await self._change(work)

    async def _change(self, work: Callable[[OpenToken], _Result]) -> _Result:
        """Work that goes by what the token holds now, and may change it."""

        def anew(token: OpenToken) -> _Result:
            self._seen = None
            try:
                return work(token)
            finally:
                self._seen = None

        return await self._do(anew)

    async def _do(self, work: Callable[[OpenToken], _Result]) -> _Result:
        try:
            return await self._in_thread(self._token.use, work)
        except KeyringError as error:  # it opened once
            raise KeysUnavailableError(str(error)) from None

    async def _in_thread(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
        except RuntimeError:
            raise KeysUnavailableError("the key service is closed") from None
        try:
            return await asyncio.wait_for(answer, self._patience)
        except TimeoutError:
            told = f"the token {self._token.label!r} has not answered within {self._patience:g} s"
            raise KeysUnavailableError(told) from None


def _open(masters: Masters, name: Name, wrapped: WrappedKey) -> tuple[TokenKey, bytes]:
    master = masters.opener(wrapped.key_id)
    if master is None:
        raise SealBrokenError
    return master, SealingKey(master.version, master).open(wrapped.wrapped, *name.facts(wrapped.key_id))


def _parse(url: str) -> tuple[Path, str, Path]:
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, strict_parsing=True)
        if parts.scheme != "pkcs11" or parts.netloc or not parts.path:
            raise ValueError
        (label,), (pin_file,) = options.pop("token"), options.pop("pin_file")
        if options:
            raise ValueError
    except (ValueError, KeyError):
        raise ValueError("an HSM is pkcs11:///module.so?token=LABEL&pin_file=/file") from None
    return Path(unquote(parts.path)), label, Path(pin_file)


def _read_pin(path: Path) -> str:
    try:
        data, _ = read_private(path, "PIN")
        pin = data.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise KeyringError(f"the PIN is not text: {path}") from None
    if not pin:
        raise KeyringError(f"the PIN is empty: {path}")
    return pin
