"""Objects as files of one folder, for a single machine."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from vault.blobs import NAME, PIECE_SIZE, StoredObject, blocks, hold_suitable
from vault.durable_files import make_folder, place_new
from vault.errors import NoObjectError, ObjectExistsError, StoreUnavailableError
from vault.filesystem_notices import post_notice, read_notice
from vault.filesystem_records import keep_record, read_record, record_names
from vault.notices import Notice, named
from vault.records import folder_of_records, recorded

_THREADS = 8
_FAN_OUT = 2
_LISTED_AT_ONCE = 1000

T = TypeVar("T")


class FilesystemBlobStore:
    """A BlobStore in one folder: `incoming/` while being written, then `documents/<two digits>/`.

    And a NoticeBoard; and a RecordStore, whose files nobody may write, which is no lock: the folder's owner can remove
    them. An object has its name once it is whole and on disk. File calls block, so threads of the store's own make
    them.
    """

    locks_records = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._documents = root / "documents"
        self._incoming = root / "incoming"
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")

    def __repr__(self) -> str:
        return f"FilesystemBlobStore({str(self._root)!r})"

    async def prepare(self) -> None:
        """See BlobStore."""
        await self._run(self._make_folders)
        await hold_suitable(self, secrets.token_hex(16))

    async def probe(self) -> None:
        """See BlobStore."""
        if not await self._run(os.access, self._incoming, os.W_OK):
            raise StoreUnavailableError("the vault's folder is missing or cannot be written")

    async def put(self, name: str, data: AsyncIterator[bytes]) -> None:
        """See BlobStore."""
        incoming, target = self._paths(name)
        file = await self._run(_open_new, incoming)
        last, finished = b"", False
        try:
            async for block in blocks(data, PIECE_SIZE):
                if last:
                    await self._run(file.write, last)
                last = block
            await self._run(_finish, file, last, incoming, target)
            finished = True
        finally:
            if not finished:
                await self._run(_abandon, file, incoming)

    async def get(self, name: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """See BlobStore."""
        _, target = self._paths(name)
        remaining = stop - start if stop is not None else sys.maxsize
        file, piece = await self._run(_open_at, target, start, min(PIECE_SIZE, remaining))
        try:
            while piece:
                remaining -= len(piece)
                yield piece
                is_last = len(piece) < PIECE_SIZE or not remaining
                piece = b"" if is_last else await self._run(file.read, min(PIECE_SIZE, remaining))
        finally:
            file.close()

    async def delete(self, name: str) -> None:
        """See BlobStore."""
        await self._run(_unlink, *self._paths(name))

    async def names(self) -> AsyncGenerator[StoredObject]:
        """See BlobStore."""
        interrupted = await self._run(_listed, self._incoming)
        for digits in await self._run(_folders, self._documents, interrupted):
            for stored in await self._run(_merged, self._documents / digits, digits, interrupted):
                yield stored

    async def read_notice(self, name: str, most: int, known: str | None = None) -> Notice | None:
        """See NoticeBoard."""
        return await self._run(read_notice, self._root / named(name), most, known)

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        """See NoticeBoard."""
        return await self._run(post_notice, self._root / named(name), data, known)

    async def remove_notice(self, name: str) -> None:
        """See NoticeBoard."""
        await self._run(_unlink, self._root / named(name))

    async def keep(self, name: str, data: bytes) -> None:
        """See RecordStore. What a crash leaves of one being written has an object's name, and goes as an orphan."""
        incoming = self._incoming / secrets.token_hex(16)
        await self._run(keep_record, self._root / recorded(name), incoming, data)

    async def read_record(self, name: str, most: int) -> bytes:
        """See RecordStore."""
        return await self._run(read_record, self._root / recorded(name), most)

    async def record_names(self, folder: str, after: str = "") -> AsyncGenerator[str]:
        """See RecordStore."""
        names = record_names(self._root / folder_of_records(folder), folder, after)
        while page := await self._run(_next_page, names):
            for name in page:
                yield name

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.shutdown(wait=False)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        except OSError as error:
            raise StoreUnavailableError(f"the vault's folder does not take or give objects: {error.strerror}") from None

    def _make_folders(self) -> None:
        for folder in (self._root, self._incoming, self._documents):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _paths(self, name: str) -> tuple[Path, Path]:
        """Where the object is being written and where it is kept. A name that is none of ours has no object."""
        if not NAME.fullmatch(name):
            raise NoObjectError("there is no object of that name")
        return self._incoming / name, self._documents / name[:_FAN_OUT] / name


def _open_new(incoming: Path) -> BinaryIO:
    try:
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ObjectExistsError("an object of that name is being written") from None
    return os.fdopen(descriptor, "wb")


def _finish(file: BinaryIO, last: bytes, incoming: Path, target: Path) -> None:
    with file:
        file.write(last)
        file.flush()
        os.fsync(file.fileno())
    make_folder(target.parent)
    try:
        place_new(incoming, target)
    except FileExistsError:
        raise ObjectExistsError("an object of that name is there already") from None


def _abandon(file: BinaryIO, incoming: Path) -> None:
    file.close()
    incoming.unlink(missing_ok=True)


def _open_at(target: Path, start: int, size: int) -> tuple[BinaryIO, bytes]:
    """And what is read first: mostly that is all."""
    try:
        file = target.open("rb")
    except FileNotFoundError:
        raise NoObjectError("there is no object of that name") from None
    file.seek(start)
    return file, file.read(size)


def _unlink(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _next_page(names: Iterator[str]) -> list[str]:
    return list(islice(names, _LISTED_AT_ONCE))


def _folders(documents: Path, interrupted: list[StoredObject]) -> list[str]:
    return sorted({folder.name for folder in documents.iterdir()} | {each.name[:_FAN_OUT] for each in interrupted})


def _merged(folder: Path, digits: str, interrupted: list[StoredObject]) -> list[StoredObject]:
    found = {each.name: each for each in interrupted if each.name.startswith(digits)}
    found.update({each.name: each for each in _listed(folder)})
    return [found[name] for name in sorted(found)]


def _listed(folder: Path) -> list[StoredObject]:
    listed: list[StoredObject] = []
    for path in folder.iterdir() if folder.exists() else ():
        with suppress(FileNotFoundError):  # deleted meanwhile
            listed.append(StoredObject(path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return listed
