"""Rows of the habilitation matrix that change nothing, and how much of it is not official."""

from collections.abc import Iterator
from pathlib import Path

from models.reference import DOCUMENT_TYPES, PROFESSIONS
from policy.habilitations import HEADER
from policy.review.lint.findings import Finding, Severity
from policy.text import read_table


def check_habilitations(folder: Path) -> Iterator[Finding]:
    """Findings on a matrix that the loader accepts."""
    file = folder / "habilitations.csv"
    rows = read_table(file, HEADER)
    decided = {(profession, scope): effect for _, (profession, scope, effect, status) in rows if status != "suspended"}
    needless = []
    for line, (profession, scope, effect, status) in rows:
        if status == "suspended" or any(_weighs(decided, profession, scope, code) for code in DOCUMENT_TYPES):
            continue
        category = DOCUMENT_TYPES[scope].category if scope in DOCUMENT_TYPES else None
        if effect == "deny" and (profession, category) not in decided:
            needless.append(line)
        else:
            sentence = f"{profession} and {scope}: nothing changes without this row"
            yield Finding(Severity.WARNING, file, line, "useless-habilitation", sentence)
    if needless:
        sentence = f"rows that say no where no row says yes: {len(needless)}, this one first"
        yield Finding(Severity.INFORMATION, file, needless[0], "needless-habilitation", sentence)
    if assumed := [line for line, cells in rows if cells[3] == "assumed"]:
        sentence = f"rows that are assumed, to be held against the official matrix: {len(assumed)} of {len(rows)}"
        yield Finding(Severity.INFORMATION, file, assumed[0], "assumed-habilitation", sentence)
    if without := [profession for profession in PROFESSIONS if all(cells[0] != profession for _, cells in rows)]:
        sentence = f"no row, so that no document is open to them: {', '.join(without)}"
        yield Finding(Severity.INFORMATION, file, None, "no-habilitation", sentence)


def _weighs(decided: dict[tuple[str, str], str], profession: str, scope: str, code: str) -> bool:
    """Whether a type of document is open or closed to the profession because of this row."""
    category = DOCUMENT_TYPES[code].category.value
    exact, general = decided.get((profession, code)), decided.get((profession, category))
    if scope == code:
        return (exact == "allow") is not (general == "allow")
    return scope == category and exact is None and general == "allow"
