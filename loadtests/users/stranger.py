"""Whoever has no business here."""

from loadtests import questions
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit


class Stranger(Persona):
    """A physician whom nothing ties to the dossier, or whom the patient blocked."""

    persona = "stranger"

    @visit()
    def read(self, visit: Visit) -> None:
        visit.ask(questions.stranger(self.source))

    @visit()
    def read_although_blocked(self, visit: Visit) -> None:
        visit.ask(questions.blocked(self.source))
