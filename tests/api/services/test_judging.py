"""One access is judged by one rule set, however often the rules are replaced meanwhile."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

from api.identity import Caller, Client
from api.judge import PageRequest
from api.parts import Parts
from api.schemas.authzen import (
    ActionAsked,
    ActionSearch,
    Entity,
    EvaluationRequest,
    Kind,
    ResourceSearch,
    SubjectSearch,
)
from api.services.clinical import ClinicalReader
from api.services.decision_point import DecisionPoint
from api.services.documents import DocumentService, Wanted
from api.services.dossiers import Dossiers
from api.services.exports import ExportService
from api.services.judging import Actor, Judging
from api.services.reminders import ReminderService
from api.services.rules import Rules
from api.services.titles import TitleSearch
from api.services.versions import Versions
from models.facts import Context, Reference
from models.identifiers import Ins
from models.importing import import_facts
from models.vocabulary import Scope
from policy.engine import Engine
from vault.journal.reading import Reader

INS = "185057800608491"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PHYSICIAN = "10001234565"
CALLER = Caller(Client("tests", frozenset(Scope)), "request-1")
NURSE = "10001234573"
DOCUMENTS = tuple(str(UUID(int=number)) for number in range(1, 4))
FACTS: tuple[Mapping[str, object], ...] = (
    {"kind": "professional", "rpps": PHYSICIAN, "profession": "physician"},
    {"kind": "professional", "rpps": NURSE, "profession": "nurse"},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1950-05-12", "care_team_consent": True},
    {"kind": "relation", "dossier_ins": INS, "professional": PHYSICIAN, "relation": "treating_physician"},
    {"kind": "relation", "dossier_ins": INS, "professional": NURSE, "relation": "care_team"},
    *(
        {
            "kind": "document",
            "id": each,
            "dossier_ins": INS,
            "document_type": "11369-6",
            "author": {"type": "professional", "id": PHYSICIAN},
            "created_at": "2026-10-01T08:00:00Z",
        }
        for each in DOCUMENTS
    ),
)


class Counted:
    """The rules in force, which may be others at the next look: so each look is counted."""

    def __init__(self) -> None:
        self.looks = 0
        self._engine = Engine.load()

    @property
    def engine(self) -> Engine:
        self.looks += 1
        return self._engine


class Bench:
    """The use cases over real parts, under rules that are counted."""

    def __init__(self, parts: Parts, dossier: UUID, secret: bytes) -> None:
        self.rules = Counted()
        self.dossier = str(dossier)
        judging = Judging(parts.database, cast("Rules", self.rules), parts.ledger, lambda: NOW, lambda **_: None)
        self.point = DecisionPoint(parts.database, judging)
        self.documents = DocumentService(parts.database, judging, parts.dossier_keys, parts.documents)
        self.titles = TitleSearch(judging, self.documents)
        self.versions = Versions(parts.database, judging, self.documents)
        clinical = ClinicalReader(parts.database, parts.documents)
        self.reminders = ReminderService(parts.database, judging, parts.dossier_keys, clinical)
        self.dossiers = Dossiers(parts.database, judging, parts.dossier_keys, parts.documents, (), secret)
        reader = Reader(parts.database, parts.journal_keys, parts.signer)
        self.exports = ExportService(parts.database, judging, parts.dossier_keys, parts.documents, reader)
        self.holder = Actor(CALLER, Reference("person", self.dossier), Context())
        self.physician = Entity("professional", PHYSICIAN)

    def asked(self, document: str) -> EvaluationRequest:
        return EvaluationRequest(self.physician, ActionAsked("document:read"), Entity("document", document))

    async def batch(self) -> object:
        return await self.point.evaluate(CALLER, [self.asked(each) for each in DOCUMENTS], None)

    async def resources(self) -> object:
        about = Kind("document", {"dossier": self.dossier})
        search = ResourceSearch(self.physician, ActionAsked("document:read"), about)
        return await self.point.search_resources(CALLER, search, PageRequest(10, None))

    async def dossiers_of_a_professional(self) -> object:
        search = ResourceSearch(self.physician, ActionAsked("document:list"), Kind("dossier"))
        return await self.point.search_resources(CALLER, search, PageRequest(10, None))

    async def subjects(self) -> object:
        search = SubjectSearch(Kind("professional"), ActionAsked("document:list"), Entity("dossier", self.dossier))
        return await self.point.search_subjects(CALLER, search, PageRequest(10, None))

    async def actions(self) -> object:
        search = ActionSearch(self.physician, Entity("dossier", self.dossier))
        return await self.point.search_actions(CALLER, search, PageRequest(10, None))

    async def listing(self) -> object:
        return await self.documents.page(self.holder, UUID(self.dossier), Wanted(), None, 10)

    async def search(self) -> object:
        return await self.titles.page(self.holder, UUID(self.dossier), "vaccin", Wanted(), None, 10)

    async def versions_of_a_document(self) -> object:
        return await self.versions.of(self.holder, UUID(DOCUMENTS[0]))

    async def overview(self) -> object:
        return await self.dossiers.overview(self.holder, UUID(self.dossier))

    async def reminded(self) -> object:
        return await self.reminders.reminders(self.holder, UUID(self.dossier))

    async def export(self) -> object:
        ticket = await self.exports.ask(self.holder, UUID(self.dossier))
        self.rules.looks = 0
        return await self.exports.fetch(self.holder, UUID(self.dossier), ticket.id)


@pytest.fixture
async def bench(parts: Parts) -> Bench:
    """A dossier with three documents, its treating physician and a nurse of the care team."""
    secret = parts.secrets.pseudonym
    seal = parts.dossier_keys.sealing()
    lines = [json.dumps(fact).encode() for fact in FACTS]
    await import_facts(parts.database, lambda ins: ins.pseudonym(secret), lines, seal=seal)
    return Bench(parts, Ins.parse(INS).pseudonym(secret), secret)


Access = Callable[[Bench], Awaitable[object]]


@pytest.mark.parametrize(
    "access",
    [
        Bench.batch,
        Bench.resources,
        Bench.dossiers_of_a_professional,
        Bench.subjects,
        Bench.actions,
        Bench.listing,
        Bench.search,
        Bench.versions_of_a_document,
        Bench.overview,
        Bench.reminded,
        Bench.export,
    ],
)
async def test_an_access_looks_at_the_rules_once(bench: Bench, access: Access) -> None:
    """Whatever is judged on the way is judged by those rules: all lines of a batch, a listing, a search or a copy."""
    await access(bench)
    assert bench.rules.looks == 1
