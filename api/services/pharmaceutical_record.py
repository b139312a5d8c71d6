"""The pharmaceutical record (DP): asked which medicines were handed out, when a dossier opens (seed 004).

Whoever keeps it is behind a protocol; over HTTP it is asked as the fund is, and answers with dispensations, one FHIR
resource a line. What it answers is deposited as by the pharmacies themselves.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid5

import msgspec
import structlog

from api.errors import ScannerError
from api.identity import Caller, Client
from api.ndjson import Line
from api.services.asking import Peer
from api.services.dispensations import SOMEBODY_ELSE, DispensationFeed
from api.services.inquiries import InquiryError
from models.identifiers import Ins
from models.vocabulary import InquirySource, Scope, SubjectType
from vault.journal.entry import SERVICE

_LATER = frozenset({"no-dossier", "dossier-closed"})

logger = structlog.get_logger()


class PharmaceuticalRecord(Protocol):
    """The record, asked about one person; `identity` is the same for the same question, however often it is put."""

    def dispensations(self, identity: str, ins: Ins) -> AsyncGenerator[Line]:
        """What pharmacies handed out to him, a FHIR R4 MedicationDispense a line. Raises InquiryError."""

    async def close(self) -> None:
        """Let go of connections."""


class HttpPharmaceuticalRecord:
    """The record at an address: a question is an object of JSON."""

    def __init__(self, peer: Peer, now: Callable[[], datetime]) -> None:
        self._peer = peer
        self._now = now

    def dispensations(self, identity: str, ins: Ins) -> AsyncGenerator[Line]:
        """`{"question": "dispensations", "ins": ...}`."""
        question = msgspec.json.encode({"question": "dispensations", "ins": ins.value})
        return self._peer.ask(identity, self._now(), question)

    async def close(self) -> None:
        await self._peer.close()


class PharmaceuticalInquiry:
    """Asks the record and enters what it answers (`api.services.inquiries.Source`)."""

    def __init__(self, record: PharmaceuticalRecord, feed: DispensationFeed) -> None:
        self._record = record
        self._feed = feed
        speaks_for = frozenset({SubjectType.ORGANIZATION})
        self._caller = Caller(Client(SERVICE, frozenset({Scope.FEEDS}), speaks_for), "inquiry")

    async def enter(self, dossier: UUID, ins: Ins, asked_at: datetime) -> None:
        identity = str(uuid5(dossier, f"inquiry/{asked_at.isoformat()}/dispensations"))
        refused: Counter[str] = Counter()
        try:
            async with (
                aclosing(self._record.dispensations(identity, ins)) as lines,
                aclosing(self._feed.results(self._caller, lines, about=ins)) as results,
            ):
                async for each in results:
                    refused.update([each.reason] if each.reason else [])
        except ScannerError:
            raise InquiryError("the antivirus does not answer") from None
        if refused:
            logger.warning(
                "inquiry_lines_refused", source=InquirySource.PHARMACEUTICAL_RECORD.value, reasons=dict(refused)
            )
            if SOMEBODY_ELSE.reason in refused:
                raise InquiryError("answered about somebody else")
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
            raise InquiryError(f"lines refused: {told}", is_final=_LATER.isdisjoint(refused))

    async def close(self) -> None:
        await self._record.close()
