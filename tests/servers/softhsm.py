"""SoftHSM 2 as Debian builds it: from the system, else from Debian's packages, unpacked into the user's cache.

Unpacking needs no super-user. Both programs read where the tokens are from the file that SOFTHSM2_CONF names.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.servers import cache, debian
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
        return debian.run([str(self.program), "--version"]).strip()

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
        debian.run([*program, "--init-token", "--free", "--label", self.label, *pins], self.environment)

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
    tree = debian.unpacked(workshop, lambda _: PACKAGES)
    debian.run([str(tree / PROGRAM), "--version"])  # says what is missing, should a library be
    return tree
