"""Records as files that nobody may write. This is no lock: the folder's owner can still remove them."""

from collections.abc import Iterator
from contextlib import suppress
from os import DirEntry, scandir
from pathlib import Path

from vault.durable_files import make_folder, place_new, sync_folder, write_new
from vault.errors import NoObjectError, RecordChangedError

_READ_ONLY = 0o400


def keep_record(path: Path, incoming: Path, data: bytes) -> None:
    """See RecordStore. The file has its name once it is whole and on disk; `incoming` is where it is written."""
    write_new(incoming, data, _READ_ONLY)
    try:
        make_folder(path.parent)
        place_new(incoming, path)
    except FileExistsError:
        if path.read_bytes() != data:
            raise RecordChangedError("the record is there already, and another one") from None
        sync_folder(path.parent)  # whoever placed it may have died before doing so
    finally:
        incoming.unlink(missing_ok=True)


def read_record(path: Path, most: int) -> bytes:
    """See RecordStore."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except (FileNotFoundError, IsADirectoryError):
        raise NoObjectError("there is no record of that name") from None


def record_names(folder: Path, name: str, after: str) -> Iterator[str]:
    """See RecordStore, `name` being the folder's with its slash: in the order of whole names, one folder at a time."""
    entries: list[DirEntry[str]] = []
    with suppress(FileNotFoundError), scandir(folder) as found:
        entries.extend(found)
    for whole, entry in sorted((name + entry.name + ("/" if entry.is_dir() else ""), entry) for entry in entries):
        if not entry.is_dir():
            if whole > after:
                yield whole
        elif after[: len(whole)] <= whole:
            yield from record_names(Path(entry.path), whole, after)
