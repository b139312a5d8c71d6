"""What travels about the copy of a record, and what stands in it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from api.schemas.documents import Author, ContestView


class ExportTicket(Struct, frozen=True):
    """Where a copy is fetched, by the same subject, until it expires."""

    id: str
    expires_at: datetime


class ExportedDocument(Struct, frozen=True, omit_defaults=True):
    """One document of the copy; without `path` there is none: nothing was deposited, or it does not open."""

    id: UUID
    series: UUID
    version: int
    document_type: str
    label: str
    space: str
    author: Author
    created_at: datetime
    status: str
    masked: bool
    hidden_from_representatives: bool
    contested: bool
    path: str | None = None
    sha256: str | None = None
    size: int | None = None
    content_type: str = ""
    title: str = ""
    deposited_at: datetime | None = None
    opens: bool = True
    in_force: bool | None = None
    contest: ContestView | None = None


class ExportManifest(Struct, frozen=True):
    """`manifest.json`: what is in the archive, which holds what its subject may read, and nothing else.

    `journal` names the file of the journal, if it is there; it is whole, or holds its subject's own entries only.
    """

    format: str
    dossier: UUID
    state: str
    made_at: datetime
    made_for: str
    journal: str | None
    journal_whole: bool
    documents: list[ExportedDocument]
