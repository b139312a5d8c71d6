"""From a policy folder to a rule set, or to one clear refusal with file and line.

What is loaded is what is meant: every word is known, every row can apply somewhere, every rule of the register has
rows and every row has its rule. Half a rule set is never given back.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from models.vocabulary import Action, Obligation
from policy.conditions import Condition, read_condition
from policy.errors import PolicyFileError
from policy.groups import Groups, read_groups
from policy.habilitations import read_habilitations
from policy.reasons import ALLOW, EFFECTS, WITHOUT_ROWS, Register, is_slug, read_register
from policy.ruleset import Duty, Rule, RuleSet
from policy.space import can_hold
from policy.text import DISK, Line, Place, Source, read_lines, read_rows, refuse_unknown
from policy.words import ACTION_WORDS, ANY_RULE, NO_ACTION, Role

PACKAGED = Path(__file__).parent
"""The policy that the package carries."""

ARITY = {"p": 5, "p2": 5, "g": 2, "g2": 2}
"""How many cells follow each type of row."""


def load(folder: Path = PACKAGED, source: Source = DISK) -> RuleSet:
    """The rule set of a folder that holds model.conf, reasons.csv, habilitations.csv and rules/*.csv.

    Raises PolicyFileError.
    """
    model = _read_model(folder / "model.conf", source)
    register = read_register(folder / "reasons.csv", source)
    lines = _read_rules(folder / "rules", source)
    roles = read_groups(lines["g"], tuple(Role), "role")
    actions = read_groups(lines["g2"], ACTION_WORDS, "action")
    reader = _Reader(register, roles, actions)
    rules = tuple(reader.rule(place, cells) for place, cells in lines["p"])
    duties = tuple(reader.duty(place, cells) for place, cells in lines["p2"])
    _refuse_missing(folder / "rules", "rule", register.reasons.keys() - WITHOUT_ROWS, {rule.name for rule in rules})
    _refuse_missing(folder / "rules", "obligation", set(Obligation), {duty.name for duty in duties})
    habilitations = read_habilitations(folder / "habilitations.csv", source)
    return RuleSet(model, rules, duties, roles, actions, register, habilitations)


def _read_model(file: Path, source: Source) -> str:
    """Casbin's definitions, which must be those that the engine is written for, up to comments and blanks."""
    expected = [" ".join(text.split()) for _, text in read_lines(PACKAGED / "model.conf")]
    lines = read_lines(file, source)
    found = [" ".join(text.split()) for _, text in lines]
    for (line, _), here, there in zip(lines, found, expected, strict=False):
        if here != there:
            raise PolicyFileError(file, line, f"must be: {there}")
    if len(found) > len(expected):
        raise PolicyFileError(file, lines[len(expected)][0], "is a definition too many")
    if len(found) < len(expected):
        raise PolicyFileError(file, None, f"ends before: {expected[len(found)]}")
    return "\n".join(found)


def _read_rules(folder: Path, source: Source) -> dict[str, list[Line]]:
    """All rows of all chapters, by type."""
    lines: dict[str, list[Line]] = {kind: [] for kind in ARITY}
    for file in _chapters(folder, source):
        for kind, line in read_rows(file, ARITY, source):
            lines[kind].append(line)
    return lines


def _chapters(folder: Path, source: Source) -> list[Path]:
    """The files of the folder; one that would not be read is a refusal lost, so there must be none."""
    try:
        files = source.files(folder)
    except OSError as error:
        raise PolicyFileError(folder, None, f"cannot be read: {error.strerror}") from None
    for file in files:
        if file.suffix != ".csv":
            raise PolicyFileError(file, None, "is not a .csv file, and nothing else may stand beside the rules")
    if not files:
        raise PolicyFileError(folder, None, "holds no .csv file")
    return files


class _Reader:
    """Reads rows of rules and obligations against the register, the groups and the vocabulary."""

    def __init__(self, register: Register, roles: Groups, actions: Groups) -> None:
        self._register = register
        self._roles = roles
        self._actions = actions
        self._ids: dict[str, Place] = {}

    def rule(self, place: Place, cells: list[str]) -> Rule:
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

    def duty(self, place: Place, cells: list[str]) -> Duty:
        row_id, who, action, condition, given_by = cells
        refuse_unknown(*place, "obligation", self._name(place, row_id), tuple(Obligation))
        giving = [rule for rule, reason in self._register.reasons.items() if reason.effect == ALLOW]
        refuse_unknown(*place, "permission of reasons.csv", given_by, (ANY_RULE, *giving))
        meaning = self._bearing(place, who, action, condition)
        return Duty(row_id, who, action, meaning, *place, given_by)

    def _name(self, place: Place, row_id: str) -> str:
        """The rule's or obligation's id, before the slash; no row id may come twice."""
        name, slash, word = row_id.partition("/")
        if slash and not is_slug(word):
            raise PolicyFileError(*place, f"{row_id!r} is no row id: <rule> or <rule>/<word>")
        if row_id in self._ids:
            file, line = self._ids[row_id]
            raise PolicyFileError(*place, f"the row id {row_id} stands already in {file.name}, line {line}")
        self._ids[row_id] = place
        return name

    def _bearing(self, place: Place, who: str, action: str, text: str) -> Condition:
        """The condition, once it is sure that the row can apply to somebody and something."""
        refuse_unknown(*place, "role or group of roles", who, (*Role, *self._roles.members))
        refuse_unknown(*place, "action or group of actions", action, (*ACTION_WORDS, *self._actions.members))
        condition = read_condition(place, text)
        roles = [role for role in Role if self._roles.includes(who, role)]
        actions = [word for word in ACTION_WORDS if self._actions.includes(action, word)]
        if not any(
            can_hold(role, None if word == NO_ACTION else Action(word), condition.needs, condition.bars)
            for role in roles
            for word in actions
        ):
            _refuse_idle(place, who, action, condition)
        return condition


def _refuse_idle(place: Place, who: str, action: str, condition: Condition) -> NoReturn:
    raise PolicyFileError(*place, f"can never apply: {who}, {action} and {condition.text} do not meet")


def _refuse_missing(folder: Path, what: str, expected: Iterable[str], found: set[str]) -> None:
    for name in sorted(expected):
        if name not in found:
            raise PolicyFileError(folder, None, f"no row for the {what} {name}")
