"""What takes minutes to make is made once for a user, and kept between runs and clones."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WORKSHOP = "workshop-"
"""Begins the name of a folder in which something is being made."""


def folder() -> Path:
    """Where this project keeps things for the present user (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dmp-authz"


def kept(name: str, make: Callable[[Path], Path], cache: Path) -> Path:
    """The file of that name, made if it is not there yet.

    `make` works in an empty folder and answers with the file that it made there. Two runs at once make it once: the
    second waits. The name appears only when the file is whole, so an interrupted run leaves nothing but a workshop,
    which the next run sweeps away.
    """
    path = cache / name
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{name}.lock"):
        if not path.exists():
            for remains in cache.glob(f"{WORKSHOP}{name}-*"):
                shutil.rmtree(remains, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f"{WORKSHOP}{name}-", dir=cache) as workshop:
                make(Path(workshop)).replace(path)
    return path


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """The kernel drops the lock with the process that holds it, however that process ends."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
