"""How questions name a dossier, a document or a message; and what a permission is about."""

from uuid import UUID

from api.errors import RefusedError
from api.services.judging import Judgement
from models.facts import Document, Reference
from models.vocabulary import ResourceType


def of_dossier(identity: UUID) -> Reference:
    """A dossier as questions name it."""
    return Reference(ResourceType.DOSSIER.value, str(identity))


def of_document(identity: UUID) -> Reference:
    """A document as questions name it."""
    return Reference(ResourceType.DOCUMENT.value, str(identity))


def of_message(identity: UUID) -> Reference:
    """A message as questions name it."""
    return Reference(ResourceType.MESSAGE.value, str(identity))


def document_of(judgement: Judgement) -> tuple[UUID, Document]:
    """The dossier and the document of a permission; there are both, since `no-document` refuses otherwise."""
    case = judgement.case
    if case.document is None or case.dossier is None:
        raise RefusedError("no-document")
    return case.dossier.id, case.document
