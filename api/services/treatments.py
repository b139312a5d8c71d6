"""The treatments of a dossier in one line of time: a view of documents, judged line by line like any listing."""

from collections.abc import Mapping
from uuid import UUID

from api.services.documents import DocumentService, Listing, Wanted
from api.services.judging import Actor
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Category, Space

_WHATEVER_THE_SPACE = frozenset({Category.ADMINISTERED_TREATMENT, Category.REIMBURSEMENT})

KINDS: Mapping[str, Category] = {
    code: kind.category
    for code, kind in DOCUMENT_TYPES.items()
    if kind.space is Space.TREATMENTS or kind.category in _WHATEVER_THE_SPACE
}
"""What stands in the line, by type: the space of treatments, what was administered, what was reimbursed (RULES §7)."""

_WANTED = Wanted(KINDS.keys(), current_only=True)


async def treatments(documents: DocumentService, actor: Actor, dossier: UUID, after: str | None, limit: int) -> Listing:
    """A page of the line, newest first; one entry of the journal names what it shows. Past versions are left out."""
    return await documents.page(actor, dossier, _WANTED, after, limit)
