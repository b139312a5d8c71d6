"""What `check` finds in a changed copy of the policy, in few words."""

from collections.abc import Iterable
from pathlib import Path

from policy.review.lint.checking import check
from policy.review.lint.findings import Finding, Severity
from policy.ruleset import RuleSet


def to_look_at(folder: Path, before: RuleSet | None = None) -> list[str]:
    """The errors and warnings of a folder."""
    return texts(each for each in check(folder, before).findings if each.severity is not Severity.INFORMATION)


def good_to_know(folder: Path, code: str, before: RuleSet | None = None) -> list[str]:
    """What of one kind is only good to know."""
    found = (each for each in check(folder, before).findings if each.severity is Severity.INFORMATION)
    return texts(each for each in found if each.code == code)


def texts(findings: Iterable[Finding]) -> list[str]:
    """Each as `file:line code sentence`."""
    return [_told(finding) for finding in findings]


def _told(finding: Finding) -> str:
    place = finding.file.as_posix() if finding.line is None else f"{finding.file.as_posix()}:{finding.line}"
    return f"{place} {finding.code} {finding.sentence}"


def new_chapter(folder: Path, *rows: str, source: str = "[choice]") -> None:
    """A chapter with a comment on its first line, and these rows below."""
    text = "\n".join([f"# New. ({source})", *rows, ""])
    (folder / "rules" / "99-new.csv").write_text(text, encoding="utf-8")
