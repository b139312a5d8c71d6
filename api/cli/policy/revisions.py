"""A policy folder as reviewers name it: a folder, or a revision of a git repository."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from api.errors import DmpError

_IN_REPOSITORY = "policy"
_GIT_SECONDS = 30


class NoSuchPolicyError(DmpError):
    """A word that names neither a folder nor a revision."""


@contextmanager
def policy_folder(word: str) -> Iterator[Path]:
    """The folder that a word names: its path, or `REVISION` or `REVISION:PATH` of the repository around this folder.

    PATH is from the repository's root, by default `policy`. Raises NoSuchPolicyError.
    """
    if Path(word).is_dir():
        yield Path(word)
        return
    revision, _, path = word.partition(":")
    inside = path.strip("/") or _IN_REPOSITORY
    with TemporaryDirectory() as folder:
        try:
            _unpack(_archive(revision, inside), Path(folder))
        except (OSError, subprocess.SubprocessError, tarfile.TarError):
            msg = f"{word!r} is no folder, nor a git revision that has a folder {inside}"
            raise NoSuchPolicyError(msg) from None
        yield Path(folder) / inside


def _archive(revision: str, path: str) -> bytes:
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    return _git("-C", top, "archive", "--format=tar", commit, "--", path)


def _unpack(archive: bytes, folder: Path) -> None:
    """The files of the archive; links are left out, and git gives no path that leads outside."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            if (content := members.extractfile(member)) is not None and member.isfile():
                (folder / member.name).parent.mkdir(parents=True, exist_ok=True)
                (folder / member.name).write_bytes(content.read())


def _git(*arguments: str) -> bytes:
    return subprocess.run(  # noqa: S603 - git, with a word of the reviewer's that cannot be an option
        ["git", *arguments],  # noqa: S607 - the reviewer's own git
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=_GIT_SECONDS,
    ).stdout
