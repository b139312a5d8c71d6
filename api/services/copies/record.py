"""What the small files of a copy are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.schemas.exports import ExportedDocument
from api.services.copies.wording import Directory
from models.facts import Dossier, Reference, Relation, Representation


@dataclass(frozen=True, slots=True)
class Accesses:
    """Who has access, or is kept out."""

    relations: Sequence[Relation]
    representations: Sequence[Representation]


@dataclass(frozen=True, slots=True)
class Record:
    """What a copy tells of a record: `accesses` and `journal`, the name of its file, where the subject may see them."""

    dossier: Dossier
    subject: Reference
    at: datetime
    documents: Sequence[ExportedDocument]
    directory: Directory
    accesses: Accesses | None = None
    journal: str | None = None
    journal_whole: bool = False
