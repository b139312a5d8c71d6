"""What a line of an import may be, and the rows that it becomes. Pure: no database, no clock.

Strict: an unknown member, a wrong type, an unknown word or a wrong control key refuses the line, and so its file. The
reason names members and types, never a value: what a file holds by mistake may be a person's number.
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from models.errors import ImportRefusedError
from models.identifiers import Ins, InvalidIdentifierError, parse_organization, parse_rpps
from models.instants import storable
from models.reference import DOCUMENT_TYPES, PROFESSIONS
from models.vocabulary import DocumentStatus, DossierState, OrganizationKind, RelationKind, RepresentationKind

MAX_LINE = 64 * 1024
"""Bytes; no fact comes near."""

_REMEMBERED = 65_536  # of the identifiers of each sort met last: they come again and again

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Row = tuple[Any, ...]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", gc=False):
    """`gc=False`: a line refers to no object that refers back, and millions of them are not to be looked through."""


class ProfessionalLine(_Line, frozen=True, tag="professional"):
    """A professional and where he exercises; a later line of the same RPPS replaces both."""

    rpps: str
    profession: str
    samu_regulator: bool = False
    organizations: tuple[str, ...] = ()
    ins: str | None = None


class OrganizationLine(_Line, frozen=True, tag="organization"):
    """A structure of the directory."""

    id: str
    type: OrganizationKind
    name: str


class StaffLine(_Line, frozen=True, tag="staff"):
    """A non-professional and the organization that answers for him."""

    id: str
    organization: str


class DossierLine(_Line, frozen=True, tag="dossier"):
    """A dossier and its switches; what is left out is false."""

    ins: str
    state: DossierState
    born: date | None = None
    protected: bool = False
    care_team_consent: bool = False
    refuses_break_glass: bool = False
    refuses_centre_15: bool = False
    masked_in_emergency: bool = False


class RelationLine(_Line, frozen=True, tag="relation"):
    """A tie of a professional or of an organization, one of the two, to a dossier."""

    dossier_ins: str
    relation: RelationKind
    professional: str | None = None
    organization: str | None = None
    since: _Instant | None = None
    until: _Instant | None = None


class RepresentationLine(_Line, frozen=True, tag="representation", rename={"kind_of_tie": "as"}):
    """A tie of another person to a dossier."""

    dossier_ins: str
    person_ins: str
    kind_of_tie: RepresentationKind
    until: _Instant | None = None


class Author(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Who wrote a document: a professional or an organization by `id`, a person by `ins`."""

    type: Literal["professional", "organization", "person"]
    id: str | None = None
    ins: str | None = None


class DocumentLine(_Line, frozen=True, tag="document"):
    """A document's facts; its content is deposited, not imported."""

    id: UUID
    dossier_ins: str
    document_type: str
    author: Author
    created_at: _Instant
    masked: bool = False
    withheld_until: _Instant | None = None
    hidden_from_representatives: bool = False
    status: DocumentStatus = DocumentStatus.CURRENT


_OneRow = OrganizationLine | StaffLine | DossierLine | RelationLine | RepresentationLine | DocumentLine
Fact = ProfessionalLine | _OneRow
_decode: Callable[[bytes], Fact] = msgspec.json.Decoder(Fact).decode


class Reader:
    """Turns lines into rows for the staging tables, each row beginning with its line's number.

    `pseudonym_of` stands for the deployment's secret, which this module does not know.
    """

    def __init__(
        self,
        pseudonym_of: Callable[[Ins], UUID],
        *,
        professions: Collection[str] = PROFESSIONS,
        document_types: Collection[str] = DOCUMENT_TYPES,
    ) -> None:
        self._professions = professions
        self._document_types = document_types
        remember = lru_cache(maxsize=_REMEMBERED)
        self._person = remember(lambda text: pseudonym_of(Ins.parse(text)))
        self._rpps = remember(parse_rpps)
        self._organization = remember(parse_organization)

    def rows(self, number: int, line: bytes) -> Sequence[tuple[str, Row]]:
        """Each row with the name of its table. Raises ImportRefusedError with the line's number and the reason."""
        try:
            fact = _fact(line)
            if isinstance(fact, ProfessionalLine):
                return self._professional(number, fact)
            return (self._row(number, fact),)
        except (InvalidIdentifierError, _LineError) as error:
            raise ImportRefusedError(number, str(error)) from None

    def _row(self, number: int, fact: _OneRow) -> tuple[str, Row]:
        match fact:
            case DocumentLine():
                return "document", self._document(number, fact)
            case RelationLine():
                return "relation", self._relation(number, fact)
            case DossierLine():
                return "dossier", self._dossier(number, fact)
            case RepresentationLine():
                dossier, person = self._person(fact.dossier_ins), self._person(fact.person_ins)
                return "representation", (number, dossier, person, fact.kind_of_tie.value, _stored(fact.until))
            case OrganizationLine():
                identity, name = self._organization(fact.id), _printable("name", fact.name)
                return "organization", (number, identity, fact.type.value, name)
            case StaffLine():
                return "staff", (number, _printable("id", fact.id), self._organization(fact.organization))

    def _professional(self, number: int, fact: ProfessionalLine) -> list[tuple[str, Row]]:
        rpps = self._rpps(fact.rpps)
        if fact.profession not in self._professions:
            raise _LineError("profession: not one that the reference names")
        person = None if fact.ins is None else self._person(fact.ins)
        organizations = map(self._organization, dict.fromkeys(fact.organizations))
        return [
            ("professional", (number, rpps, fact.profession, fact.samu_regulator, person)),
            *(("exercise", (number, rpps, organization)) for organization in organizations),
        ]

    def _dossier(self, number: int, fact: DossierLine) -> Row:
        return (
            number,
            self._person(fact.ins),
            fact.state.value,
            fact.born,
            fact.protected,
            fact.care_team_consent,
            fact.refuses_break_glass,
            fact.refuses_centre_15,
            fact.masked_in_emergency,
            fact.ins.encode("ascii"),
        )

    def _relation(self, number: int, fact: RelationLine) -> Row:
        party_type, party = self._party(fact.professional, fact.organization)
        dossier = self._person(fact.dossier_ins)
        return number, dossier, party_type, party, fact.relation.value, _stored(fact.since), _stored(fact.until)

    def _party(self, professional: str | None, organization: str | None) -> tuple[str, str]:
        if professional is not None and organization is None:
            return "professional", self._rpps(professional)
        if organization is not None and professional is None:
            return "organization", self._organization(organization)
        raise _LineError("a relation has either a professional or an organization")

    def _document(self, number: int, fact: DocumentLine) -> Row:
        if fact.document_type not in self._document_types:
            raise _LineError("document_type: not one that the reference names")
        return (
            number,
            self._person(fact.dossier_ins),
            fact.id,
            fact.document_type,
            *self._author(fact.author),
            storable(fact.created_at),
            fact.masked,
            _stored(fact.withheld_until),
            fact.hidden_from_representatives,
            fact.status.value,
        )

    def _author(self, author: Author) -> tuple[str, str]:
        if author.type == "person":
            if author.ins is None or author.id is not None:
                raise _LineError("author: a person is named by ins alone")
            return author.type, str(self._person(author.ins))
        if author.id is None or author.ins is not None:
            raise _LineError("author: a professional or an organization is named by id alone")
        return author.type, self._rpps(author.id) if author.type == "professional" else self._organization(author.id)


class _LineError(Exception):
    """Why a line is refused, without its number."""


_TELLING = re.compile(
    r"(?:Expected `|Object missing required field `|Invalid RFC3339|Invalid UUID|JSON is malformed|Input data was )"
    r"[^\r\n]*"
)
_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")


def _fact(line: bytes) -> Fact:
    if len(line) > MAX_LINE:
        raise _LineError(f"longer than {MAX_LINE} bytes")
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _LineError(_reason(str(error))) from None


def _reason(message: str) -> str:
    """The sentence of msgspec where it repeats no value of the line, else one of ours."""
    if _TELLING.fullmatch(message):
        return _WHERE.sub(lambda where: f" ({where[1]})" if where[1] else "", message)
    if message.startswith("Object contains unknown field"):
        return "a member that this kind of fact does not have"
    if message.startswith("Invalid value") and message.endswith("`$.kind`"):
        return "kind: not one of those that can be imported"
    if message.startswith("Invalid enum value"):
        where = _WHERE.search(message)
        return f"{where[1] if where else 'a member'}: not one of its words"
    return "not a fact in JSON"


def _stored(instant: datetime | None) -> datetime | None:
    return None if instant is None else storable(instant)


def _printable(member: str, text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise _LineError(f"{member}: empty, or with characters that do not print")
    return text
