"""An admission: what is known is read, and the report is deposited, which the treating physician reads at once."""

from loadtests import questions
from loadtests.users.depositing import content, deposit
from loadtests.users.listing import listed
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit, on_behalf_of


class Hospital(Persona):
    """Of a care team to which the patient consents. What it deposits must come back as it was."""

    persona = "hospital"

    @visit(5)
    def admit(self, visit: Visit) -> None:
        dossier, hospital, physician = questions.with_hospital(self.source, self.source.anywhere)
        masked = [document for document in dossier.documents if document.masked]
        listed(visit, dossier, on_behalf_of("professional", physician), hidden=masked)
        deposited, person = content(self.source.random), visit.person(dossier)
        document = deposit(visit, person, on_behalf_of("organization", hospital), "11488-4", deposited)
        visit.send(
            "content",
            "GET",
            f"/v1/documents/{document}/content",
            lambda read: None if read == deposited else "it is not what was deposited",
            read=bytes,
            headers=on_behalf_of("professional", dossier.treating_physician or ""),
        )

    @visit(1)
    def read(self, visit: Visit) -> None:
        visit.ask(questions.hospital_physician(self.source))
