"""Deposits that end in the middle."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.errors import AuthorError, DisconnectedError, MalformedRequestError
from api.identity import Caller, Client
from api.parts import Parts
from api.services.deposits import Deposits, Metadata
from api.services.judging import Actor, Judging
from api.services.rules import FolderRules
from api.services.swaps import Swaps
from models.facts import Context, Reference
from models.identifiers import Ins
from models.importing import import_facts
from models.vocabulary import Scope
from policy.engine import Engine
from tests.stored import stored_documents
from vault.documents import Documents
from vault.errors import ContentTooLargeError
from vault.journal.reading import Reader
from vault.keys import RowKeys

INS = "185057800608491"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LIMIT = 100_000
ACTOR = Actor(Caller(Client("tests", frozenset(Scope)), "request-1"), Reference("organization", "750000002"), Context())
METADATA = Metadata("11488-4", "Compte rendu", "text/plain", NOW)
FACTS = (
    b'{"kind":"organization","id":"750000002","type":"health_facility","name":"CHU"}',
    b'{"kind":"dossier","ins":"%s","state":"open","born":"1985-05-12"}' % INS.encode(),
)


def pieces(count: int, error: Exception | None = None) -> AsyncIterator[bytes]:
    async def given() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"0" * 10_000
        if error:
            raise error

    return given()


@pytest.fixture
async def dossier(parts: Parts) -> UUID:
    """An open dossier, and a hospital."""
    secret = parts.secrets.pseudonym
    seal = parts.dossier_keys.sealing()
    await import_facts(parts.database, lambda ins: ins.pseudonym(secret), FACTS, seal=seal)
    return Ins.parse(INS).pseudonym(secret)


@pytest.fixture
def deposits(parts: Parts) -> Deposits:
    """The use cases, with a limit that a test can exceed."""
    rules = FolderRules(None, Engine.load(), NOW, Swaps(parts.database, parts.ledger))
    judging = Judging(parts.database, rules, parts.ledger, lambda: NOW, lambda **_: None)
    vault = Documents(parts.database, parts.store, parts.dossier_keys, RowKeys(parts.shards), max_size=LIMIT)
    return Deposits(parts.database, judging, parts.dossier_keys, vault)


async def left(parts: Parts) -> tuple[int, int, int, int, int]:
    """Rows of documents, contents, pending objects and remembered answers; objects in the store."""
    counts = [
        (await parts.database.read(f"SELECT count(*) FROM {table}"))[0][0]
        for table in ("content", "pending_object", "idempotency")
    ]
    objects = [each async for each in parts.store.names()]
    contents, pending, answers = counts
    return len(await stored_documents(parts.database)), contents, pending, answers, len(objects)


NOTHING = (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "count, error, expected",
    [
        (11, None, ContentTooLargeError),
        (5, DisconnectedError(), DisconnectedError),
        (5, MalformedRequestError("The body is cut."), MalformedRequestError),
    ],
)
async def test_a_deposit_that_ends_in_the_middle_leaves_nothing(
    count: int,
    error: Exception | None,
    expected: type[Exception],
    deposits: Deposits,
    dossier: UUID,
    parts: Parts,
) -> None:
    """Over the limit, or broken off by the caller: no row, no object, and the same key serves again.

    What remains is the entry of the decision, which was taken (RULES §4.3).
    """
    with pytest.raises(expected):
        await deposits.deposit(ACTOR, dossier, METADATA, pieces(count, error), "key")
    assert (await left(parts), await parts.journal_size()) == (NOTHING, 1)
    receipt = await deposits.deposit(ACTOR, dossier, METADATA, pieces(10), "key")
    assert (receipt.size, await left(parts)) == (LIMIT, (1, 1, 0, 1, 1))
    again = await deposits.deposit(ACTOR, dossier, METADATA, pieces(10), "key")
    assert (again, await left(parts), await parts.journal_size()) == (receipt, (1, 1, 0, 1, 1), 2)


async def test_a_deposit_signed_for_another_is_refused_and_told(
    deposits: Deposits, dossier: UUID, parts: Parts
) -> None:
    """Nobody signs for a professional who does not exercise there; the decision stands in the journal, nothing else."""
    signed = replace(METADATA, author=Reference("professional", "10001234565"))
    with pytest.raises(AuthorError):
        await deposits.deposit(ACTOR, dossier, signed, pieces(1))
    assert (await left(parts), await parts.journal_size()) == (NOTHING, 1)


async def test_the_journal_does_not_tell_what_was_deposited(deposits: Deposits, dossier: UUID, parts: Parts) -> None:
    """Those who read a journal may not see the document: they learn that there is one, not what it is."""
    hidden = replace(METADATA, withheld=True, hidden_from_representatives=True)
    receipt = await deposits.deposit(ACTOR, dossier, hidden, pieces(1))
    (line,) = await Reader(parts.database, parts.journal_keys, parts.signer).read(dossier, limit=9)
    assert line.entry is not None
    assert dict(line.entry.change) == {"document": str(receipt.id)}
