"""The patient looks at what is in his record, and at who did; or his caregiver looks for him."""

from uuid import uuid4

from loadtests import questions
from loadtests.checks import wrong_trace
from loadtests.users.listing import listed
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit, on_behalf_of


class Patient(Persona):
    """Sees everything that is not withheld from him, and in the journal that he has just looked."""

    persona = "patient"

    @visit(9)
    def look(self, visit: Visit) -> None:
        dossier = self.source.read()
        person = visit.person(dossier)
        headers = dict(on_behalf_of("person", person))
        listed(visit, dossier, headers, hidden=[document for document in dossier.documents if document.withheld])
        request = str(uuid4())
        visit.exchange(
            "journal",
            "GET",
            f"/v1/dossiers/{person}/journal",
            lambda trace: wrong_trace(trace, request),
            headers=headers | {"X-Request-ID": request},
        )

    @visit(1)
    def have_it_looked_at(self, visit: Visit) -> None:
        """By a caregiver, who does not see what is hidden from him either."""
        dossier, number = questions.with_caregiver(self.source)
        caregiver = visit.person(self.source.population.dossier(number))
        hidden = [each for each in dossier.documents if each.withheld or each.hidden_from_representatives]
        listed(visit, dossier, on_behalf_of("person", caregiver), hidden=hidden)
