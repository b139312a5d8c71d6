"""Reads what structured documents say: FHIR resources, and the months of reimbursements (RULES §7).

What is read was judged before: this opens contents, and decides nothing. What it cannot read, or may not at this
length, it names, so that whoever shows the rest can say what is not in it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from uuid import UUID

from api.services.clinical_codes import reimbursed_code, with_substances
from api.services.clinical_facts import Act, Clinical, Code, Condition, Medicine
from api.services.fhir_reading import told_by
from api.services.fhir_validation import CONTENT_TYPE as FHIR
from api.services.fhir_validation import MOST_BYTES
from api.services.judging import Judgement
from api.services.reimbursed_months import CONTENT_TYPE as MONTH
from api.services.reimbursed_months import decode_month
from models.database import Database
from models.facts import Document
from models.queries.documents import read_standings
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Category, CodeSystem
from vault.documents import Documents as Vault
from vault.documents import Kept
from vault.errors import NoContentError, SealBrokenError

__all__ = ["Act", "Clinical", "ClinicalReader", "Code", "CodeSystem", "Condition", "Medicine"]

MOST_DOCUMENTS = 200
"""So many contents are opened for one question."""

_AT_ONCE = 8


class ClinicalReader:
    """Understands documents of one dossier that the asker may read."""

    def __init__(self, database: Database, vault: Vault, most_documents: int = MOST_DOCUMENTS) -> None:
        self._database = database
        self._vault = vault
        self._most_documents = most_documents

    async def read(self, dossier: UUID, judged: Sequence[Judgement]) -> Clinical:
        """What these say, of which each is a permission to read a document of this dossier; the first come first.

        Bounded in number and size: what is beyond is left out, and named. Raises StoreUnavailableError.
        """
        standings = await read_standings(self._database, dossier)
        versions = {identity: standing.version.version for identity, standing in standings.items()}
        return await self.understand(judged, await self._vault.find_all(dossier, versions))

    async def understand(self, judged: Sequence[Judgement], kept: Mapping[UUID, Kept | SealBrokenError]) -> Clinical:
        """The same, of what is kept of these documents."""
        documents = [each.case.document for each in judged if each.case.document]
        broken = {each.id for each in documents if isinstance(kept.get(each.id), SealBrokenError)}
        structured: list[tuple[Document, Kept]] = []
        left_out: set[UUID] = set()
        for each in documents:
            if (found := kept.get(each.id)) and isinstance(found, Kept) and _is_structured(each, found):
                if found.size > MOST_BYTES or len(structured) == self._most_documents:
                    left_out.add(each.id)
                else:
                    structured.append((each, found))
        told: list[Medicine | Act | Condition] = []
        silent = {each.id for each in documents} - broken - left_out
        for (document, _), content in zip(structured, await self._contents(structured), strict=True):
            if content is None:
                silent.discard(document.id)
                broken.add(document.id)
            elif said := _said(document, content):
                silent.discard(document.id)
                told.extend(said)
        return Clinical(
            [each for each in told if isinstance(each, Medicine)],
            [each for each in told if isinstance(each, Act)],
            [each for each in told if isinstance(each, Condition)],
            frozenset(silent),
            frozenset(broken),
            frozenset(left_out),
        )

    async def _contents(self, structured: Sequence[tuple[Document, Kept]]) -> list[bytes | None]:
        """Each content, a few at once; None for one that does not open."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def content(kept: Kept) -> bytes | None:
            async with free:
                try:
                    reading = await self._vault.read(kept)
                    async with aclosing(reading.stream) as stream:
                        return b"".join([piece async for piece in stream])
                except NoContentError:
                    return b""
                except SealBrokenError:
                    return None

        opened = await asyncio.gather(*(content(kept) for _, kept in structured), return_exceptions=True)
        for each in opened:
            if isinstance(each, BaseException):
                raise each
        return [each for each in opened if not isinstance(each, BaseException)]


def _is_structured(document: Document, kept: Kept) -> bool:
    return kept.content_type == FHIR or (_is_month(document) and kept.content_type == MONTH)


def _is_month(document: Document) -> bool:
    return DOCUMENT_TYPES[document.document_type].category is Category.REIMBURSEMENT


def _said(document: Document, content: bytes) -> Sequence[Medicine | Act | Condition]:
    """Nothing where the content is not what it is said to be: it may be older than the check of deposits."""
    try:
        return _reimbursed(document, content) if _is_month(document) else told_by(content, document)
    except ValueError:
        return ()


def _reimbursed(document: Document, content: bytes) -> list[Medicine | Act]:
    """Medicines and acts of a month; what was taken back was not done."""
    author = f"{document.author.type}/{document.author.id}"
    told: list[Medicine | Act] = []
    for line in decode_month(content).values():
        code = reimbursed_code(line.code)
        if code is None or line.amount < 0:
            continue
        if code.system is CodeSystem.CIP13:
            medicine = Medicine(
                Category.REIMBURSEMENT,
                with_substances([code]),
                line.label,
                line.care_date,
                None,
                document.id,
                author,
                line.prescriber,
                frozenset({f"{author}|{line.id}"}),
            )
            told.append(medicine)
        else:
            told.append(Act(frozenset({code}), line.care_date, document.id))
    return told
