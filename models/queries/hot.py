"""Cases: a question with everything stored that bears on it.

What one subject asks of one dossier takes one look-up, however many documents it asks about, and many look-ups one
round trip to the database; a document or message whose dossier the caller does not name takes another one before,
unless it is remembered where that was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from models.database import Read, Reads, Shards, is_one_server, look_up, whole
from models.errors import DatabaseError
from models.facts import (
    Case,
    Dossier,
    Message,
    Organization,
    Person,
    Professional,
    Question,
    Reference,
    Staff,
    Subject,
)
from models.identifiers import UUID_CHARACTERS, InvalidIdentifierError, parse_pseudonym
from models.queries import statements
from models.queries.homes import NO_HOMES, Homes
from models.queries.statements import DOCUMENTS, Keys, Needs, facts_statement, placed_statement, values_of
from models.queries.whereabouts import find_dossiers
from models.sheets import find_document, ids_in, relations_with, representations_by
from models.vocabulary import DossierState, OrganizationKind, ResourceType, SubjectType
from models.whereabouts import bucket_of

_BATCH = 512  # look-ups in one statement

# Of every question asked: a member of an Enum is slow to reach.
_DOSSIER, _DOCUMENT, _MESSAGE = (
    each.value for each in (ResourceType.DOSSIER, ResourceType.DOCUMENT, ResourceType.MESSAGE)
)
_PROFESSIONAL, _ORGANIZATION, _STAFF, _PERSON = (
    each.value for each in (SubjectType.PROFESSIONAL, SubjectType.ORGANIZATION, SubjectType.STAFF, SubjectType.PERSON)
)
_PLACED = {_DOCUMENT, _MESSAGE}
_TIED = {_PROFESSIONAL, _ORGANIZATION}
_STATES = {each.value: each for each in DossierState}
_KINDS = {each.value: each for each in OrganizationKind}
_NOTHING = Needs()
_NEEDS_OF_SUBJECTS = {each: Needs({each}) for each in (_PROFESSIONAL, _ORGANIZATION, _STAFF)}
_NEEDS_OF_RESOURCES = {each.value: Needs({"dossier"}) for each in ResourceType} | {
    _DOCUMENT: Needs({"dossier", DOCUMENTS}),
    _MESSAGE: Needs({"dossier", "message"}),
}
_OF_DOSSIERS = Needs({"dossier", DOCUMENTS, "message"})
_home = attrgetter("dossier")

_Row = Sequence[Any]


async def fetch_case(database: Reads, question: Question) -> Case:
    """A question's case. What is malformed is not found, and nothing else happens to it."""
    (case,) = await fetch_cases(database, [question])
    return case


async def fetch_cases(database: Reads, questions: Sequence[Question]) -> list[Case]:
    """The cases of these questions, in their order, whatever they are about."""
    placed = map(_placed, questions)
    homes = await find_dossiers(database, [each for each in placed if each is not None])
    keys = [_keys(question, homes) for question in questions]
    rows = whole(await _rows(database, _all_needs(questions), keys))
    return [_case(question, each, rows[each]) for question, each in zip(questions, keys, strict=True)]


async def fetch_apart(
    database: Reads, questions: Sequence[Question], homes: Homes = NO_HOMES
) -> list[Case | DatabaseError]:
    """The same of questions that have nothing to do with each other.

    `homes` remembers in which dossiers documents and messages are that are asked about again. Where a node of a cluster
    does not answer, that stands in the place of the cases that it would take.
    """
    placed = list(map(_placed, questions))
    guessed = homes.guess(placed)
    found = guessed | await homes.learn(database, [each for each in placed if each is not None and each not in guessed])
    lost = {identity: home for identity, home in found.items() if isinstance(home, DatabaseError)}
    if lost:
        kept = [question for question, each in zip(questions, placed, strict=True) if each not in lost]
        left = iter(await fetch_apart(database, kept, homes))
        return [lost[each] if each in lost else next(left) for each in placed]
    known = whole(found)
    keys = [_keys(question, known) for question in questions]
    rows = await _rows(database, _all_needs(questions), keys)
    cases = [
        row if isinstance(row := rows[each], DatabaseError) else _case(question, each, row)
        for question, each in zip(questions, keys, strict=True)
    ]
    moved = {number: each for number, each in enumerate(placed) if each in guessed and _lacks(cases[number])}
    if moved:
        homes.forget(moved.values())
        anew = await fetch_apart(database, [questions[number] for number in moved])
        for number, case in zip(moved, anew, strict=True):
            cases[number] = case
    return cases


def _lacks(case: Case | DatabaseError) -> bool:
    """Whether a document or message is not where it was looked for."""
    return isinstance(case, Case) and case.document is None and case.message is None


async def _rows(database: Reads, needs: Needs, keys: Sequence[Keys]) -> Mapping[Keys, _Row | DatabaseError]:
    """What each look-up gives, by one `read` for every 512 different ones; by one at each node of a cluster."""
    rows: dict[Keys, _Row | DatabaseError] = {}
    ask = partial(_read_rows, needs)
    for batch in _batches(dict.fromkeys(keys)):
        rows.update(await look_up(database, batch, _home, ask))
    return rows


async def _read_rows(needs: Needs, read: Read, shards: Shards | None, batch: Sequence[Keys]) -> dict[Keys, _Row]:
    if not any(map(_home, batch)):
        needs -= _OF_DOSSIERS
    # Few sizes, hence few statements to prepare: the rest is filled up with look-ups of nothing.
    size = 1 << (len(batch) - 1).bit_length()
    values = values_of(needs, [*batch, *[Keys()] * (size - len(batch))])
    rows = await read(facts_statement(needs, size, shards), *values)
    return {batch[row[0]]: row for row in rows if row[0] < len(batch)}


class Shelf(NamedTuple):
    """A question asked of a dossier itself, and the dossier's documents: packed, and the bytes of their ids."""

    case: Case
    documents: bytes
    ids: list[bytes]


async def fetch_shelf(database: Reads, question: Question) -> Shelf | None:
    """What bears on a question that is asked of a dossier, with all its documents, by one `read`."""
    if question.resource.type != ResourceType.DOSSIER or uuid_of(question.resource.id) is None:
        return None
    keys = _keys(question, {})
    return _shelf(question, keys, whole(await _rows(database, _needs(question) | {DOCUMENTS}, [keys]))[keys])


async def fetch_shelves(database: Reads, question: Question, documents: Collection[bytes]) -> list[Shelf]:
    """What bears on a question that is asked of each of these documents, by the bytes of their ids.

    By one `read` if their dossier is claimed, and if not by two, or one where it can be: each dossier comes once, with
    all its documents.
    """
    claimed, homes = question.particulars.dossier, set[UUID | None]()
    if claimed is not None:
        homes = {uuid_of(claimed)}
    elif len(documents) == 1 and (shelf := await _shelf_of(database, question, *documents)) is not None:
        return [shelf]
    elif documents:
        homes = {*(await find_dossiers(database, [UUID(bytes=each) for each in documents])).values()}
    asked = [
        replace(question, resource=Reference(ResourceType.DOSSIER.value, str(home)))
        for home in homes
        if home is not None
    ]
    keys = [_keys(about, {}) for about in asked]
    rows = whole(await _rows(database, _needs(question) | {DOCUMENTS}, keys))
    return [_shelf(about, each, rows[each]) for about, each in zip(asked, keys, strict=True)]


async def _shelf_of(database: Reads, question: Question, document: bytes) -> Shelf | None:
    """What one document's dossier has, by one `read`, if it can be said so."""
    if not is_one_server(database):
        return None
    needs, identity = _needs(question) | {DOCUMENTS}, UUID(bytes=document)
    keys = _keys(question, {})._replace(dossier=identity)
    (row,) = await database.read(placed_statement(needs), *values_of(needs, [keys]), bucket_of(identity))
    home = Reference(ResourceType.DOSSIER.value, str(row[statements.DOSSIER][0]))
    shelf = _shelf(replace(question, resource=home), keys, row)
    return shelf if document in shelf.ids else None


def _shelf(question: Question, keys: Keys, row: _Row) -> Shelf:
    documents = row[statements.SHEET_DOCUMENTS] or b""
    return Shelf(_case(question, keys, row), documents, ids_in(documents))


def _batches(keys: Collection[Keys]) -> Iterator[list[Keys]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


# From a question to its keys


def _all_needs(questions: Sequence[Question]) -> Needs:
    return frozenset[str]().union(*map(_needs, questions))


def _needs(question: Question) -> Needs:
    by_subject = _NEEDS_OF_SUBJECTS.get(question.subject.type, _NOTHING)
    return by_subject | _NEEDS_OF_RESOURCES.get(question.resource.type, _NOTHING)


def _placed(question: Question) -> UUID | None:
    """The document or message whose dossier is to be found first."""
    if question.resource.type in _PLACED and question.particulars.dossier is None:
        return uuid_of(question.resource.id)
    return None


def _keys(question: Question, homes: Mapping[UUID, UUID]) -> Keys:
    subject, resource, claimed = question.subject, question.resource, question.particulars.dossier
    # What is not printable is no one's identifier, and neither NUL nor half a surrogate pair reaches a database.
    name = subject.id if subject.id.isprintable() else None
    dossier = message = None
    if resource.type == _DOSSIER:
        dossier = uuid_of(resource.id)
    elif resource.type in _PLACED and (identity := uuid_of(resource.id)) is not None:
        dossier = homes.get(identity) if claimed is None else uuid_of(claimed)
        message = identity if resource.type == _MESSAGE else None
    return Keys(
        name if subject.type == _PROFESSIONAL else None,
        name if subject.type == _ORGANIZATION else None,
        name if subject.type == _STAFF else None,
        dossier,
        message,
    )


def uuid_of(text: str) -> UUID | None:
    """The UUID that a caller names, or None for a word that is none."""
    return _remembered_uuid(text) if len(text) == UUID_CHARACTERS else None  # a caller's words may be long


@lru_cache(maxsize=1024)
def _remembered_uuid(text: str) -> UUID | None:
    try:
        return parse_pseudonym(text)
    except InvalidIdentifierError:
        return None


# From a row to a case


def _case(question: Question, keys: Keys, row: _Row) -> Case:
    subject = _subject(question, row)
    document = message = None
    if question.resource.type == _DOCUMENT:
        identity = uuid_of(question.resource.id)
        document = None if identity is None else find_document(row[statements.SHEET_DOCUMENTS] or b"", identity)
        if document is None:
            return Case(question, subject)
    elif question.resource.type == _MESSAGE:
        sender, addressee = row[statements.MESSAGE]
        if sender is None or keys.message is None:
            return Case(question, subject)
        message = Message(keys.message, sender, addressee)
    ties = row[statements.TIES] or b""
    return Case(
        question,
        subject,
        _dossier(row[statements.DOSSIER]),
        relations_with(ties, parties_of(question.subject, subject)),
        representations_by(ties, subject.id) if isinstance(subject, Person) else (),
        document,
        message,
        row[statements.HAS_READ] is not None,
    )


def _subject(question: Question, row: _Row) -> Subject | None:
    asks = question.subject
    if asks.type == _PERSON:
        person = uuid_of(asks.id)
        return None if person is None else Person(person)
    if asks.type == _PROFESSIONAL:
        profession, samu_regulator, of_person = row[statements.PROFESSIONAL]
        if profession is None:
            return None
        organizations = frozenset((row[statements.ORGANIZATIONS] or "").split())
        return Professional(asks.id, profession, samu_regulator, organizations, of_person)
    identity, kind = row[statements.ORGANIZATION]
    if identity is None:
        return None
    organization = Organization(identity, _KINDS.get(kind) or OrganizationKind(kind))
    return organization if asks.type == _ORGANIZATION else Staff(asks.id, organization)


def parties_of(asks: Reference, subject: Subject | None) -> list[Reference]:
    """Whose relations count: the subject's own, and those of where a professional exercises."""
    if asks.type not in _TIED:
        return []
    organizations = sorted(subject.organizations) if isinstance(subject, Professional) else []
    return [asks, *(Reference(_ORGANIZATION, each) for each in organizations)]


def _dossier(columns: Sequence[Any]) -> Dossier | None:
    identity, state, *rest = columns
    return None if identity is None else Dossier(identity, _STATES.get(state) or DossierState(state), *rest)
