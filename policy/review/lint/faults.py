"""Everything for which the loader refuses a folder, not only the first fault.

A faulty row on which nothing else depends is left out, and the folder is loaded again. Where something depends on what
is at fault (a group, the register, a whole file), its consequences would be told as faults: the search ends there.
"""

from dataclasses import dataclass, field
from pathlib import Path

from policy.errors import PolicyFileError
from policy.loader import load
from policy.review.lint.findings import Finding, Severity
from policy.text import DISK

_FREE = (b"p,", b"p2,")
"""How rows of rules begin on which nothing else depends; nor does anything on a row of the matrix."""


@dataclass(frozen=True)
class _Gapped:
    """The files of a disk, with some lines left blank."""

    gaps: set[tuple[Path, int]] = field(default_factory=set)

    def read(self, file: Path) -> bytes:
        lines = DISK.read(file).split(b"\n")
        for gap, line in self.gaps:
            if gap == file:
                lines[line - 1] = b""
        return b"\n".join(lines)

    def files(self, folder: Path) -> list[Path]:
        return DISK.files(folder)

    def leave_out(self, file: Path, line: int | None) -> bool:
        """Leave a faulty row out, unless something may depend on it."""
        if line is None:
            return False
        lines = self.read(file).split(b"\n")
        header = next((place for place, row in enumerate(lines, start=1) if row and not row.startswith(b"#")), line)
        is_free = line > header if file.name == "habilitations.csv" else lines[line - 1].startswith(_FREE)
        if not is_free:
            return False
        self.gaps.add((file, line))
        return True


def faults(folder: Path) -> list[Finding]:
    """What the loader refuses; empty when it accepts the folder."""
    found: list[Finding] = []
    source = _Gapped()
    while True:
        try:
            load(folder, source)
        except PolicyFileError as error:
            if found and error.line is None:
                return found  # what is missing now may have stood in a row that was left out
            found.append(fault(error, "refused"))
            if not source.leave_out(error.file, error.line):
                return found
        else:
            return found


def fault(error: PolicyFileError, code: str) -> Finding:
    """A fault of a file as a finding."""
    return Finding(Severity.ERROR, error.file, error.line, code, error.fault)
