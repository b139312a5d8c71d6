"""What rows rest on: each has a source, which must be known and must give what the row gives.

`sources.csv` says what each source gives, and to whom, in words of the vocabulary only: rules' groups may change, what
a source says does not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from models.vocabulary import Action
from policy.loader import PACKAGED
from policy.reasons import ALLOW
from policy.review.lint.chapters import Comment, Written
from policy.review.lint.findings import Finding, Severity
from policy.ruleset import Rule, RuleSet
from policy.text import read_table, refuse_unknown
from policy.words import Role

HEADER = ("source", "who", "action", "text")
NOTHING = "-"
"""Who and action of a source that gives nothing: it takes away, or orders."""


@dataclass(frozen=True)
class Ground:
    """A source: where it stands in the table, and what it gives, by role and action."""

    file: Path
    line: int
    given: frozenset[tuple[Role, Action]]


def read_grounds(folder: Path) -> dict[str, Ground]:
    """The sources of a policy folder; one that has none is held against the packaged ones. Raises PolicyFileError."""
    own = folder / "sources.csv"
    file = own if own.is_file() else PACKAGED / "sources.csv"
    grounds: dict[str, Ground] = {}
    for line, (source, who, action, _) in read_table(file, HEADER):
        roles = [Role(word) for word in _words(file, line, "role", who, tuple(Role))]
        actions = [Action(word) for word in _words(file, line, "action", action, tuple(Action))]
        given = {(role, each) for role in roles for each in actions}
        before = grounds.get(source, Ground(file, line, frozenset()))
        grounds[source] = Ground(file, before.line, before.given | given)
    return grounds


def _words(file: Path, line: int, what: str, cell: str, vocabulary: Iterable[str]) -> list[str]:
    words = [] if cell == NOTHING else cell.split()
    for word in words:
        refuse_unknown(file, line, what, word, vocabulary)
    return words


def check_grounds(rules: RuleSet, rows: Sequence[Written], grounds: Mapping[str, Ground]) -> Iterator[Finding]:
    """Rows without a source, sources that are not known or not used, and permissions wider than their sources."""
    permissions = {(rule.file, rule.line): rule for rule in rules.rules if rule.effect == ALLOW}
    bare: Written | None = None
    seen = set[Comment]()
    for row in rows:
        if row.comment is None:
            if bare is None or (bare.file, bare.line) != (row.file, row.line - 1):
                yield _finding(row, "missing-comment", "no comment above says what this is and where it comes from")
            bare = row
            continue
        if row.comment not in seen:
            yield from _check_comment(row, row.comment, grounds)
            seen.add(row.comment)
        if (row.file, row.line) in permissions:
            yield from _check_width(rules, permissions[row.file, row.line], row.comment.sources, grounds)
    cited = {source for comment in seen for source in comment.sources}
    for source, ground in grounds.items():
        if source not in cited:
            yield Finding(Severity.WARNING, ground.file, ground.line, "unused-source", f"no row rests on {source}")


def _check_comment(row: Written, comment: Comment, grounds: Mapping[str, Ground]) -> Iterator[Finding]:
    """Groups may go without a source: what they are is said by their words."""
    if row.kind.startswith("p") and not comment.sources:
        yield _finding(row, "missing-source", "the comment above does not end with a source in parentheses")
    for source in comment.sources:
        if source not in grounds:
            near = get_close_matches(source, grounds, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            sentence = f"{source!r} is no source of sources.csv{hint}"
            yield Finding(Severity.WARNING, comment.file, comment.line, "unknown-source", sentence)


def _check_width(
    rules: RuleSet, rule: Rule, sources: Sequence[str], grounds: Mapping[str, Ground]
) -> Iterator[Finding]:
    """A permission gives no more than its sources do together; where one is not known, nothing can be said."""
    if not sources or any(source not in grounds for source in sources):
        return
    given = frozenset[tuple[Role, Action]]().union(*(grounds[source].given for source in sources))
    alike = defaultdict[tuple[str, ...], list[str]](list)
    for role in Role:
        wider = [
            action.value for action in Action if rules.bears_on(rule, role, action) and (role, action) not in given
        ]
        if wider:
            alike[tuple(wider)].append(role.value)
    if alike:
        told = "; ".join(f"{', '.join(roles)}: {', '.join(actions)}" for actions, roles in alike.items())
        sentence = f"{rule.id} gives what is not given by {' and '.join(sources)}: {told}"
        yield Finding(Severity.WARNING, rule.file, rule.line, "wider-than-source", sentence)


def _finding(row: Written, code: str, sentence: str) -> Finding:
    return Finding(Severity.WARNING, row.file, row.line, code, sentence)
