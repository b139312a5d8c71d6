"""A nurse's round: of each patient she sees what the care team may see."""

from loadtests import questions
from loadtests.users.listing import listed
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit, on_behalf_of


class Nurse(Persona):
    """Of care teams to which some of the patients consent."""

    persona = "nurse"

    @visit(8)
    def read(self, visit: Visit) -> None:
        visit.ask(questions.nurse(self.source))

    @visit(2)
    def look(self, visit: Visit) -> None:
        dossier, rpps = questions.with_nurse(self.source)
        masked = [document for document in dossier.documents if document.masked]
        listed(visit, dossier, on_behalf_of("professional", rpps), hidden=masked)

    @visit(1)
    def without_consent(self, visit: Visit) -> None:
        visit.ask(questions.nurse_without_consent(self.source))
