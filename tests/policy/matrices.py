"""The matrices of policy/cases, read: who, in what circumstances, does what with which document."""

import csv
from functools import cache
from itertools import product

from models.vocabulary import Action
from policy.loader import PACKAGED
from policy.situation import Situation
from policy.space import dimensions
from policy.words import FACTS, Fact, Role

NO_DOCUMENT = "-"
CASES = PACKAGED / "cases"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one file, comments and blank lines left aside; every row has all cells."""
    text = (CASES / name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    rows = tuple(csv.DictReader(lines, strict=True))
    assert all(None not in row and None not in row.values() for row in rows), name
    return rows


def facts(words: str) -> frozenset[Fact]:
    """The facts of a cell."""
    return frozenset(FACTS[word] for word in words.split())


def named(file: str, title: str) -> dict[str, frozenset[Fact]]:
    """What each name of a file means, in facts."""
    rows = table(file)
    assert len({row[title] for row in rows}) == len(rows), file
    return {row[title]: facts(row["facts"]) for row in rows}


PERSONAS = named("personas.csv", "persona")
ROLES = {row["persona"]: Role(row["role"]) for row in table("personas.csv")}
CIRCUMSTANCES = named("circumstances.csv", "circumstance")
DOCUMENTS = named("documents.csv", "document")
DEPOSITS = named("to-be-deposited.csv", "document")


def situation(
    circumstance: str, persona: str, document: frozenset[Fact], action: Action, more: frozenset[Fact] = frozenset()
) -> Situation:
    """The situation of a case; facts that mean nothing for this role and action are left aside."""
    role = ROLES[persona]
    told = meaningful(role, action)
    given = CIRCUMSTANCES[circumstance] | PERSONAS[persona] | document | more
    return Situation.of(role, action, given & told)


@cache
def meaningful(role: Role, action: Action) -> frozenset[Fact]:
    """The facts that mean something for this role and action."""
    return frozenset[Fact]().union(*(dimension.facts for dimension in dimensions(role, action)))


def opened(file: str) -> dict[tuple[str, ...], str]:
    """Everything that a matrix opens, with the rule that opens it; nothing may be opened twice."""
    found: dict[tuple[str, ...], str] = {}
    for row in table(file):
        rule = row["rule"]
        cells = (words.split() for title, words in row.items() if title != "rule")
        for case in product(*cells):
            assert case not in found, case
            found[case] = rule
    return found
