"""Software that greys out its buttons."""

from loadtests import questions
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit


class WhatIf(Persona):
    """Asks on behalf of anybody, and leaves no trace."""

    persona = "what-if"

    @visit()
    def ask(self, visit: Visit) -> None:
        visit.ask(questions.anybody(self.source), dry_run=True)
