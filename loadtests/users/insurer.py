"""A complementary insurer tries."""

from loadtests import questions
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit


class Insurer(Persona):
    """The law refuses it everything."""

    persona = "insurer"

    @visit()
    def read(self, visit: Visit) -> None:
        visit.ask(questions.insurer(self.source))
