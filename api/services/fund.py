"""What the fund knows of a person, asked for when his dossier opens: treating physician, two years of reimbursements.

It answers with the very lines of its feeds, and these enter them: the same decisions, the same documents, the same
journal. A line that the fund also feeds, before or after, stands once.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import date, datetime
from typing import Protocol
from uuid import UUID, uuid5

import msgspec
import structlog

from api.errors import ForbiddenError, MalformedRequestError
from api.identity import Caller, Client
from api.ndjson import Line
from api.schemas.feeds import FeedResult
from api.services.asking import Peer
from api.services.feeds import CONFLICT, Feeding
from api.services.inquiries import InquiryError
from api.services.judging import Actor
from api.services.reimbursements import EXPIRED, ReimbursementFeed
from api.services.retention import years_after
from api.services.treating_physicians import TreatingPhysicianFeed
from api.strict_json import parse_object
from models.identifiers import Ins
from models.vocabulary import InquirySource, Scope, SubjectType
from vault.journal.entry import SERVICE

YEARS = 2
"""So far back reimbursements are asked for: older ones leave every view (RULES §4.1)."""

_REQUEST = "inquiry"
_LATER = frozenset({CONFLICT.reason, "dossier-closed", "no-dossier"})

logger = structlog.get_logger()


class ReimbursementSource(Protocol):
    """The fund, asked about one person; `identity` is the same for the same question, however often it is put.

    Both give lines of the feeds of that name, and raise InquiryError.
    """

    def treating_physicians(self, identity: str, ins: Ins) -> AsyncGenerator[Line]:
        """Whom he declared as his treating physicians."""

    def reimbursements(self, identity: str, ins: Ins, since: date) -> AsyncGenerator[Line]:
        """What was reimbursed of his care, from this day on."""

    async def close(self) -> None:
        """Let go of connections."""


class HttpReimbursementSource:
    """The fund at an address: a question is an object of JSON, and its member `question` one of two words."""

    def __init__(self, peer: Peer, now: Callable[[], datetime]) -> None:
        self._peer = peer
        self._now = now

    def treating_physicians(self, identity: str, ins: Ins) -> AsyncGenerator[Line]:
        """`{"question": "treating_physicians", "ins": ...}`."""
        return self._ask(identity, question="treating_physicians", ins=ins.value)

    def reimbursements(self, identity: str, ins: Ins, since: date) -> AsyncGenerator[Line]:
        """`{"question": "reimbursements", "ins": ..., "since": "2024-10-15"}`."""
        return self._ask(identity, question="reimbursements", ins=ins.value, since=since.isoformat())

    async def close(self) -> None:
        await self._peer.close()

    def _ask(self, identity: str, **question: str) -> AsyncGenerator[Line]:
        return self._peer.ask(identity, self._now(), msgspec.json.encode(question))


class FundInquiry:
    """Asks the fund and enters what it answers (`api.services.inquiries.Source`)."""

    def __init__(
        self,
        fund: ReimbursementSource,
        organization: str,
        feeding: Feeding,
        treating_physicians: TreatingPhysicianFeed,
        reimbursements: ReimbursementFeed,
    ) -> None:
        self._fund = fund
        self._feeding = feeding
        self._treating_physicians = treating_physicians
        self._reimbursements = reimbursements
        speaks_for = frozenset({SubjectType.ORGANIZATION})
        self._caller = Caller(Client(SERVICE, frozenset({Scope.FEEDS}), speaks_for, organization), _REQUEST)

    async def enter(self, dossier: UUID, ins: Ins, asked_at: datetime) -> None:
        try:
            actor = await self._feeding.fund(self._caller)
        except ForbiddenError:
            raise InquiryError("the directory knows no such fund") from None
        since = years_after(asked_at, -YEARS).date()
        refused = await self._declare(actor, ins, _identity(dossier, asked_at, "treating_physicians"))
        refused += await self._reimburse(actor, ins, since, _identity(dossier, asked_at, "reimbursements"))
        if refused:
            logger.warning("inquiry_lines_refused", source=InquirySource.FUND.value, reasons=dict(refused))
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
            raise InquiryError(f"lines refused: {told}", is_final=_LATER.isdisjoint(refused))

    async def close(self) -> None:
        await self._fund.close()

    async def _declare(self, actor: Actor, ins: Ins, identity: str) -> Counter[str]:
        async with aclosing(self._fund.treating_physicians(identity, ins)) as lines:
            return await _refused(self._treating_physicians.results(actor, _about(lines, ins)))

    async def _reimburse(self, actor: Actor, ins: Ins, since: date, identity: str) -> Counter[str]:
        async with aclosing(self._fund.reimbursements(identity, ins, since)) as lines:
            return await _refused(self._reimbursements.results(actor, _about(lines, ins)))


def _identity(dossier: UUID, asked_at: datetime, question: str) -> str:
    return str(uuid5(dossier, f"inquiry/{asked_at.isoformat()}/{question}"))


async def _about(lines: AsyncGenerator[Line], ins: Ins) -> AsyncGenerator[Line]:
    """The lines. Raises InquiryError at one about somebody else, who was not asked about.

    What cannot be read is passed on: it is refused like any line of a feed.
    """
    async for line in lines:
        try:
            told = parse_object(line.data or b"")
        except MalformedRequestError:
            told = {}
        if isinstance(told.get("ins"), str) and told["ins"] != ins.value:
            raise InquiryError("answered about somebody else")
        yield line


async def _refused(results: AsyncGenerator[list[FeedResult]]) -> Counter[str]:
    """How many lines were refused, by reason; what is too old to be kept is not missed."""
    async with aclosing(results):
        reasons = [each.reason or "" async for batch in results for each in batch if not each.ok]
    return Counter(reason for reason in reasons if reason != EXPIRED)
