"""What a copy of a record says of itself: `manifest.json`, one entry for each document, with or without content."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from api.errors import RefusedError
from api.schemas.documents import Author
from api.schemas.exports import ExportedDocument, ExportManifest
from api.services.readable import ADVANCE_DIRECTIVES
from models.facts import Case, Document
from models.queries.documents import Standing
from models.reference import DOCUMENT_TYPES
from vault.documents import Kept

FORMAT = "dmp-export/1"
_EXTENSIONS = {
    "application/dicom": "dcm",
    "application/fhir+json": "json",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/plain": "txt",
    "text/xml": "xml",
}

_encode = msgspec.json.Encoder().encode


def exported(
    document: Document, standing: Standing, kept: Kept | None, *, opens: bool, in_force: UUID | None
) -> ExportedDocument:
    """A document's entry; `kept` is its content, if it has one that opens."""
    kind = DOCUMENT_TYPES[document.document_type]
    described = ExportedDocument(
        id=document.id,
        series=standing.version.series,
        version=standing.version.version,
        document_type=document.document_type,
        label=kind.label_fr,
        space=kind.space.value,
        author=Author(document.author.type, document.author.id),  # type: ignore[arg-type]  # stored by us, one of the three
        created_at=document.created_at,
        status=document.status.value,
        masked=document.masked,
        hidden_from_representatives=document.hidden_from_representatives,
        contested=standing.contest_sealed is not None,
        opens=opens,
        in_force=document.id == in_force if document.document_type == ADVANCE_DIRECTIVES else None,
    )
    if kept is None:
        return described
    return msgspec.structs.replace(
        described,
        path=_path(document, kept.content_type),
        sha256=kept.sha256.hex(),
        size=kept.size,
        content_type=kept.content_type,
        title=kept.title,
        deposited_at=kept.deposited_at,
    )


def encode_manifest(entered: Case, journal: str | None, documents: Sequence[ExportedDocument]) -> bytes:
    """The file, for people too. `journal` is the name of the journal's file, if there is one."""
    if entered.dossier is None:
        raise RefusedError("no-dossier")
    question = entered.question
    manifest = ExportManifest(
        format=FORMAT,
        dossier=entered.dossier.id,
        state=entered.dossier.state.value,
        made_at=question.at,
        made_for=f"{question.subject.type}/{question.subject.id}",
        journal=journal,
        documents=list(documents),
    )
    return msgspec.json.format(_encode(manifest), indent=2)


def _path(document: Document, content_type: str) -> str:
    """Day, type and id in the folder of the space; the title, which may hold anything, stands in the manifest."""
    space = DOCUMENT_TYPES[document.document_type].space.value
    extension = _EXTENSIONS.get(content_type, "bin")
    return f"documents/{space}/{document.created_at.date()}_{document.document_type}_{document.id}.{extension}"
