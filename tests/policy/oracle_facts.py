"""The words of the rules' first section, computed from the facts for the oracle, one function for each."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from models.facts import Case, Document, Organization, Person, Professional, Relation, Staff
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.reference import document_type, profession

PARIS = ZoneInfo("Europe/Paris")
MATRIX_FILE = Path(__file__).parents[2] / "policy" / "habilitations.csv"

Matrix = Mapping[tuple[str, str], str]
"""Profession and scope (a document type or a category), to `allow` or `deny`; only the rows that count."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row of the tables is read on."""

    case: Case
    matrix: Matrix

    @property
    def action(self) -> str:
        return self.case.question.action

    @property
    def mode(self) -> str:
        return self.case.question.context.mode


def read_matrix(path: Path = MATRIX_FILE) -> Matrix:
    """The habilitation matrix; `suspended` rows do not count."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] != "suspended"]
    return {(row["profession"], row["scope"]): row["effect"] for row in rows}


def is_unknown_subject(case: Case) -> bool:
    """A subject that the directory (for a person: the dossier) does not know.

    Read as: a professional is known by a profession, so one of a profession that nobody knows is not known.
    """
    if case.subject is None:
        return True
    if isinstance(case.subject, Professional):
        return profession(case.subject.profession) is None
    if isinstance(case.subject, Person):
        return not (is_holder(case) or is_legal_representative(case) or is_caregiver(case))
    return False


def pseudonym_of_dossier(case: Case) -> UUID | None:
    """The holder's pseudonym, whether or not the dossier was opened."""
    if case.dossier is not None:
        return case.dossier.id
    if case.question.resource.type != "dossier":
        return None
    try:
        return parse_pseudonym(case.question.resource.id)
    except InvalidIdentifierError:
        return None


def state(case: Case) -> str:
    """Open, closed, suspended or none."""
    return "none" if case.dossier is None else case.dossier.state


def is_holder(case: Case) -> bool:
    """The person whose pseudonym is the dossier's id, whether or not the dossier was opened."""
    return isinstance(case.subject, Person) and case.subject.id == pseudonym_of_dossier(case)


def is_legal_representative(case: Case) -> bool:
    """A legal representation counts only while the holder is minor or protected."""
    return has_representation(case, "legal_representative") and (is_minor(case) or is_protected(case))


def is_caregiver(case: Case) -> bool:
    """An aidant of the holder."""
    return has_representation(case, "caregiver")


def has_representation(case: Case, kind: str) -> bool:
    """An expired representation does not exist."""
    if not isinstance(case.subject, Person):
        return False
    for representation in case.representations:
        in_force = representation.until is None or case.question.at < representation.until
        if representation.person == case.subject.id and representation.kind == kind and in_force:
            return True
    return False


def is_minor(case: Case) -> bool:
    """Under 18 on the day, from `born`. Read as: the day in France; without a date of birth, of age."""
    if case.dossier is None or case.dossier.born is None:
        return False
    born = case.dossier.born
    try:
        coming_of_age = born.replace(year=born.year + 18)
    except ValueError:
        # Born on 29 February. Read as: of age on 1 March, the first day by which eighteen years are complete.
        coming_of_age = date(born.year + 18, 3, 1)
    return case.question.at.astimezone(PARIS).date() < coming_of_age


def is_protected(case: Case) -> bool:
    """A protected holder."""
    return case.dossier is not None and case.dossier.protected


def is_health_professional(case: Case) -> bool:
    """A health professional, not a social one."""
    if not isinstance(case.subject, Professional):
        return False
    known = profession(case.subject.profession)
    return known is not None and known.kind == "health"


def is_physician(case: Case) -> bool:
    """A professional whose profession is physician."""
    return isinstance(case.subject, Professional) and case.subject.profession == "physician"


def is_organization(case: Case, *kinds: str) -> bool:
    """An organization of one of these kinds, itself and not its staff."""
    return isinstance(case.subject, Organization) and case.subject.kind in kinds


def is_staff(case: Case, *kinds: str) -> bool:
    """Staff of an organization of one of these kinds."""
    return isinstance(case.subject, Staff) and case.subject.organization.kind in kinds


def is_prohibited_party(case: Case) -> bool:
    """Complementary insurers, employers, banks and their staff."""
    prohibited = ("complementary_insurer", "employer", "bank")
    return is_organization(case, *prohibited) or is_staff(case, *prohibited)


def has_relation(case: Case, kind: str, party_type: str, party: str) -> bool:
    """A relation counts from `since` (included) to `until` (excluded); outside it does not exist."""
    for relation in case.relations:
        held = relation.party.type == party_type and relation.party.id == party
        if held and relation.kind == kind and counts(relation, case.question.at):
            return True
    return False


def counts(relation: Relation, at: datetime) -> bool:
    """Between `since` (included) and `until` (excluded)."""
    if relation.since is not None and at < relation.since:
        return False
    return relation.until is None or at < relation.until


def is_treating_physician(case: Case) -> bool:
    """The relation counts only for a professional whose profession is physician; an organization cannot hold it."""
    if not isinstance(case.subject, Professional):
        return False
    return is_physician(case) and has_relation(case, "treating_physician", "professional", case.subject.rpps)


def is_served_by(case: Case, kind: str) -> bool:
    """`care_team` or `granted`, his own or through an organization that is not itself blocked on that dossier."""
    if not isinstance(case.subject, Professional):
        return False
    if has_relation(case, kind, "professional", case.subject.rpps):
        return True
    for organization in case.subject.organizations:
        blocked_itself = has_relation(case, "blocked", "organization", organization)
        if has_relation(case, kind, "organization", organization) and not blocked_itself:
            return True
    return False


def is_author(case: Case) -> bool:
    """A document is *own* to the very subject that is its author, and to no one else."""
    if case.document is None:
        return False
    author = case.document.author
    if isinstance(case.subject, Person):
        return author.type == "person" and author.id == str(case.subject.id)
    if isinstance(case.subject, Professional):
        return author.type == "professional" and author.id == case.subject.rpps
    if isinstance(case.subject, Organization):
        return author.type == "organization" and author.id == case.subject.id
    return False


def is_withheld(case: Case) -> bool:
    """`withheld_until` is in the future."""
    if case.document is None or case.document.withheld_until is None:
        return False
    return case.question.at < case.document.withheld_until


def is_habilitated(asked: Asked, document: Document) -> bool:
    """The row of the exact document type decides, else the row of its category, else no."""
    subject = asked.case.subject
    if not isinstance(subject, Professional):
        return False
    by_type = asked.matrix.get((subject.profession, document.document_type))
    if by_type is not None:
        return by_type == "allow"
    category = category_of(document.document_type)
    if category is None:
        return False
    return asked.matrix.get((subject.profession, category)) == "allow"


def category_of(code: str | None) -> str | None:
    """The category of a document type; a type that the reference does not name has none."""
    known = document_type(code) if code is not None else None
    return None if known is None else known.category


def is_emergency(asked: Asked) -> bool:
    """The two emergency modes."""
    return asked.mode in ("break_glass", "centre_15")


def masked_in_emergency(case: Case) -> bool:
    """False unless the holder permits; forced false when both emergency modes are refused."""
    if case.dossier is None:
        return False
    if case.dossier.refuses_break_glass and case.dossier.refuses_centre_15:
        return False
    return case.dossier.masked_in_emergency


Row = Callable[[Asked], bool]
"""One row of the tables of §4: whether it refuses, or gives, what is asked."""
