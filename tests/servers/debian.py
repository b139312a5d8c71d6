"""Programs as Debian builds them, unpacked into a folder; that needs no super-user."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.servers.errors import UnavailableError

Choose = Callable[[Callable[[str], Sequence[str]]], Sequence[str]]
"""Names packages; may ask what one depends on."""


def unpacked(workshop: Path, choose: Choose) -> Path:
    """Where the packages that are chosen are unpacked, with no other. Raises UnavailableError.

    They come from apt's lists as they are or, where these are empty or old, from lists of our own.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise UnavailableError("there is no apt to obtain it, and it is not installed")
    try:
        _download(workshop, choose, [])
    except UnavailableError:
        options = _own_lists(workshop)
        run(["apt-get", *options, "update"], folder=workshop)
        _download(workshop, choose, options)
    tree = workshop / "tree"
    for package in workshop.glob("*.deb"):
        run(["dpkg-deb", "-x", str(package), str(tree)])
    return tree


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What a program prints, with more variables in its environment. Raises UnavailableError with its last words."""
    try:
        return subprocess.run(
            command,
            env=os.environ | dict(environment or {}),
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        ).stdout
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:] or ["no message"]
        raise UnavailableError(f"{' '.join(command[:3])} failed: {last[0]}") from error


def _download(workshop: Path, choose: Choose, options: Sequence[str]) -> None:
    packages = choose(lambda package: run(["apt-cache", *options, "depends", "--important", package]).split())
    run(["apt-get", *options, "download", *packages], folder=workshop)


def _own_lists(workshop: Path) -> list[str]:
    """Where apt keeps lists that this user may write; the system's own belong to the super-user."""
    state, downloads = workshop / "lists", workshop / "downloads"
    for folder in (state / "partial", downloads / "archives" / "partial"):
        folder.mkdir(parents=True)
    return [f"-oDir::State::Lists={state}", f"-oDir::Cache={downloads}", "-oAPT::Sandbox::User="]
