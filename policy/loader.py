"""From a policy folder to a rule set, or to one clear refusal with file and line.

What is loaded is what is meant: every word is known, every row can apply somewhere, every rule of the register has
rows and every row has its rule. Half a rule set is never given back.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from models.vocabulary import Action, Obligation
from policy.errors import PolicyFileError
from policy.habilitations import read_habilitations
from policy.reasons import ALLOW, EFFECTS, WITHOUT_ROWS, Register, is_slug, read_register
from policy.ruleset import ALWAYS, ANY_RULE, Condition, Duty, Groups, Rule, RuleSet
from policy.space import can_hold
from policy.text import read_lines, refuse_unknown, split_row
from policy.words import ACTION_WORDS, FACTS, NO_ACTION, Fact, Role

PACKAGED = Path(__file__).parent
"""The policy that the package carries."""

_ARITY = {"p": 5, "p2": 5, "g": 2, "g2": 2}
_DEEPEST = 9  # Casbin's role manager denies without a word beyond 10
_RESERVED = frozenset({*Role, *ACTION_WORDS, *Fact, ALWAYS, ANY_RULE})

_Place = tuple[Path, int]
_Line = tuple[_Place, list[str]]


def load(folder: Path = PACKAGED) -> RuleSet:
    """The rule set of a folder that holds model.conf, reasons.csv, habilitations.csv and rules/*.csv.

    Raises PolicyFileError.
    """
    model = _read_model(folder / "model.conf")
    register = read_register(folder / "reasons.csv")
    lines = _read_rules(folder / "rules")
    roles = _groups(lines["g"], tuple(Role), "role")
    actions = _groups(lines["g2"], ACTION_WORDS, "action")
    reader = _Reader(register, roles, actions)
    rules = tuple(reader.rule(place, cells) for place, cells in lines["p"])
    duties = tuple(reader.duty(place, cells) for place, cells in lines["p2"])
    _refuse_missing(folder / "rules", "rule", register.reasons.keys() - WITHOUT_ROWS, {rule.name for rule in rules})
    _refuse_missing(folder / "rules", "obligation", set(Obligation), {duty.name for duty in duties})
    habilitations = read_habilitations(folder / "habilitations.csv")
    return RuleSet(model, rules, duties, roles, actions, register, habilitations)


def _read_model(file: Path) -> str:
    """Casbin's definitions, which must be those that the engine is written for, up to comments and blanks."""
    expected = [" ".join(text.split()) for _, text in read_lines(PACKAGED / "model.conf")]
    lines = read_lines(file)
    found = [" ".join(text.split()) for _, text in lines]
    for (line, _), here, there in zip(lines, found, expected, strict=False):
        if here != there:
            raise PolicyFileError(file, line, f"must be: {there}")
    if len(found) > len(expected):
        raise PolicyFileError(file, lines[len(expected)][0], "is a definition too many")
    if len(found) < len(expected):
        raise PolicyFileError(file, None, f"ends before: {expected[len(found)]}")
    return "\n".join(found)


def _read_rules(folder: Path) -> dict[str, list[_Line]]:
    """All rows of all chapters, by type."""
    lines: dict[str, list[_Line]] = {kind: [] for kind in _ARITY}
    for file in _chapters(folder):
        for line, text in read_lines(file):
            kind, *cells = split_row(file, line, text)
            refuse_unknown(file, line, "type of row", kind, _ARITY)
            if len(cells) != _ARITY[kind]:
                raise PolicyFileError(file, line, f"has {len(cells)} cells behind {kind}, not {_ARITY[kind]}")
            if "" in cells:
                raise PolicyFileError(file, line, f"cell {cells.index('') + 1} behind {kind} is empty")
            lines[kind].append(((file, line), cells))
    return lines


def _chapters(folder: Path) -> list[Path]:
    """The files of the folder; one that would not be read is a refusal lost, so there must be none."""
    try:
        files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise PolicyFileError(folder, None, f"cannot be read: {error.strerror}") from None
    for file in files:
        if file.suffix != ".csv" or not file.is_file():
            raise PolicyFileError(file, None, "is not a .csv file, and nothing else may stand beside the rules")
    if not files:
        raise PolicyFileError(folder, None, "holds no .csv file")
    return files


def _groups(lines: list[_Line], words: tuple[str, ...], what: str) -> Groups:
    """The groups of roles or of actions: no unknown member, no cycle, no name that means something else."""
    places = {(member, group): place for place, (member, group) in reversed(lines)}
    parents = dict.fromkeys(group for _, (_, group) in lines)
    for place, (member, group) in lines:
        if places[member, group] != place:
            raise PolicyFileError(*place, f"{member} is in {group} already on line {places[member, group][1]}")
        if group in _RESERVED or not group.replace("_", "").isalnum() or group != group.lower():
            raise PolicyFileError(*place, f"{group!r} cannot name a group")
        refuse_unknown(*place, f"{what} or group of {what}s", member, (*words, *parents))
    children = {group: [member for member, parent in places if parent == group] for group in parents}

    def members(name: str, above: tuple[str, ...]) -> frozenset[str]:
        if name in words:
            return frozenset({name})
        if name in above or len(above) >= _DEEPEST:
            fault = "contains itself" if name in above else f"is nested more than {_DEEPEST} groups deep"
            raise PolicyFileError(*places[name, above[-1]], f"the group {name} {fault}")
        return frozenset[str]().union(*(members(child, (*above, name)) for child in children[name]))

    return Groups(tuple(sorted(places)), {group: members(group, ()) for group in parents})


class _Reader:
    """Reads rows of rules and obligations against the register, the groups and the vocabulary."""

    def __init__(self, register: Register, roles: Groups, actions: Groups) -> None:
        self._register = register
        self._roles = roles
        self._actions = actions
        self._ids: dict[str, _Place] = {}

    def rule(self, place: _Place, cells: list[str]) -> Rule:
        row_id, who, action, condition, effect = cells
        name = self._name(place, row_id)
        if name in WITHOUT_ROWS:
            raise PolicyFileError(*place, f"{name} decides where no row does: it has none")
        refuse_unknown(*place, "rule of reasons.csv", name, self._register.reasons)
        refuse_unknown(*place, "effect", effect, EFFECTS)
        if effect != (registered := self._register.reasons[name].effect):
            raise PolicyFileError(*place, f"{name} is registered in reasons.csv with the effect {registered}")
        meaning = self._bearing(place, who, action, condition)
        return Rule(row_id, who, action, meaning, *place, effect)

    def duty(self, place: _Place, cells: list[str]) -> Duty:
        row_id, who, action, condition, given_by = cells
        refuse_unknown(*place, "obligation", self._name(place, row_id), tuple(Obligation))
        giving = [rule for rule, reason in self._register.reasons.items() if reason.effect == ALLOW]
        refuse_unknown(*place, "permission of reasons.csv", given_by, (ANY_RULE, *giving))
        meaning = self._bearing(place, who, action, condition)
        return Duty(row_id, who, action, meaning, *place, given_by)

    def _name(self, place: _Place, row_id: str) -> str:
        """The rule's or obligation's id, before the slash; no row id may come twice."""
        name, slash, word = row_id.partition("/")
        if slash and not is_slug(word):
            raise PolicyFileError(*place, f"{row_id!r} is no row id: <rule> or <rule>/<word>")
        if row_id in self._ids:
            file, line = self._ids[row_id]
            raise PolicyFileError(*place, f"the row id {row_id} stands already in {file.name}, line {line}")
        self._ids[row_id] = place
        return name

    def _bearing(self, place: _Place, who: str, action: str, text: str) -> Condition:
        """The condition, once it is sure that the row can apply to somebody and something."""
        refuse_unknown(*place, "role or group of roles", who, (*Role, *self._roles.members))
        refuse_unknown(*place, "action or group of actions", action, (*ACTION_WORDS, *self._actions.members))
        condition = _condition(place, text)
        roles = [role for role in Role if self._roles.includes(who, role)]
        actions = [word for word in ACTION_WORDS if self._actions.includes(action, word)]
        if not any(
            can_hold(role, None if word == NO_ACTION else Action(word), condition.needs, condition.bars)
            for role in roles
            for word in actions
        ):
            _refuse_idle(place, who, action, condition)
        return condition


def _condition(place: _Place, text: str) -> Condition:
    if text == ALWAYS:
        return Condition(frozenset(), frozenset())
    required: set[Fact] = set()
    forbidden: set[Fact] = set()
    for literal in (part.strip() for part in text.split("&")):
        word = literal.removeprefix("!")
        refuse_unknown(*place, "fact", word, Fact)
        fact = FACTS[word]
        if fact in required or fact in forbidden:
            raise PolicyFileError(*place, f"{word} stands twice in the condition")
        (forbidden if literal.startswith("!") else required).add(fact)
    return Condition(frozenset(required), frozenset(forbidden))


def _refuse_idle(place: _Place, who: str, action: str, condition: Condition) -> NoReturn:
    raise PolicyFileError(*place, f"can never apply: {who}, {action} and {condition.text} do not meet")


def _refuse_missing(folder: Path, what: str, expected: Iterable[str], found: set[str]) -> None:
    for name in sorted(expected):
        if name not in found:
            raise PolicyFileError(folder, None, f"no row for the {what} {name}")
