"""At the counter: is there a record, what was handed out enters it, and some patients let him read."""

from loadtests import questions
from loadtests.population import Dossier
from loadtests.users.depositing import content, deposit
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Headers, Visit, on_behalf_of


class Pharmacist(Persona):
    """Of the pharmacy where the patient goes: may deposit, and read only if it was let in."""

    persona = "pharmacist"

    @visit(2)
    def hand_out(self, visit: Visit) -> None:
        dossier = self.source.anywhere()
        headers = self._on_behalf_of_one(dossier)
        deposit(visit, visit.person(dossier), headers, "DISP_AUT", content(self.source.random))

    @visit(1)
    def ask_whether_there_is_a_record(self, visit: Visit) -> None:
        dossier = self.source.read()
        person = visit.person(dossier)

        def check(answer: dict[str, list[bool]]) -> str | None:
            return None if answer["exist"] == [True] else "a record that is open is said not to be there"

        visit.exchange(
            "record exists",
            "POST",
            "/v1/dossiers/exist",
            check,
            body={"persons": [person]},
            headers=self._on_behalf_of_one(dossier),
        )

    @visit(1)
    def read(self, visit: Visit) -> None:
        visit.ask(questions.pharmacist(self.source))

    def _on_behalf_of_one(self, dossier: Dossier) -> Headers:
        which = self.source.random.randrange(1_000)
        return on_behalf_of("professional", self.source.population.pharmacist(dossier.usual_pharmacy, which))
