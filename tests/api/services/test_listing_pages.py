"""What a page of a listing costs: what it shows is unpacked, and the dossier is read as often as for any other page."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from api.identity import Caller, Client
from api.judge import PageRequest
from api.parts import Parts
from api.schemas.authzen import ActionAsked, Entity, Kind, ResourceSearch
from api.services.decision_point import DecisionPoint
from api.services.documents import DocumentService, Wanted
from api.services.judging import Actor
from models.facts import Context, Document, Reference
from models.identifiers import Ins
from models.importing import import_facts
from models.queries import listing
from models.sheets import Filed, Version, document_at, pack_documents
from models.tables import dossier
from models.vocabulary import Scope
from tests.api.services.judges import judging_at

INS, NURSE, PHARMACIST = "185057800608491", "10001234573", "10001234565"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CALLER = Caller(Client("tests", frozenset(Scope)), "request-1")
COUNT, SHOWN = 1_500, 11
LIMIT = 4
FACTS = (
    {"kind": "professional", "rpps": NURSE, "profession": "nurse"},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1950-05-12", "care_team_consent": True},
    {"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "care_team"},
)


def document(number: int) -> Document:
    """Newest first by number; all but some are masked."""
    masked = number % (COUNT // SHOWN) != 7
    created_at = NOW - timedelta(days=1, minutes=number // 2)
    return Document(UUID(int=COUNT - number), "11488-4", Reference("professional", PHARMACIST), created_at, masked)


DOCUMENTS = [document(number) for number in range(COUNT)]
OPEN = [str(each.id) for each in DOCUMENTS if not each.masked]


class Bench:
    """The two listings of one dossier over real parts, and what they read and unpack."""

    def __init__(self, parts: Parts, home: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.reads, self.unpacked = home, 0, 0
        judging = judging_at(parts, NOW)
        self._point = DecisionPoint(parts.database, judging)
        self._documents = DocumentService(parts.database, judging, parts.dossier_keys, parts.documents)
        read = parts.database.read

        async def noting(statement: str, *values: object) -> object:
            self.reads += 1
            return await read(statement, *values)

        def unpacking(documents: bytes, number: int) -> Document:
            self.unpacked += 1
            return document_at(documents, number)

        monkeypatch.setattr(parts.database, "read", noting)
        monkeypatch.setattr(listing, "document_at", unpacking)

    async def search(self, after: str | None) -> tuple[list[str], str | None]:
        about = Kind("document", {"dossier": str(self.home)})
        asked = ResourceSearch(
            Entity("professional", NURSE), ActionAsked("document:read"), about, {"authentication": "cps"}
        )
        found = await self._point.search_resources(CALLER, asked, PageRequest(LIMIT, after))
        return [each.id for each in found.results], found.next

    async def page(self, after: str | None) -> tuple[list[str], str | None]:
        actor = Actor(CALLER, Reference("professional", NURSE), Context(authentication="cps"))
        found = await self._documents.page(actor, self.home, Wanted(), after, LIMIT)
        return [str(each.document.id) for each in found.sheets], found.next


Listing = Callable[[Bench, str | None], Awaitable[tuple[list[str], str | None]]]


@pytest.fixture
async def bench(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A dossier of many documents, nearly all of which are masked from the nurse who asks."""
    lines = [json.dumps(fact).encode() for fact in FACTS]
    secret, seal = parts.secrets.pseudonym, parts.dossier_keys.sealing()
    await import_facts(parts.database, lambda ins: ins.pseudonym(secret), lines, seal=seal)
    home = Ins.parse(INS).pseudonym(secret)
    filed = [Filed(each, Version(each.id, 1)) for each in reversed(DOCUMENTS)]
    async with parts.database.begin() as connection:
        await connection.execute(update(dossier).where(dossier.c.id == home).values(documents=pack_documents(filed)))
    return Bench(parts, home, monkeypatch)


@pytest.mark.parametrize("listing_of, reads", [(Bench.search, 1), (Bench.page, 5)])
async def test_each_page_costs_what_it_shows(bench: Bench, listing_of: Listing, reads: int) -> None:
    """Where nearly nothing may be seen as well: all that may is found, each once, and refused ones are not unpacked."""
    found: list[str] = []
    after: str | None = None
    while not found or after is not None:
        bench.reads = bench.unpacked = 0
        shown, after = await listing_of(bench, after)
        found += shown
        assert bench.reads <= reads
        assert bench.unpacked <= LIMIT + 1
    assert found == OPEN
