"""Cases: a question with everything stored that bears on it, in one round trip to the database."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from models.database import Database
from models.facts import (
    Case,
    Document,
    Dossier,
    Message,
    Organization,
    Person,
    Professional,
    Question,
    Reference,
    Relation,
    Representation,
    Staff,
    Subject,
)
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.queries import statements
from models.queries.statements import Keys, Needs, Page, facts_statement, listing_statement, padded, values_of
from models.vocabulary import (
    DocumentStatus,
    DossierState,
    OrganizationKind,
    RelationKind,
    RepresentationKind,
    ResourceType,
    SubjectType,
)

_BATCH = 512  # questions in one statement
_EVERY_DOCUMENT = 2**62

_Rows = Sequence[Sequence[Any]]


class Position(NamedTuple):
    """Where a page of a listing begins: after the document created then, of this id."""

    created_at: datetime
    id: UUID


async def fetch_case(database: Database, question: Question) -> Case:
    """A question's case, by exactly one `read`. What is malformed is not found, and nothing else happens to it."""
    needs = _needs(question)
    keys = _keys(question)
    return _case(question, keys, await database.read(facts_statement(needs, 1), *values_of(needs, keys)))


async def fetch_cases(database: Database, questions: Sequence[Question]) -> list[Case]:
    """The cases of these questions, in their order, whatever they are about: one `read` for every 512 of them."""
    cases: list[Case] = []
    for batch in _batches(questions):
        needs = frozenset[str]().union(*map(_needs, batch))
        keys = [_keys(question) for question in batch]
        # Few sizes, hence few statements to prepare: the rest is filled up with questions about nothing.
        size = 1 << (len(batch) - 1).bit_length()
        values = [value for each in (*keys, *[Keys()] * (size - len(batch))) for value in values_of(needs, each)]
        rows: list[list[Sequence[Any]]] = [[] for _ in range(size)]
        for row in await database.read(facts_statement(needs, size), *values):
            rows[row[0]].append(row)
        cases.extend(map(_case, batch, keys, rows))
    return cases


@dataclass(frozen=True, slots=True)
class Sought:
    """Which documents of a dossier a listing is about, and in which order: from `since` on, before `until`."""

    document_types: Collection[str] | None = None
    author: Reference | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False


async def fetch_listing(
    database: Database,
    question: Question,
    *,
    document_types: Collection[str] | None = None,
    after: Position | None = None,
    limit: int | None = None,
) -> list[Case]:
    """As `fetch_sought`, of these types only, or of all."""
    return await fetch_sought(database, question, Sought(document_types), after=after, limit=limit)


async def fetch_sought(
    database: Database,
    question: Question,
    sought: Sought,
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> list[Case]:
    """One case per document of a dossier that is not deleted, newest first unless asked otherwise, by one `read`.

    `question` is asked of the dossier; each case asks it of a document instead. Without `limit`, all documents: what
    the counts of a dossier's spaces need. The next page begins after `position_of` the last case of this one.
    """
    dossier = _uuid(question.resource.id) if question.resource.type == ResourceType.DOSSIER else None
    needs = _needs(question) | {"document", "dossier"}
    keys = _keys(question)
    types = padded(sorted(sought.document_types or ()))
    if dossier is None or (sought.document_types is not None and not types):
        return []
    author = () if sought.author is None else (sought.author.type, sought.author.id.lower())
    period = [instant for instant in (sought.since, sought.until) if instant is not None]
    page = Page(
        types=len(types),
        after=after is not None,
        oldest_first=sought.oldest_first,
        author=sought.author is not None,
        since=sought.since is not None,
        until=sought.until is not None,
    )
    rows = await database.read(
        listing_statement(needs, page),
        *values_of(needs, keys),
        dossier,
        _EVERY_DOCUMENT if limit is None else limit,
        *(after or ()),
        *types,
        *author,
        *period,
    )
    common = _case(question, keys, [row for row in rows if row[0] == 0])
    documents = [_document(row[statements.DOCUMENT]) for row in rows if row[0] == 1]
    documents.sort(key=lambda document: (document.created_at, document.id), reverse=not sought.oldest_first)
    return [_about(common, document) for document in documents]


def position_of(case: Case) -> Position:
    """Where the page after this case of a listing begins. Raises ValueError for a case without a document."""
    if case.document is None:
        raise ValueError("a position in a listing is that of a document")
    return Position(case.document.created_at, case.document.id)


def _about(common: Case, document: Document) -> Case:
    question = replace(common.question, resource=Reference(ResourceType.DOCUMENT, str(document.id)))
    return replace(common, question=question, document=document)


def _batches(questions: Sequence[Question]) -> Iterator[list[Question]]:
    remaining = iter(questions)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


# From a question to its keys


def _needs(question: Question) -> Needs:
    return _needs_of(question.subject.type, question.resource.type, question.particulars.dossier is not None)


@lru_cache(maxsize=64)
def _needs_of(subject_type: str, resource_type: str, claimed: bool) -> Needs:  # noqa: FBT001  # a cache's key
    needs = {subject_type} & set(SubjectType)
    if resource_type == ResourceType.DOSSIER:
        needs.add("dossier")
    elif resource_type in {ResourceType.DOCUMENT, ResourceType.MESSAGE}:
        needs |= {resource_type, "dossier" if claimed else "place"}
    return frozenset(needs)


def _keys(question: Question) -> Keys:
    found: dict[str, Any] = {}
    subject, resource, claimed = question.subject, question.resource, question.particulars.dossier
    if subject.type == SubjectType.PERSON:
        found["person"] = _uuid(subject.id)
    elif subject.type in {SubjectType.PROFESSIONAL, SubjectType.ORGANIZATION, SubjectType.STAFF}:
        # What is not printable is no one's identifier, and neither NUL nor half a surrogate pair reaches a database.
        found[subject.type] = subject.id if subject.id.isprintable() else None
    if resource.type == ResourceType.DOSSIER:
        found["dossier"] = _uuid(resource.id)
    elif resource.type in {ResourceType.DOCUMENT, ResourceType.MESSAGE}:
        identity = found[resource.type] = _uuid(resource.id)
        if claimed is None:
            found["place"] = identity
        else:
            found["dossier"] = _uuid(claimed)
    return Keys(**found)


def _uuid(text: str) -> UUID | None:
    try:
        return parse_pseudonym(text)
    except InvalidIdentifierError:
        return None


# From rows to a case


def _case(question: Question, keys: Keys, rows: _Rows) -> Case:
    first = rows[0]
    subject = _subject(question, keys, rows)
    document = message = None
    if question.resource.type == ResourceType.DOCUMENT:
        document = _document(first[statements.DOCUMENT]) if first[statements.DOCUMENT][0] is not None else None
        if document is None:
            return Case(question, subject)
    elif question.resource.type == ResourceType.MESSAGE:
        sender, addressee = first[statements.MESSAGE]
        if sender is None or keys.message is None:
            return Case(question, subject)
        message = Message(keys.message, sender, addressee)
    return Case(
        question,
        subject,
        _dossier(first[statements.DOSSIER]),
        _relations(question.subject, rows),
        _representations(keys, rows),
        document,
        message,
        first[statements.HAS_READ] is not None,
    )


def _subject(question: Question, keys: Keys, rows: _Rows) -> Subject | None:
    first = rows[0]
    if keys.person is not None:
        return Person(keys.person)
    if keys.professional is not None:
        profession, samu_regulator, person = first[statements.PROFESSIONAL]
        if profession is None:
            return None
        organizations = frozenset(row[statements.EXERCISE] for row in rows if row[statements.EXERCISE] is not None)
        return Professional(keys.professional, profession, samu_regulator, organizations, person)
    identity, kind = first[statements.ORGANIZATION]
    if identity is None:
        return None
    organization = Organization(identity, OrganizationKind(kind))
    return (
        organization if question.subject.type == SubjectType.ORGANIZATION else Staff(question.subject.id, organization)
    )


def _dossier(columns: Sequence[Any]) -> Dossier | None:
    identity, state, *rest = columns
    return None if identity is None else Dossier(identity, DossierState(state), *rest)


def _document(columns: Sequence[Any]) -> Document:
    identity, document_type, author_type, author_id, created_at, masked, withheld_until, hidden, status = columns
    author = Reference(author_type, author_id)
    return Document(identity, document_type, author, created_at, masked, withheld_until, hidden, DocumentStatus(status))


def _relations(subject: Reference, rows: _Rows) -> tuple[Relation, ...]:
    found: dict[tuple[str, str], Relation] = {}
    for row in rows:
        kind, since, until = row[statements.OWN_RELATION]
        if kind is not None:
            found["", kind] = Relation(subject, RelationKind(kind), since, until)
        kind, since, until = row[statements.THEIR_RELATION]
        if kind is not None:
            organization = row[statements.EXERCISE]
            party = Reference(SubjectType.ORGANIZATION, organization)
            found[organization, kind] = Relation(party, RelationKind(kind), since, until)
    return tuple(found[key] for key in sorted(found)) if len(found) > 1 else tuple(found.values())


def _representations(keys: Keys, rows: _Rows) -> tuple[Representation, ...]:
    if keys.person is None:
        return ()
    columns = (row[statements.REPRESENTATION] for row in rows)
    found = {kind: Representation(keys.person, RepresentationKind(kind), until) for kind, until in columns if kind}
    return tuple(found[kind] for kind in sorted(found))
