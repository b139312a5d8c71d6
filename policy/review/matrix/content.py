"""What the matrix says, whatever the form in which it is shown."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.vocabulary import Action, Mode
from policy.engine import Engine
from policy.reasons import Register
from policy.review.matrix.cells import SUSPENDED, Row, rows
from policy.review.matrix.circumstances import Changes, changes


@dataclass(frozen=True, slots=True)
class Content:
    """Everybody in each mode, what changes the answer, and what all of it rests on."""

    revision: str
    action: Action
    tables: Mapping[Mode, tuple[Row, ...]]
    changes: tuple[Changes, ...]
    register: Register
    statuses: Mapping[str, int]
    suspended: tuple[tuple[str, str], ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that decide something here, in order of precedence."""
        cells = (cell for table in self.tables.values() for row in table for cell in row.cells.values())
        rulings = {ruling.rule for cell in cells for ruling in cell.rulings}
        decisions = {decision.rule for each in self.changes for decision in each.decisions.values()}
        return self.register.in_order(rulings | decisions)


def gather(engine: Engine, action: Action, modes: Iterable[Mode]) -> Content:
    """Ask the engine everything. The action is one on documents."""
    asked = tuple(modes)
    matrix = engine.rules.habilitations.rows
    return Content(
        engine.revision,
        action,
        {mode: rows(engine, action, mode) for mode in asked},
        changes(engine, action, asked),
        engine.register,
        Counter(status for *_, status in matrix),
        tuple((profession, scope) for profession, scope, _, status in matrix if status == SUSPENDED),
    )
