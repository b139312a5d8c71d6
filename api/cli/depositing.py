"""`dmp deposit`: files into a dossier, on behalf of an organization, decided and journaled like any deposit."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from api.authors import author_of
from api.cli.deciding import judging_of, now, uncounted
from api.errors import DmpError, MalformedRequestError
from api.identity import Caller, Client
from api.instants import in_utc
from api.parts import open_parts
from api.problems import problem_of
from api.scanning import clamd_of
from api.services.content_types import guess
from api.services.deposits import Deposits, Metadata
from api.services.judging import Actor
from api.settings import Settings
from models.errors import DatabaseError
from models.facts import Context, Reference
from models.identifiers import InvalidIdentifierError, parse_organization, parse_pseudonym
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Scope, SubjectType
from vault.errors import VaultError
from vault.journal.entry import SERVICE

_AT_ONCE = 1024 * 1024
_HEAD = 1024
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Given:
    """What is said of all files together, as it was typed."""

    organization: str
    dossier: str
    document_type: str
    title: str | None = field(default=None, repr=False)
    content_type: str | None = None
    created_at: str | None = None
    author: str | None = None
    masked: bool = False
    withheld: bool = False
    hidden_from_representatives: bool = False


def deposit(settings: Settings, given: Given, files: Sequence[Path], write: Callable[[str], None]) -> bool:
    """Give `write` one line for each file; whether all were kept.

    Raises MalformedRequestError or InvalidIdentifierError, before anything is read, if what was typed says nothing.
    """
    return asyncio.run(_deposit(settings, given, _metadata(given), files, write))


async def _deposit(
    settings: Settings, given: Given, metadata: Metadata, files: Sequence[Path], write: Callable[[str], None]
) -> bool:
    organization, dossier = parse_organization(given.organization), parse_pseudonym(given.dossier)
    subject = Reference(SubjectType.ORGANIZATION.value, organization)
    client = Client(SERVICE, frozenset({Scope.DOCUMENTS}), frozenset({SubjectType.ORGANIZATION}))
    actor = Actor(Caller(client, "dmp deposit"), subject, Context())
    are_kept = True
    async with open_parts(settings) as parts:
        judging = await judging_of(settings, parts)
        scanner = clamd_of(settings, uncounted)
        deposits = Deposits(parts.database, judging, parts.dossier_keys, parts.documents, scanner)
        for file in files:
            try:
                told = replace(metadata, content_type=given.content_type or guess(_head(file)))
                async with aclosing(_pieces(file)) as pieces:
                    receipt = await deposits.deposit(actor, dossier, told, pieces)
            except (DmpError, DatabaseError, VaultError) as error:
                are_kept = False
                problem = problem_of(error)
                write(f"{file}: refused: {problem.reason or problem.kind}: {problem.detail}")
            except OSError as error:
                are_kept = False
                write(f"{file}: refused: file: {error.strerror}")
            else:
                write(f"{file}: {receipt.id} version {receipt.version}, {receipt.size} bytes, {told.content_type}")
    return are_kept


def _metadata(given: Given) -> Metadata:
    """Without a title a document is called as its type is: the name of a file may hold a person's."""
    if given.document_type not in DOCUMENT_TYPES:
        raise MalformedRequestError("--type is not one of the DMP's document types.")
    title = DOCUMENT_TYPES[given.document_type].label_fr if given.title is None else given.title
    if not 0 < len(title) <= _LONGEST_TITLE:
        raise MalformedRequestError(f"--title has 1 to {_LONGEST_TITLE} characters.")
    try:
        parse_pseudonym(given.dossier)
    except InvalidIdentifierError:
        raise MalformedRequestError("--dossier is the pseudonym that /v1/identities gives, never an INS.") from None
    return Metadata(
        document_type=given.document_type,
        title=title,
        content_type="",
        created_at=now() if given.created_at is None else _instant(given.created_at),
        masked=given.masked,
        withheld=given.withheld,
        hidden_from_representatives=given.hidden_from_representatives,
        author=None if given.author is None else author_of(SubjectType.PROFESSIONAL.value, given.author),
    )


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise MalformedRequestError("--created-at is an instant with its time zone, as 2026-10-01T08:00:00Z.")
    return in_utc(instant)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_HEAD)


async def _pieces(file: Path) -> AsyncGenerator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_AT_ONCE):
            yield piece
