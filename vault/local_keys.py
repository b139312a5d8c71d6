"""The key service of a single machine: one file, readable by its owner only. Bytes in vault/FORMAT.md §1.

It protects against whoever takes the database or the object store, not against whoever takes this machine. Any number
of processes may use and change one keyring: each change is made to the file as it is then, under a lock, and replaces
it whole; the others see it within seconds, or at once if they meet a key that they do not know.
"""

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from vault import durable_files
from vault.errors import KeyringError, KeysUnavailableError, SealBrokenError
from vault.keyring_file import Content, Protection, Unprotected, decode, encode, read_private
from vault.keys.keyset import Keyset, WrappingKey
from vault.keys.remembering import Clock
from vault.keys.service import GeneratedKey, Master, Name, Status, Tree, WrappedKey
from vault.keys.shards import Randomness
from vault.sealing import KEY_SIZE, NONCE_SIZE

_LOOK_SECONDS = 2.0
_LOCK_SECONDS = 10.0
_RETRY_SECONDS = 0.01

_Stamp = tuple[int, int, int]


class LocalKeyring:
    """A KeyService in one file."""

    def __init__(
        self,
        path: Path,
        protection: Protection,
        *,
        randomness: Randomness = os.urandom,
        clock: Clock = time.monotonic,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        """Raises KeyringError, which says why the file is refused."""
        self._path = path
        self._protection = protection
        self._randomness = randomness
        self._clock = clock
        self._look_seconds = look_seconds
        self._mutex = threading.Lock()
        self.generation = 0
        self._content = Content({}, {})
        self._usable: Mapping[str, WrappingKey] = {}
        self._stamp: _Stamp | None = None
        self._read()
        self._look_again = clock() + look_seconds

    def __repr__(self) -> str:
        return f"LocalKeyring({str(self._path)!r}, generation={self.generation})"

    @classmethod
    def create(
        cls, path: Path, protection: Protection | None = None, *, randomness: Randomness = os.urandom
    ) -> "LocalKeyring":
        """A new keyring, one master for each tree. Raises KeyringError if the file is there: none is overwritten."""
        protection = protection or Unprotected()
        try:
            with _writing(path):
                durable_files.create(path, encode(1, Content.new(randomness), protection, randomness))
        except FileExistsError:
            raise KeyringError(f"there is a keyring already: {path}") from None
        return cls(path, protection, randomness=randomness)

    @classmethod
    def open(cls, path: Path, protection: Protection | None = None) -> "LocalKeyring":
        """The keyring of that file. Raises KeyringError, which says why."""
        return cls(path, protection or Unprotected())

    async def protect(self, protection: Protection) -> None:
        """Seal the file by this from now on. Other processes must be started again with it."""
        await asyncio.to_thread(self._rewrite, lambda content: content, protection)

    async def generate(self, tree: Tree, names: Sequence[Name]) -> list[GeneratedKey]:
        """See KeyService."""
        keys = [self._randomness(KEY_SIZE) for _ in names]
        wrapped = await self.wrap(tree, list(zip(names, keys, strict=True)))
        return [GeneratedKey(key, each) for key, each in zip(keys, wrapped, strict=True)]

    async def wrap(self, tree: Tree, keys: Sequence[tuple[Name, bytes]]) -> list[WrappedKey]:
        """See KeyService."""
        await self._look()
        return [self._primary(tree).wrap(name, key, self._randomness(NONCE_SIZE)) for name, key in keys]

    async def unwrap(self, name: Name, wrapped: WrappedKey) -> bytes:
        """See KeyService."""
        await self._look()
        if wrapped.key_id not in self._usable:
            await self._look(at_once=True)
        return self._wrapping(wrapped.key_id).unwrap(name, wrapped)

    async def rewrap(self, keys: Sequence[tuple[Name, WrappedKey]]) -> list[WrappedKey]:
        """See KeyService."""
        await self._look()
        if any(wrapped.key_id not in self._usable for _, wrapped in keys):
            await self._look(at_once=True)
        ways = {key_id: self._way(key_id) for key_id in {wrapped.key_id for _, wrapped in keys}}
        nonces, rewrapped = self._randomness(NONCE_SIZE * len(keys)), list[WrappedKey]()
        for number, (name, wrapped) in enumerate(keys):
            before, primary = ways[wrapped.key_id]
            nonce = nonces[number * NONCE_SIZE : (number + 1) * NONCE_SIZE]
            rewrapped.append(before.rewrap(name, wrapped, primary, nonce))
        return rewrapped

    async def rotate(self, tree: Tree) -> Master:
        """See KeyService."""
        key = self._randomness(KEY_SIZE)
        content = await asyncio.to_thread(self._rewrite, lambda content: content.rotated(tree, key))
        keyset = content.keysets[tree]
        return Master(tree, keyset.primary, keyset.states[keyset.primary])

    async def enable(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._change(tree, lambda keyset: keyset.enabled(version))

    async def disable(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._change(tree, lambda keyset: keyset.disabled(version))

    async def set_floor(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._change(tree, lambda keyset: keyset.with_floor(version))

    async def destroy(self, tree: Tree, version: int) -> None:
        """See KeyService."""
        await self._change(tree, lambda keyset: keyset.destroyed(version))

    async def status(self) -> Status:
        """See KeyService."""
        await self._look(at_once=True)
        keysets = self._content.keysets
        masters = (
            Master(tree, version, state)
            for tree, keyset in keysets.items()
            for version, state in sorted(keyset.states.items())
        )
        floors = {tree: keyset.floor for tree, keyset in keysets.items()}
        return Status("local keyring", self.generation, tuple(masters), floors)

    async def probe(self) -> None:
        """See KeyService."""
        await self._look(at_once=True)

    async def close(self) -> None:
        """See KeyService: there is nothing to let go of."""

    def _primary(self, tree: Tree) -> WrappingKey:
        return self._usable[f"{tree}/{self._content.keysets[tree].primary}"]

    def _wrapping(self, key_id: str) -> WrappingKey:
        if key_id not in self._usable:
            raise SealBrokenError
        return self._usable[key_id]

    def _way(self, key_id: str) -> tuple[WrappingKey, WrappingKey]:
        """The master of that id, and the primary of its tree."""
        wrapping = self._wrapping(key_id)
        return wrapping, self._primary(Tree(key_id.partition("/")[0]))

    async def _look(self, *, at_once: bool = False) -> None:
        """Read the file again if it is another one: at once, or every few seconds.

        A file that is refused, or gone, leaves no service: what it took away must not be used any longer.
        """
        now = self._clock()
        if not at_once and now < self._look_again:
            return
        try:
            if _stamp(self._path.stat()) != self._stamp:
                await asyncio.to_thread(self._read)
        except KeyringError as error:
            raise KeysUnavailableError(str(error)) from error
        except OSError as error:
            raise KeysUnavailableError(f"the keyring cannot be read: {self._path} ({error.strerror})") from None
        self._look_again = now + self._look_seconds

    async def _change(self, tree: Tree, change: Callable[[Keyset], Keyset]) -> None:
        await asyncio.to_thread(self._rewrite, lambda content: content.having(change(content.keysets[tree])))

    def _rewrite(self, change: Callable[[Content], Content], protection: Protection | None = None) -> Content:
        with _locked(self._path.with_name(f"{self._path.name}.lock")):
            self._read()
            content = change(self._content)
            if protection is not None or content != self._content:
                self._protection = protection or self._protection
                data = encode(self.generation + 1, content, self._protection, self._randomness)
                with _writing(self._path):
                    durable_files.replace(self._path, data)
                self._read()
        return content

    def _read(self) -> None:
        """Take what the file says now. Raises KeyringError if it was refused, or set back."""
        with self._mutex:
            data, status = read_private(self._path, "keyring")
            generation, content = decode(data, self._protection)
            if self.generation and (generation, content) != (self.generation, self._content):
                self._refuse_older(generation)
            self._content = content
            self.generation = generation
            self._stamp = _stamp(status)
            self._usable = {
                key_id: WrappingKey(key_id, version, content.keys[tree][version])
                for tree, keyset in content.keysets.items()
                for version in keyset.states
                if keyset.unwraps(version) and (key_id := f"{tree}/{version}")
            }

    def _refuse_older(self, generation: int) -> None:
        if generation <= self.generation:
            msg = f"the keyring was of generation {self.generation}, and another of generation {generation}"
            raise KeyringError(f"{msg} has taken its place: {self._path}")


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise KeyringError(f"the keyring cannot be written: {path} ({error.strerror})") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """While one process changes a keyring the others wait. Raises KeysUnavailableError if they wait too long."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise KeysUnavailableError(f"another process holds the keyring: {path}")
            time.sleep(_RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
