"""A physician's day: his software polls the list of his patients, he opens records, and it asks for each document."""

from loadtests import questions
from loadtests.profile import VISITS
from loadtests.users.listing import listed, patients_listed
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit, on_behalf_of

_BATCH = int(VISITS["decisions of a batch"].value)


class TreatingPhysician(Persona):
    """Reads whatever there is, masked or not, as long as he has shown his card."""

    persona = "treating physician"

    @visit(1)
    def begin_the_day(self, visit: Visit) -> None:
        """His software asks again and again which dossiers are open to him."""
        dossier, rpps = questions.with_treating_physician(self.source)
        patients_listed(visit, rpps, dossier, questions.without_tie(self.source, rpps))

    @visit(4)
    def look(self, visit: Visit) -> None:
        dossier, rpps = questions.with_treating_physician(self.source)
        listed(visit, dossier, on_behalf_of("professional", rpps), hidden=())

    @visit(12)
    def read(self, visit: Visit) -> None:
        visit.ask(questions.treating_physician(self.source))

    @visit(1)
    def without_card(self, visit: Visit) -> None:
        visit.ask(questions.treating_physician_without_card(self.source))

    @visit(2)
    def ask_for_all(self, visit: Visit) -> None:
        """Decisions in a batch, all about one dossier."""
        asked = questions.of_one_dossier(self.source, _BATCH)
        expected = [each.expected for each in asked]

        def check(answer: dict[str, list[dict[str, bool]]]) -> str | None:
            given = [each["decision"] for each in answer["evaluations"]]
            return None if given == expected else "a decision of the batch is not what it must be"

        visit.exchange("batch", "POST", "/access/v1/evaluations", check, body=questions.batch(asked))
