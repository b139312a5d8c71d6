"""What a copy of a record says of itself: `manifest.json`, one entry for each document, with or without content."""

from uuid import UUID

import msgspec

from api.schemas.documents import Author, ContestView
from api.schemas.exports import ExportedDocument, ExportManifest
from api.services.contests import Contest
from api.services.copies.record import Record
from api.services.readable import ADVANCE_DIRECTIVES
from models.facts import Document
from models.reference import DOCUMENT_TYPES
from models.sheets import Version
from vault.documents import Kept

FORMAT = "dmp-export/2"

_encode = msgspec.json.Encoder().encode


def exported(
    document: Document, version: Version, *, contested: bool, contest: Contest | None, in_force: UUID | None
) -> ExportedDocument:
    """A document's entry, content apart; `contest` is what the contest says, if that opens."""
    kind = DOCUMENT_TYPES[document.document_type]
    return ExportedDocument(
        id=document.id,
        series=version.series,
        version=version.version,
        document_type=document.document_type,
        label=kind.label_fr,
        space=kind.space.value,
        author=Author(document.author.type, document.author.id),  # type: ignore[arg-type]  # stored by us, one of the three
        created_at=document.created_at,
        status=document.status.value,
        masked=document.masked,
        hidden_from_representatives=document.hidden_from_representatives,
        contested=contested,
        in_force=document.id == in_force if document.document_type == ADVANCE_DIRECTIVES else None,
        contest=None
        if contest is None
        else ContestView(contest.reason, contest.at, contest.kept, contest.answer, contest.answered_at),
    )


def with_content(entry: ExportedDocument, kept: Kept, path: str) -> ExportedDocument:
    """The same with the content that stands under this path."""
    return msgspec.structs.replace(
        entry,
        path=path,
        sha256=kept.sha256.hex(),
        size=kept.size,
        content_type=kept.content_type,
        title=kept.title,
        deposited_at=kept.deposited_at,
    )


def without_content(entry: ExportedDocument) -> ExportedDocument:
    """The same with a content that does not open."""
    return msgspec.structs.replace(entry, opens=False)


def encode_manifest(record: Record) -> bytes:
    """The file, for people too."""
    manifest = ExportManifest(
        format=FORMAT,
        dossier=record.dossier.id,
        state=record.dossier.state.value,
        made_at=record.at,
        made_for=f"{record.subject.type}/{record.subject.id}",
        journal=record.journal,
        journal_whole=record.journal_whole,
        documents=list(record.documents),
    )
    return msgspec.json.format(_encode(manifest), indent=2)
