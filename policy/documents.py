"""What is told of a document, or of the document to be deposited (RULES §1, §4).

Everything here is told as the sum of the bits of the facts that hold.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from models import reference
from models.facts import Document, Organization, Particulars, Person, Professional, Subject
from models.instants import MICROSECOND, instant_from_integer, instant_to_integer
from models.vocabulary import Category, DocumentStatus, SubjectType
from policy.habilitations import Habilitations
from policy.words import Fact

_PARIS = ZoneInfo("Europe/Paris")
_REIMBURSEMENT_YEARS = 2
_LESS, _MORE = timedelta(days=729), timedelta(days=732)  # than as many years of 365 or 366 days, summer time or not
_STATUSES = {
    DocumentStatus.CURRENT: 0,
    DocumentStatus.SUPERSEDED: Fact.SUPERSEDED.bit,
    DocumentStatus.ARCHIVED: Fact.ARCHIVED.bit,
    DocumentStatus.DELETED: Fact.DELETED.bit,
}
_TOLD = (
    Fact.AUTHOR,
    Fact.HABILITATED,
    Fact.MASKED,
    Fact.WITHHELD,
    Fact.HIDDEN_FROM_REPRESENTATIVES,
    Fact.REIMBURSEMENT_EXPIRED,
    Fact.SUPERSEDED,
    Fact.ARCHIVED,
    Fact.DELETED,
)
DOCUMENT_BITS = sum(fact.bit for fact in _TOLD)
"""All that `document_facts` may tell."""

# Of every document judged: a member of an Enum is slow to reach.
_AUTHOR, _HABILITATED, _MASKED, _WITHHELD, _HIDDEN, _EXPIRED = (fact.bit for fact in _TOLD[:6])
_PROFESSIONAL, _PERSON, _ORGANIZATION = (
    kind.value for kind in (SubjectType.PROFESSIONAL, SubjectType.PERSON, SubjectType.ORGANIZATION)
)


def document_facts(document: Document, subject: Subject | None, at: datetime, habilitations: Habilitations) -> int:
    bits = _STATUSES[document.status]
    if _is_author(document, subject):
        bits |= _AUTHOR
    if isinstance(subject, Professional) and habilitations.opens(subject.profession, document.document_type):
        bits |= _HABILITATED
    if document.masked:
        bits |= _MASKED
    if document.withheld_until is not None and at < document.withheld_until:
        bits |= _WITHHELD
    if document.hidden_from_representatives:
        bits |= _HIDDEN
    if document.document_type in reference.REIMBURSEMENTS and has_expired(document.created_at, at):
        bits |= _EXPIRED
    return bits


def _is_author(document: Document, subject: Subject | None) -> bool:
    """A document is own to the very subject that is its author, and to no one else (RULES §1)."""
    author = document.author
    if isinstance(subject, Professional):
        return author.type == _PROFESSIONAL and author.id == subject.rpps
    if isinstance(subject, Person):
        return author.type == _PERSON and author.id.lower() == str(subject.id)
    if isinstance(subject, Organization):
        return author.type == _ORGANIZATION and author.id == subject.id
    return False


def has_expired(created_at: datetime, at: datetime) -> bool:
    """Whether a reimbursement has left every view: 24 calendar months or more have passed, counted in France.

    From 29 February to 28 February.
    """
    age = at - created_at
    if age < _LESS or age > _MORE:
        return age > _MORE
    created, now = created_at.astimezone(_PARIS), at.astimezone(_PARIS)
    if created.year + _REIMBURSEMENT_YEARS > now.year:
        return False
    year = created.year + _REIMBURSEMENT_YEARS
    leap_day = (created.month, created.day) == (2, 29)
    return at >= (created.replace(year=year, day=28) if leap_day else created.replace(year=year))


def have_expired(created: Sequence[int], at: datetime) -> list[bool]:
    """`has_expired` of instants in microseconds since 1970: few are near, and of the others a number tells it."""
    now = instant_to_integer(at)
    none_from, all_before = now - _LESS // MICROSECOND, now - _MORE // MICROSECOND
    return [
        each < all_before or (each <= none_from and has_expired(instant_from_integer(each), at)) for each in created
    ]


def deposit_facts(particulars: Particulars) -> int:
    bits = (Fact.MASKED.bit if particulars.masked else 0) | (Fact.WITHHELD.bit if particulars.withheld else 0)
    kind = reference.document_type(particulars.document_type) if particulars.document_type else None
    if kind is None:
        return bits
    bits |= Fact.KNOWN_DOCUMENT_TYPE.bit
    if kind.category is Category.REIMBURSEMENT:
        bits |= Fact.REIMBURSEMENT.bit
    if kind.category is Category.PATIENT_DOCUMENT:
        bits |= Fact.PATIENT_DOCUMENT.bit
    if kind.code in reference.PATIENT_EXPRESSIONS:
        bits |= Fact.PATIENT_EXPRESSION.bit
    return bits
