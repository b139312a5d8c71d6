"""What a change of rules opens and closes: exactly, in few conditions, each with an example.

Rule sets that mean the same have no difference, whatever their text.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, Obligation
from policy.conditions import Condition
from policy.review.answers import Answers, answer, asked, bearing, union, whole
from policy.review.diagrams import Diagram
from policy.review.difference import (
    CLOSED,
    OBLIGED,
    OPENED,
    RELEASED,
    RENAMED,
    Change,
    Difference,
    Kind,
    Opening,
)
from policy.review.planes import MEETINGS, Plane
from policy.ruleset import RuleSet
from policy.situation import PROFESSION_ROLES
from policy.words import Fact, Role


def diff(old: RuleSet, new: RuleSet) -> Difference:
    """What changes from one rule set to the other."""
    covers: dict[Kind, list[tuple[Condition, ...]]] = defaultdict(list)
    found: dict[tuple[Kind, Condition], list[Change]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for role, action in MEETINGS:
        if _meaning(old, role, action) == _meaning(new, role, action):
            continue
        plane, columns = _changed(old, new, role, action)
        diagram = Diagram(plane)
        for kind, column in columns.items():
            counts[kind.text] += column.bit_count() * plane.weight
            for condition in _cover(diagram, column, covers[kind]):
                example = diagram.smallest(diagram.of(column & plane.where(condition)))
                before, after = answer(old, example)[0], answer(new, example)[0]
                one = Change(kind, frozenset({role}), frozenset({action}), condition, example, before, after)
                found[kind, condition].append(one)
    changes = tuple(merged for changes in found.values() for merged in _merged(changes))
    return Difference(old, new, changes, dict(counts), tuple(_matrix(old, new)))


def _meaning(rules: RuleSet, role: Role, action: Action | None) -> object:
    """What decides for a role and an action, whatever it is called in the files; equal meanings decide equally."""
    rows = bearing(rules, role, action)
    said = frozenset((row.kind, row.name, row.condition, row.consequence) for row in rows)
    return said, rules.register.in_order({row.name for row in rows if row.kind == "p"})


def _changed(old: RuleSet, new: RuleSet, role: Role, action: Action | None) -> tuple[Plane, dict[Kind, int]]:
    """Where answers of a role and an action change, by the kind of change."""
    rows = bearing(old, role, action), bearing(new, role, action)
    plane = Plane(role, action, asked((*rows[0], *rows[1])))
    before, after = Answers(plane, rows[0], old.register), Answers(plane, rows[1], new.register)
    kept = before.allowed & after.allowed
    columns = {Kind(OPENED): after.allowed ^ kept, Kind(CLOSED): before.allowed ^ kept}
    for (was_allowed, was), there in before.decided.items():
        for (is_allowed, name), here in after.decided.items():
            if was_allowed == is_allowed and was != name:
                columns[Kind(RENAMED, was, name)] = there & here
    for obligation in Obligation:
        owed, owing = before.obliged.get(obligation, 0) & kept, after.obliged.get(obligation, 0) & kept
        columns[Kind(OBLIGED, after=obligation)] = owing ^ (owing & owed)
        columns[Kind(RELEASED, after=obligation)] = owed ^ (owing & owed)
    return plane, {kind: column for kind, column in columns.items() if column}


def _cover(diagram: Diagram, column: int, known: list[tuple[Condition, ...]]) -> tuple[Condition, ...]:
    """Conditions for a column: those that another role or action had, where they say the same here."""
    plane = diagram.plane
    for cover in known:
        if plane.tells(cover) and union(map(plane.where, cover)) == column:
            return tuple(condition for condition in cover if plane.where(condition))
    known.append(tuple(diagram.cover(diagram.of(column))))
    return known[-1]


def _merged(changes: Iterable[Change]) -> Iterator[Change]:
    """The same condition for several roles and actions, told together where each role has all of the actions."""
    by_role: dict[Role, list[Change]] = defaultdict(list)
    for change in changes:
        (role,) = change.roles
        by_role[role].append(change)
    together: dict[frozenset[Action | None], list[Change]] = defaultdict(list)
    for some in by_role.values():
        together[frozenset[Action | None]().union(*(change.actions for change in some))].extend(some)
    for actions, some in together.items():
        roles = frozenset[Role]().union(*(change.roles for change in some))
        plainest = min(some, key=lambda change: len(change.example.facts))
        yield Change(
            plainest.kind,
            roles,
            actions,
            plainest.condition,
            plainest.example,
            plainest.before,
            plainest.after,
        )


def _matrix(old: RuleSet, new: RuleSet) -> Iterator[Opening]:
    """Document types that are newly opened or closed to a profession for which that decides something."""
    for what, more, fewer in ((OPENED, new, old), (CLOSED, old, new)):
        changed = more.habilitations.opened - fewer.habilitations.opened
        for profession in sorted({profession for profession, _ in changed}):
            role = PROFESSION_ROLES[profession]
            if _decides(old, role, Fact.HABILITATED) or _decides(new, role, Fact.HABILITATED):
                types = (code for code in DOCUMENT_TYPES if (profession, code) in changed)
                yield Opening(what, profession, tuple(types))


def _decides(rules: RuleSet, role: Role, fact: Fact) -> bool:
    """Whether the fact decides anything for a role: in some situation the answer is another without it."""
    for action in Action:
        plane, answers = whole(rules, role, action)
        columns = (*answers.decided.values(), *answers.obliged.values())
        if any(plane.turned(fact, column, plane.all ^ column) for column in columns):
            return True
    return False
