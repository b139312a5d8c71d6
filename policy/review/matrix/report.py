"""The matrix as a report: for people, for machines, as a table, as a page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from models.vocabulary import Action, Mode
from policy.engine import Engine
from policy.review.matrix.content import Content, gather
from policy.review.matrix.page import page
from policy.review.matrix.table import records, spreadsheet
from policy.review.matrix.text import lines


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who may do what with documents. It shows what is so and judges nothing, so it always passes."""

    content: Content

    @property
    def passed(self) -> bool:
        return True

    def lines(self) -> Iterator[str]:
        return lines(self.content)

    def data(self) -> dict[str, Any]:
        return {
            "revision": self.content.revision,
            "action": self.content.action.value,
            "cells": list(records(self.content)),
            "circumstances": [
                {
                    "persona": each.persona.key,
                    "mode": each.persona.mode.value,
                    "circumstance": circumstance,
                    "answer": "yes" if decision.allowed else "no",
                    "rule": decision.rule,
                }
                for each in self.content.changes
                for circumstance, decision in each.decisions.items()
            ],
            "habilitations": dict(sorted(self.content.statuses.items())),
        }

    def csv(self) -> str:
        """One line for each mode, asker and category, below a header."""
        return spreadsheet(self.content)

    def html(self) -> str:
        """One page that needs nothing else."""
        return page(self.content)


def matrix_of(engine: Engine, action: Action = Action.DOCUMENT_READ, modes: Iterable[Mode] = tuple(Mode)) -> Matrix:
    """The matrix of an engine's rules, for an action on documents."""
    return Matrix(gather(engine, action, modes))
