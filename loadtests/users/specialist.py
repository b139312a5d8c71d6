"""A specialist whom the patient let in."""

from loadtests import questions
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit


class Specialist(Persona):
    """Reads what is not masked."""

    persona = "specialist"

    @visit()
    def read(self, visit: Visit) -> None:
        visit.ask(questions.specialist(self.source))
