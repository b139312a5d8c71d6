"""SoftHSM 2 as Debian builds it: from the system, else from Debian's packages, unpacked into the user's cache.

Unpacking needs no super-user. Both programs read where the tokens are from the file that SOFTHSM2_CONF names.
"""

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.servers import cache
from tests.servers.errors import UnavailableError

PACKAGES = ("softhsm2", "libsofthsm2")
MODULES = ("usr/lib/softhsm/libsofthsm2.so", "usr/lib*/softhsm/libsofthsm2.so", "usr/lib*/*/softhsm/libsofthsm2.so")
PROGRAM = "usr/bin/softhsm2-util"


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """The module and the program that makes tokens."""

    module: Path
    program: Path

    @property
    def version(self) -> str:
        """As `2.6.1`."""
        return _run([str(self.program), "--version"], {}).strip()

    def new_token(self, folder: Path, *, settings: str = "") -> "SoftToken":
        """A token of its own in an empty folder, with more lines for its configuration."""
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n{settings}\n")
        token = SoftToken(self, folder, f"dmp {secrets.token_hex(4)}", secrets.token_hex(16))
        token.pin_file.touch(0o600)
        token.pin_file.write_text(f"{token.pin}\n")
        token.initialise()
        return token


@dataclass(frozen=True, slots=True)
class SoftToken:
    """A token, and how to reach it."""

    hsm: SoftHsm
    folder: Path
    label: str
    pin: str = field(repr=False)

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    @property
    def environment(self) -> dict[str, str]:
        """What a process must have in its environment to see the token."""
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def initialise(self) -> None:
        """Make it; once more makes another of the same label."""
        pins = ["--pin", self.pin, "--so-pin", secrets.token_hex(8)]
        program = [str(self.hsm.program), "--module", str(self.hsm.module)]
        _run([*program, "--init-token", "--free", "--label", self.label, *pins], self.environment)

    @property
    def url(self) -> str:
        options = urlencode({"token": self.label, "pin_file": str(self.pin_file)}, quote_via=quote)
        return f"pkcs11://{quote(str(self.hsm.module))}?{options}"


def obtain() -> Path:
    """The module. Raises UnavailableError."""
    return softhsm().module


def softhsm() -> SoftHsm:
    """From the system, else unpacked now if this user has never unpacked it. Raises UnavailableError."""
    found = _below(Path("/")) or _below(cache.kept("softhsm2", _unpack, cache.folder()))
    if found is None:
        raise UnavailableError(f"the packages {' and '.join(PACKAGES)} hold no {MODULES[0]}")
    return found


def _below(root: Path) -> SoftHsm | None:
    module = next((path for pattern in MODULES for path in root.glob(pattern)), None)
    return SoftHsm(module, root / PROGRAM) if module and (root / PROGRAM).exists() else None


def _unpack(workshop: Path) -> Path:
    """Debian's packages, from apt's lists as they are or, where they are empty, from lists of our own."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise UnavailableError(f"no SoftHSM 2 here, and no apt to obtain it: install {' and '.join(PACKAGES)}")
    try:
        _run(["apt-get", "download", *PACKAGES], {}, workshop)
    except UnavailableError:
        options = _own_lists(workshop)
        _run(["apt-get", *options, "update"], {}, workshop)
        _run(["apt-get", *options, "download", *PACKAGES], {}, workshop)
    tree = workshop / "tree"
    for package in workshop.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(tree)], {})
    _run([str(tree / PROGRAM), "--version"], {})  # says what is missing, should a library be
    return tree


def _own_lists(workshop: Path) -> list[str]:
    """Where apt keeps lists that this user may write; the system's own belong to the super-user."""
    state, downloads = workshop / "lists", workshop / "downloads"
    for folder in (state / "partial", downloads / "archives" / "partial"):
        folder.mkdir(parents=True)
    return [f"-oDir::State::Lists={state}", f"-oDir::Cache={downloads}", "-oAPT::Sandbox::User="]


def _run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    try:
        return subprocess.run(
            command,
            env=os.environ | environment,
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
