"""What could be taken out of the rules without any difference."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from policy.groups import Groups
from policy.review.answers import union
from policy.review.lint.chapters import Written
from policy.review.lint.findings import Finding, Severity
from policy.review.lint.weights import Region, without_fact
from policy.ruleset import Row, Rule, RuleSet
from policy.words import ACTION_WORDS, NO_ACTION, Fact, Role

_KINDS = {"g": "who", "g2": "action"}


def useless_rows(rules: RuleSet, regions: Sequence[Region]) -> Iterator[Finding]:
    """Rules that never decide, rows without weight, and literals without weight of the other rows."""
    decide = {rule for region in regions for (_, rule), column in region.answers.decided.items() if column}
    concerned = defaultdict[str, list[Region]](list)
    for region in regions:
        for row in region.rows:
            concerned[row.id].append(region)
    idle = set[str]()
    for row in (*rules.rules, *rules.duties):
        if isinstance(row, Rule) and row.name not in decide:
            if row.name not in idle:
                idle.add(row.name)
                rows = [each for each in rules.rules if each.name == row.name]
                yield _finding(row, "idle-rule", f"the rule {row.name} never decides: {_reason(rows, regions)}")
        elif not any(region.weight(row) for region in concerned[row.id]):
            yield _finding(row, "useless-row", f"{row.id} changes nothing: {_reason([row], concerned[row.id])}")
        else:
            yield from _useless_literals(row, concerned[row.id])


def _reason(rows: Sequence[Row], regions: Sequence[Region]) -> str:
    """By what rows are made useless: as few rules or other rows as together count wherever these would."""
    here = [(region.wanted(rows), region.instead(rows)) for region in regions]
    if any(wanted for wanted, _ in here):
        return f"where it would count, {_fewest(here)} does already"
    if not isinstance(rows[0], Rule):
        return "no permission is given where it applies"
    refused = [(region.where(rows), region.answers.refusing) for region in regions]
    return f"where it applies, it is refused by {_fewest(refused)}"


def _fewest(shadows: Sequence[tuple[int, Mapping[str, int]]]) -> str:
    """Names that together cover each column; none of them can be left out."""
    sizes = Counter[str]()
    for wanted, columns in shadows:
        sizes.update({name: (column & wanted).bit_count() for name, column in columns.items()})
    kept = [name for name, size in reversed(sizes.most_common()) if size]
    for name in list(kept):
        fewer = [each for each in kept if each != name]
        if not any(wanted & ~union(columns.get(each, 0) for each in fewer) for wanted, columns in shadows):
            kept = fewer
    return " or ".join(reversed(kept))


def _useless_literals(row: Row, regions: Sequence[Region]) -> Iterator[Finding]:
    for fact in (fact for fact in Fact if fact in row.condition.facts):
        literal = f"!{fact.value}" if fact in row.condition.forbidden else fact.value
        told = False
        for region in regions:
            changed, named = region.gained(row, without_fact(row.condition, fact))
            if changed:
                break
            told = told or bool(named)
        else:
            if told:
                sentence = f"{literal} in {row.id} changes no answer, only which further rules answers name"
                yield _finding(row, "idle-literal", sentence, Severity.INFORMATION)
            else:
                yield _finding(row, "useless-literal", f"{literal} in {row.id} changes nothing")


def _finding(row: Row, code: str, sentence: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(severity, row.file, row.line, code, sentence)


def useless_groups(rules: RuleSet, regions: Sequence[Region], rows: Sequence[Written]) -> Iterator[Finding]:
    """Groups that no rule uses, and members that weigh nothing in the others."""
    for kind, cell in _KINDS.items():
        groups = rules.roles if kind == "g" else rules.actions
        used = _used({getattr(row, cell) for row in (*rules.rules, *rules.duties)}, groups)
        unused = set[str]()
        for row in rows:
            if row.kind != kind:
                continue
            group = row.cells[1]
            if group in used:
                yield from _useless_member(row, cell, rules, regions)
            elif group not in unused:
                unused.add(group)
                yield Finding(Severity.WARNING, row.file, row.line, "unused-group", f"no rule uses the group {group}")


def _used(named: set[str], groups: Groups) -> set[str]:
    """The words and groups named, with all that stand in them."""
    used, before = set(named), 0
    while len(used) != before:
        before = len(used)
        used |= {member for member, group in groups.edges if group in used}
    return used


def _useless_member(row: Written, cell: str, rules: RuleSet, regions: Sequence[Region]) -> Iterator[Finding]:
    member, group = row.cells
    lost = _lost(rules.roles if row.kind == "g" else rules.actions, member, group)
    touched = [(each, lost[name]) for each in (*rules.rules, *rules.duties) if (name := getattr(each, cell)) in lost]
    told = False
    for region in regions:
        word = region.role.value if row.kind == "g" else NO_ACTION if region.action is None else region.action.value
        gone = [each.id for each, words in touched if word in words and each.id in region.answers.applies]
        if gone:
            after = region.without(gone)
            if after.answers.outcome != region.answers.outcome:
                return
            told = told or after.told != region.told
    if told:
        sentence = f"{member} in {group} changes no answer, only which further rules answers name"
        yield Finding(Severity.INFORMATION, row.file, row.line, "idle-member", sentence)
    else:
        yield Finding(Severity.WARNING, row.file, row.line, "useless-member", f"{member} in {group} changes nothing")


def _lost(groups: Groups, member: str, group: str) -> dict[str, frozenset[str]]:
    """The words that each group would lose without one of its members."""
    children = defaultdict[str, list[str]](list)
    for each, parent in groups.edges:
        if (each, parent) != (member, group):
            children[parent].append(each)

    def left(name: str) -> frozenset[str]:
        if name not in groups.members:
            return frozenset({name})
        return frozenset[str]().union(*map(left, children[name]))

    lost = {name: words - left(name) for name, words in groups.members.items()}
    return {name: words for name, words in lost.items() if words}


def unused_words(folder: Path, rules: RuleSet, regions: Sequence[Region]) -> Iterator[Finding]:
    """Words that no rule uses, and actions and roles for which nothing is ever given."""
    place = folder / "rules"
    rows: tuple[Row, ...] = (*rules.rules, *rules.duties)
    asked = {fact for row in rows for fact in row.condition.facts}
    roles = {role for role in Role if any(rules.roles.includes(row.who, role) for row in rows)}
    actions = {word for word in ACTION_WORDS if any(rules.actions.includes(row.action, word) for row in rows)}
    unused = (
        *(f"role {role}" for role in Role if role not in roles),
        *(f"action {word}" for word in ACTION_WORDS if word not in actions),
        *(f"fact {fact}" for fact in Fact if fact not in asked),
    )
    for word in unused:
        yield Finding(Severity.WARNING, place, None, "unused-word", f"no rule uses the {word}")
    yield from _closed(place, regions, roles, actions)


def _closed(place: Path, regions: Sequence[Region], roles: set[Role], actions: set[str]) -> Iterator[Finding]:
    given = [region for region in regions if region.answers.allowed]
    for word in ACTION_WORDS:
        if word in actions - {NO_ACTION} and not any(region.action == word for region in given):
            yield Finding(Severity.WARNING, place, None, "closed-action", f"nobody may {word} in any situation")
    let_in = {region.role for region in regions if not _refused_everywhere(region)}
    for role in Role:
        if role in roles & let_in and role is not Role.UNKNOWN and not any(region.role is role for region in given):
            yield Finding(Severity.INFORMATION, place, None, "closed-role", f"{role} may do nothing in any situation")


def _refused_everywhere(region: Region) -> bool:
    """Whether one rule refuses everything: prohibited parties are kept out so."""
    return region.answers.situations.all in region.answers.refusing.values()
