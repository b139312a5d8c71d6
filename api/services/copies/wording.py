"""The words of a copy, in French: what the page and the print say of a record and of its documents."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from api.schemas.exports import ExportedDocument
from models.facts import Reference
from models.reference import PROFESSIONS
from models.vocabulary import DocumentStatus, DossierState, RelationKind, RepresentationKind, Space, SubjectType

PARIS = ZoneInfo("Europe/Paris")
_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905  # twelve words read better so
)
_NO_BREAK = "\u00a0"

SPACES: Mapping[Space, str] = {
    Space.REPORTS: "Comptes rendus",
    Space.IMAGING: "Imagerie",
    Space.SUMMARIES: "Synthèses",
    Space.TREATMENTS: "Traitements",
    Space.ANALYSES: "Analyses",
    Space.PREVENTION: "Prévention",
    Space.CERTIFICATES: "Certificats",
    Space.REIMBURSEMENTS: "Historique de remboursement",
    Space.PERSONAL: "Espace personnel",
}
STATES: Mapping[DossierState, str] = {
    DossierState.OPEN: "ouvert",
    DossierState.CLOSED: "fermé",
    DossierState.SUSPENDED: "suspendu",
    DossierState.NONE: "inexistant",
}
RELATIONS: Mapping[RelationKind, str] = {
    RelationKind.TREATING_PHYSICIAN: "médecin traitant",
    RelationKind.CARE_TEAM: "équipe de soins",
    RelationKind.GRANTED: "accès accordé",
    RelationKind.BLOCKED: "accès bloqué",
}
REPRESENTATIONS: Mapping[RepresentationKind, str] = {
    RepresentationKind.LEGAL_REPRESENTATIVE: "représentation légale",
    RepresentationKind.CAREGIVER: "personne aidante",
}
_STATUSES: Mapping[str, str] = {
    DocumentStatus.SUPERSEDED.value: "remplacé par une version plus récente",
    DocumentStatus.ARCHIVED.value: "archivé",
}
_UNITS = ("octets", "Kio", "Mio", "Gio")
_STEP = 1024


def day(instant: date | datetime) -> str:
    """A date as it is written out, in Paris if it is an instant."""
    local = instant.astimezone(PARIS) if isinstance(instant, datetime) else instant
    first = "1er" if local.day == 1 else str(local.day)
    return f"{first}{_NO_BREAK}{_MONTHS[local.month - 1]}{_NO_BREAK}{local.year}"


def short_day(instant: datetime) -> str:
    """The date of an instant in Paris, in figures."""
    return f"{instant.astimezone(PARIS):%d/%m/%Y}"


def moment(instant: datetime) -> str:
    """A date and a time of day in Paris."""
    local = instant.astimezone(PARIS)
    return f"{day(instant)} à {local.hour}{_NO_BREAK}h{_NO_BREAK}{local.minute:02}"


def iso(instant: datetime) -> str:
    """An instant for machines."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def size(number: int) -> str:
    """So many bytes, in the unit that people read."""
    amount, unit = float(number), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    told = f"{amount:.1f}".replace(".", ",") if unit else str(number)
    return f"{told}{_NO_BREAK}{'octet' if number in {0, 1} else _UNITS[unit]}"


def count(number: int, one: str, several: str) -> str:
    """A number of things; zero takes the singular."""
    return f"{number}{_NO_BREAK}{one if number in {0, 1} else several}"


def marks(document: ExportedDocument) -> list[str]:
    """What is to be known of a document beside its title: in force or not, past, contested, masked, absent."""
    kept = document.contest is not None and document.contest.kept
    told = {
        "en vigueur": document.in_force is True,
        "n’est pas en vigueur": document.in_force is False,
        _STATUSES.get(document.status, ""): document.status in _STATUSES,
        "contesté": document.contested and not kept,
        "contesté, puis maintenu": document.contested and kept,
        "masqué aux professionnels de santé": document.masked,
        "caché aux personnes qui représentent ou qui aident": document.hidden_from_representatives,
        "ne s’ouvre pas": not document.opens,
        "sans fichier": document.opens and document.path is None,
    }
    return [mark for mark, holds in told.items() if holds]


class Directory:
    """Whom numbers stand for, as far as the directory says: professions by RPPS, names by FINESS."""

    def __init__(self, holder: str, professions: Mapping[str, str], organizations: Mapping[str, str]) -> None:
        self._holder = holder
        self._professions = professions
        self._organizations = organizations

    def told(self, party: Reference) -> str:
        """A professional, an organization or a person in words."""
        match party.type:
            case SubjectType.PROFESSIONAL:
                profession = PROFESSIONS.get(self._professions.get(party.id, ""))
                kind = profession.label_fr if profession else "Professionnel"
                return f"{kind}, RPPS{_NO_BREAK}{party.id}"
            case SubjectType.ORGANIZATION:
                name = self._organizations.get(party.id, "Structure")
                return f"{name}, n°{_NO_BREAK}{party.id}"
        return "Titulaire du dossier" if party.id == self._holder else "Personne qui représente ou qui aide"


def by_space(documents: Collection[ExportedDocument]) -> dict[Space, list[ExportedDocument]]:
    """The spaces that hold something, in the order in which a dossier shows them."""
    spaces: dict[Space, list[ExportedDocument]] = {space: [] for space in Space}
    for document in documents:
        spaces[Space(document.space)].append(document)
    return {space: held for space, held in spaces.items() if held}
