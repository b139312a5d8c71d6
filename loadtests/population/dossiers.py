"""A dossier as a value: what those who ask about it need to know of the right answers.

The fields say who is tied to the dossier and how, and nothing else ties anybody to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
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
from loadtests.population.draws import Numbers
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


def first_dossier(block: Block) -> Dossier:
    """The first of a block."""
    births = block.births
    specialist, blocked, stranger = map(_rpps, block.specialists[0].tolist())
    guardian = int(block.guardian[0])
    return Dossier(
        number=int(block.numbers[0]),
        ins=births.ins()[0].decode(),
        born=date.fromordinal(_EPOCH + int(births.days()[0])),
        department=DEPARTMENT_CODES[int(births.department[0])],
        treating_physician=_rpps(int(block.practitioner[0])),
        nurses=tuple(str(each) for each in block.nurses[0].tolist() if each != NOBODY),
        hospitals=tuple(f"{each:09}" for each in block.hospitals[0].tolist() if each != NOBODY),
        consents=bool(block.consents[0]),
        specialist=specialist,
        pharmacy=None if block.granted_pharmacy[0] == NOBODY else _finess(block.pharmacy),
        blocked=blocked,
        stranger=stranger or "",
        representative=guardian if block.is_child[0] and guardian != NOBODY else None,
        caregiver=guardian if not block.is_child[0] and guardian != NOBODY else None,
        laboratory=_finess(block.laboratory),
        usual_pharmacy=_finess(block.pharmacy),
        usual_hospital=_finess(block.hospital),
        refuses_break_glass=bool(block.refuses_break_glass[0]),
        refuses_centre_15=bool(block.refuses_centre_15[0]),
        masked_in_emergency=bool(block.masked_in_emergency[0]),
        documents=tuple(_documents(block)),
    )


def _documents(block: Block) -> Iterator[Document]:
    documents, authors = block.documents, _authors(block)
    columns = (
        documents.ids().tolist(),
        documents.types.tolist(),
        documents.authors.tolist(),
        documents.created.tolist(),
        documents.masked.tolist(),
        documents.withheld.tolist(),
        documents.hidden.tolist(),
    )
    for identity, which, author, created, masked, withheld, hidden in zip(*columns, strict=True):
        yield Document(
            UUID(bytes=identity), TYPES[which], authors[author], instant_from_integer(created), masked, withheld, hidden
        )


def _authors(block: Block) -> dict[int, tuple[str, str]]:
    hospital = (SubjectType.ORGANIZATION.value, _finess(block.hospital))
    practitioner = _rpps(int(block.practitioner[0]))
    return {
        AUTHOR_HOSPITAL: hospital,
        AUTHOR_LABORATORY: (SubjectType.ORGANIZATION.value, _finess(block.laboratory)),
        AUTHOR_PHARMACY: (SubjectType.ORGANIZATION.value, _finess(block.pharmacy)),
        AUTHOR_PRACTITIONER: (SubjectType.PROFESSIONAL.value, practitioner) if practitioner else hospital,
        AUTHOR_FUND: (SubjectType.ORGANIZATION.value, FUND),
        AUTHOR_HOLDER: (SubjectType.PERSON.value, block.births.ins()[0].decode()),
    }


def _rpps(number: int) -> str | None:
    return None if number == NOBODY else str(number)


def _finess(column: Numbers) -> str:
    return f"{int(column[0]):09}"
