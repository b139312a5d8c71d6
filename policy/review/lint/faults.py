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
    """The files of a disk, with some lines left blank; a chapter of which nothing is left is left out."""

    gaps: set[tuple[Path, int]] = field(default_factory=set)

    def read(self, file: Path) -> bytes:
        return b"\n".join(self._lines(file))

    def files(self, folder: Path) -> list[Path]:
        gapped = {file for file, _ in self.gaps}
        return [file for file in DISK.files(folder) if file not in gapped or any(map(_is_row, self._lines(file)))]

    def leave_out(self, file: Path, line: int | None) -> bool:
        """Leave a faulty row out, unless something may depend on it."""
        if line is None:
            return False
        lines = self._lines(file)
        header = next((place for place, row in enumerate(lines, start=1) if _is_row(row)), line)
        is_free = line > header if file.name == "habilitations.csv" else lines[line - 1].startswith(_FREE)
        if is_free:
            self.gaps.add((file, line))
        return is_free

    def _lines(self, file: Path) -> list[bytes]:
        lines = DISK.read(file).split(b"\n")
        return [b"" if (file, line) in self.gaps else row for line, row in enumerate(lines, start=1)]


def _is_row(row: bytes) -> bool:
    return bool(row.strip()) and not row.startswith(b"#")


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
