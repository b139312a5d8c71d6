"""Emergencies: the SAMU's physician who regulates, and the one who breaks the glass."""

from loadtests import questions
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit


class Regulator(Persona):
    """What an emergency opens, and what it does not."""

    persona = "SAMU regulator"

    @visit(4)
    def regulate(self, visit: Visit) -> None:
        visit.ask(questions.regulator(self.source))

    @visit(1)
    def claim_to_regulate(self, visit: Visit) -> None:
        visit.ask(questions.regulator_who_is_none(self.source))

    @visit(2)
    def break_glass(self, visit: Visit) -> None:
        visit.ask(questions.break_glass(self.source))

    @visit(1)
    def break_glass_although_blocked(self, visit: Visit) -> None:
        visit.ask(questions.break_glass_although_blocked(self.source))

    @visit(1)
    def break_glass_without_reason(self, visit: Visit) -> None:
        visit.ask(questions.break_glass_without_reason(self.source))
