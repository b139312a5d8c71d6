"""What is understood of contents in the vault, what is not, and how much of it is read for one question."""

from datetime import date
from typing import Any, cast
from uuid import UUID

import pytest

from api.parts import Parts
from api.services.clinical import Act, Clinical, ClinicalReader, Code, CodeSystem, Medicine
from api.services.fhir_validation import MOST_BYTES
from api.services.judging import Judgement
from models.facts import Case, Document, Question, Reference
from models.vocabulary import Category
from tests.api.whole import NOW
from tests.doubles import fhir
from tests.vault.deposits import DOSSIER, deposit
from vault.blobs import BlobStore
from vault.errors import SealBrokenError, StoreUnavailableError

MONTH = b"""{"month": "2026-09", "lines": [
  {"id": "1", "care_date": "2026-09-02", "code": "3400935955838", "label": "Doliprane", "amount": "2.18",
   "reimbursed": "1.42", "prescriber": "10001234565"},
  {"id": "2", "care_date": "2026-09-03", "code": "BZQK001", "label": "Fond d'oeil", "amount": "30", "reimbursed": "21"},
  {"id": "3", "care_date": "2026-09-03", "code": "3400935955838", "label": "Doliprane", "amount": "-2.18",
   "reimbursed": "-1.42"},
  {"id": "4", "care_date": "2026-09-04", "code": "0000000000000", "label": "?", "amount": "1", "reimbursed": "1"}
]}"""
PRESCRIPTION, REIMBURSED = "57833-6", "REMB"


def permitted(number: int, document_type: str = PRESCRIPTION) -> Judgement:
    """That the document of this number may be read; of how it was judged nothing is asked."""
    author = Reference("organization", "775685019")
    question = Question(author, "document:read", Reference("document", ""), NOW)
    case = Case(question, document=Document(UUID(int=number), document_type, author, NOW))
    return Judgement(case, *cast("tuple[Any, Any, Any]", (None, None, None)))


async def keep(parts: Parts, number: int, content: bytes, content_type: str = fhir.CONTENT_TYPE) -> None:
    document = UUID(int=number)
    await deposit(parts.documents, parts.database, content, document=document, content_type=content_type)


async def understood(parts: Parts, *judged: Judgement, **bounds: int) -> Clinical:
    versions = {each.case.document.id: 1 for each in judged if each.case.document}
    kept = await parts.documents.find_all(DOSSIER, versions)
    return await ClinicalReader(parts.database, parts.documents, **bounds).understand(judged, kept)


def ids(*numbers: int) -> frozenset[UUID]:
    return frozenset(UUID(int=number) for number in numbers)


async def test_a_month_of_reimbursements(parts: Parts) -> None:
    """Packages are medicines with their substance, the rest are acts; what was taken back was not done."""
    await keep(parts, 1, MONTH, "application/json")
    clinical = await understood(parts, permitted(1, REIMBURSED))
    codes = frozenset({Code(CodeSystem.CIP13, "3400935955838"), Code(CodeSystem.ATC, "N02BE01")})
    fund = "organization/775685019"
    assert list(clinical.medicines) == [
        Medicine(
            Category.REIMBURSEMENT,
            codes,
            "Doliprane",
            date(2026, 9, 2),
            None,
            UUID(int=1),
            fund,
            "10001234565",
            frozenset({f"{fund}|1"}),
        )
    ]
    assert list(clinical.acts) == [Act(frozenset({Code(CodeSystem.CCAM, "BZQK001")}), date(2026, 9, 3), UUID(int=1))]
    assert clinical.unstructured == frozenset()


async def test_what_is_not_understood_is_named(parts: Parts) -> None:
    """Other types of content, and contents that are not what they are said to be; none at all."""
    await keep(parts, 1, fhir.encoded(fhir.request("N02BE01", "2026-10-01")))
    await keep(parts, 2, b"Ordonnance", "text/plain")
    await keep(parts, 3, MONTH, "application/json")
    await keep(parts, 4, b"not FHIR")
    await keep(parts, 5, b"not a month", "application/json")
    judged = [permitted(1), permitted(2), permitted(3), permitted(4), permitted(5, REIMBURSED), permitted(6)]
    clinical = await understood(parts, *judged)
    assert [each.document for each in clinical.medicines] == [UUID(int=1)]
    assert (clinical.unstructured, clinical.broken, clinical.left_out) == (ids(2, 3, 4, 5, 6), ids(), ids())


async def test_what_is_beyond_the_bounds_is_named(parts: Parts) -> None:
    """What comes later than so many, and what is too long; what is not structured does not count."""
    prescription = fhir.encoded(fhir.request("N02BE01", "2026-10-01"))
    await keep(parts, 1, b"Ordonnance", "text/plain")
    await keep(parts, 2, prescription + b" " * MOST_BYTES)
    for number in (3, 4, 5):
        await keep(parts, number, prescription)
    clinical = await understood(parts, *map(permitted, range(1, 6)), most_documents=2)
    assert {each.document for each in clinical.medicines} == ids(3, 4)
    assert (clinical.left_out, clinical.unstructured) == (ids(2, 5), ids(1))


async def test_what_does_not_open_hides_nothing_else(parts: Parts) -> None:
    """A row that was tampered with is broken; what was erased while it was looked at is nothing."""
    prescription = fhir.encoded(fhir.request("N02BE01", "2026-10-01"))
    for number in (1, 2):
        await keep(parts, number, prescription)
    judged = [permitted(number) for number in (1, 2, 3)]
    kept = {**await parts.documents.find_all(DOSSIER, dict.fromkeys(ids(1, 2), 1)), UUID(int=3): SealBrokenError()}
    async with parts.database.begin() as connection:
        erasure = await parts.documents.erase(connection, DOSSIER, UUID(int=1))
    await parts.documents.finish(erasure)
    clinical = await ClinicalReader(parts.database, parts.documents).understand(judged, kept)
    assert [each.document for each in clinical.medicines] == [UUID(int=2)]
    assert (clinical.unstructured, clinical.broken) == (ids(1), ids(3))


async def test_a_store_that_does_not_answer_is_no_silence(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is told: less than all would look like safety."""
    await keep(parts, 1, fhir.encoded(fhir.request("N02BE01", "2026-10-01")))
    store: BlobStore = parts.store

    def fails(*_: object) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr(store, "get", fails)
    with pytest.raises(StoreUnavailableError):
        await understood(parts, permitted(1))
