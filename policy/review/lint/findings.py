"""One thing to look at, and all of them as a report."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Severity(StrEnum):
    """What becomes of a finding: refused, to be looked at, or good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True)
class Finding:
    """What is found and where; `code` says of which kind it is and stays the same."""

    severity: Severity
    file: Path
    line: int | None
    code: str
    sentence: str

    @property
    def text(self) -> str:
        """As compilers write it, so that editors find the place."""
        where = self.file.as_posix() if self.line is None else f"{self.file.as_posix()}:{self.line}"
        return f"{where}: {self.severity}: {self.sentence}  [{self.code}]"


@dataclass(frozen=True)
class Checked:
    """All findings of a folder, the gravest last; `revision` is None when it is refused.

    It passes without errors; in strict form, without warnings too.
    """

    revision: str | None
    findings: tuple[Finding, ...]
    strict: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity.value: counted[severity] for severity in Severity}

    @property
    def passed(self) -> bool:
        counts = self.counts
        return not counts[Severity.ERROR] and not (self.strict and counts[Severity.WARNING])

    def lines(self) -> Iterator[str]:
        for finding in self.findings:
            yield finding.text
        counts = ", ".join(f"{severity}: {count}" for severity, count in self.counts.items())
        if self.revision is None:
            yield f"refused ({counts})"
        else:
            verdict = "accepted" if self.passed else "not good enough"
            yield f"{verdict}: revision {self.revision} ({counts})"

    def data(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "revision": self.revision,
            "counts": self.counts,
            "findings": [
                {
                    "severity": finding.severity.value,
                    "file": finding.file.as_posix(),
                    "line": finding.line,
                    "code": finding.code,
                    "sentence": finding.sentence,
                }
                for finding in self.findings
            ],
        }
