"""Files that are there whole after a crash, or not at all."""

import os
import secrets
from pathlib import Path


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """A file that was not there, for its owner only, on disk when this returns. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def create(path: Path, data: bytes) -> None:
    """A file where there is none, for its owner only, on disk when this returns. Raises FileExistsError."""
    beside = _beside(path)
    try:
        write_new(beside, data)
        place_new(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """A file in the place of one that may be there, for its owner only, on disk when this returns; never half of it."""
    beside = _beside(path)
    try:
        write_new(beside, data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def place_new(source: Path, target: Path) -> None:
    """Rename, on disk when this returns. Raises FileExistsError instead of overwriting, as rename would not."""
    target.hardlink_to(source)
    source.unlink()
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """A folder for its owner only, and those above it, their names on disk when this returns; they may be there."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Return when the folder's names are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
