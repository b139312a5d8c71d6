"""A dossier as a value: what those who ask about it need to know of the right answers.

The fields say who is tied to the dossier and how, and nothing else ties anybody to it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from loadtests.population.directory import FUND
from loadtests.population.documents import (
    AUTHOR_FUND,
    AUTHOR_HOLDER,
    AUTHOR_HOSPITAL,
    AUTHOR_LABORATORY,
    AUTHOR_PHARMACY,
    AUTHOR_PRACTITIONER,
    TYPES,
)
from loadtests.population.numbering import DEPARTMENT_CODES
from loadtests.population.people import NOBODY, Block
from models.instants import instant_from_integer
from models.vocabulary import SubjectType

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Document:
    """What is so about a document: it is the only version, current, and none expires before October 2027.

    Every type is one that the matrix opens to physicians, nurses and pharmacists. The author is an organization, the
    treating physician or the holder (`person`, with the INS instead of the pseudonym): never a nurse, a specialist or a
    pharmacist, so that a mask hides it from each of these. `withheld` lasts until 2036 and never goes with a mask.
    """

    id: UUID
    document_type: str
    author: tuple[str, str] = field(repr=False)
    created_at: datetime
    masked: bool
    withheld: bool
    hidden_from_representatives: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is so about a dossier, which is open. The first document is not masked.

    With a card and in normal mode:

    - `treating_physician` reads everything, masked or not;
    - `nurses`, and who exercises in one of the `hospitals`, are the care team: if the holder `consents` they read what
      is not masked, and otherwise nothing;
    - `specialist`, and who exercises in the `pharmacy`, were let in: they read what is not masked, consent or not;
    - `blocked` is a specialist and reads nothing, in an emergency neither; `stranger` is one whom nothing ties to the
      dossier: he reads nothing, unless he breaks the glass.

    Who breaks the glass reads what is not masked, or all if `masked_in_emergency`, unless the holder refuses; the same
    holds for a regulator of emergency calls (`Population.regulator`) and his mode. The holder reads what is not
    withheld; a child's `representative` and an adult's `caregiver`, who hold the dossiers with these numbers, read
    neither that nor what is hidden from representatives. `laboratory`, `usual_pharmacy` and `usual_hospital` make
    documents: they are tied to the dossier only where they also stand among those that are.
    """

    number: int
    ins: str = field(repr=False)
    born: date
    department: str
    treating_physician: str | None
    nurses: tuple[str, ...]
    hospitals: tuple[str, ...]
    consents: bool
    specialist: str | None
    pharmacy: str | None
    blocked: str | None
    stranger: str
    representative: int | None
    caregiver: int | None
    laboratory: str
    usual_pharmacy: str
    usual_hospital: str
    refuses_break_glass: bool
    refuses_centre_15: bool
    masked_in_emergency: bool
    documents: tuple[Document, ...]


def dossiers_of(block: Block) -> Iterator[Dossier]:
    """Those of a block, in its order: many together cost hardly more than one."""
    births, documents = block.births, _documents(block)
    rows = zip(
        block.numbers.tolist(),
        births.ins().tolist(),
        births.days().tolist(),
        births.department.tolist(),
        block.practitioner.tolist(),
        block.nurses.tolist(),
        block.hospitals.tolist(),
        block.consents.tolist(),
        block.specialists.tolist(),
        block.granted_pharmacy.tolist(),
        block.is_child.tolist(),
        block.guardian.tolist(),
        block.laboratory.tolist(),
        block.pharmacy.tolist(),
        block.hospital.tolist(),
        block.refuses_break_glass.tolist(),
        block.refuses_centre_15.tolist(),
        block.masked_in_emergency.tolist(),
        strict=True,
    )
    for number, ins, days, department, practitioner, nurses, hospitals, consents, specialists, let_in, *others in rows:
        is_child, guardian, laboratory, pharmacy, hospital, *emergency = others
        specialist, blocked, stranger = map(_rpps, specialists)
        made_by = _Authors(ins.decode(), _rpps(practitioner), _finess(hospital), _finess(laboratory), _finess(pharmacy))
        yield Dossier(
            number=number,
            ins=made_by.holder,
            born=date.fromordinal(_EPOCH + days),
            department=DEPARTMENT_CODES[department],
            treating_physician=made_by.practitioner,
            nurses=tuple(str(each) for each in nurses if each != NOBODY),
            hospitals=tuple(_finess(each) for each in hospitals if each != NOBODY),
            consents=consents,
            specialist=specialist,
            pharmacy=None if let_in == NOBODY else made_by.pharmacy,
            blocked=blocked,
            stranger=stranger or "",
            representative=guardian if is_child and guardian != NOBODY else None,
            caregiver=guardian if not is_child and guardian != NOBODY else None,
            laboratory=made_by.laboratory,
            usual_pharmacy=made_by.pharmacy,
            usual_hospital=made_by.hospital,
            refuses_break_glass=emergency[0],
            refuses_centre_15=emergency[1],
            masked_in_emergency=emergency[2],
            documents=tuple(documents(made_by)),
        )


class _Authors(NamedTuple):
    """Who may have made a document of a dossier."""

    holder: str
    practitioner: str | None
    hospital: str
    laboratory: str
    pharmacy: str

    def named(self) -> Mapping[int, tuple[str, str]]:
        organization = SubjectType.ORGANIZATION.value
        hospital = (organization, self.hospital)
        return {
            AUTHOR_HOSPITAL: hospital,
            AUTHOR_LABORATORY: (organization, self.laboratory),
            AUTHOR_PHARMACY: (organization, self.pharmacy),
            AUTHOR_PRACTITIONER: (SubjectType.PROFESSIONAL.value, self.practitioner) if self.practitioner else hospital,
            AUTHOR_FUND: (organization, FUND),
            AUTHOR_HOLDER: (SubjectType.PERSON.value, self.holder),
        }


def _documents(block: Block) -> Callable[[_Authors], Iterator[Document]]:
    """Gives those of the next dossier of the block, each time that it is called."""
    documents, counts = block.documents, iter(block.documents.counts.tolist())
    rows = zip(
        documents.ids().tolist(),
        documents.types.tolist(),
        documents.authors.tolist(),
        documents.created.tolist(),
        documents.masked.tolist(),
        documents.withheld.tolist(),
        documents.hidden.tolist(),
        strict=True,
    )

    def following(made_by: _Authors) -> Iterator[Document]:
        authors = made_by.named()
        for identity, which, author, created, masked, withheld, hidden in islice(rows, next(counts)):
            yield Document(
                UUID(bytes=identity),
                TYPES[which],
                authors[author],
                instant_from_integer(created),
                masked,
                withheld,
                hidden,
            )

    return following


def _rpps(number: int) -> str | None:
    return None if number == NOBODY else str(number)


def _finess(number: int) -> str:
    return f"{number:09}"
