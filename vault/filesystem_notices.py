"""Notices as files of one folder; a lock that ends with its holder keeps those who replace apart."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vault.durable_files import make_folder, replace
from vault.errors import NoObjectError, NoticeChangedError
from vault.notices import Notice

_LOCK = ".lock"


def read_notice(path: Path, most: int, known: str | None) -> Notice | None:
    """See NoticeBoard; the tag is the content's SHA-256."""
    try:
        with path.open("rb") as file:
            tag = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return None if tag == known else Notice(tag, file.read(most))
    except FileNotFoundError:
        raise NoObjectError("there is no notice of that name") from None


def post_notice(path: Path, data: bytes, known: str | None) -> str:
    """See NoticeBoard."""
    make_folder(path.parent)
    with _alone(path.parent):
        try:
            present = read_notice(path, 0, None)
        except NoObjectError:
            present = None
        if (present.tag if present else None) != known:
            raise NoticeChangedError("the notice is not the one that was to be replaced")
        replace(path, data)
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
