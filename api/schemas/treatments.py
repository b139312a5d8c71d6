"""What travels about treatments."""

from datetime import datetime

from msgspec import Struct

from api.schemas.documents import DocumentView


class TreatmentLine(Struct, frozen=True, omit_defaults=True):
    """One thing in the line of time; `kind` is a category of documents, and `document` says what stands there."""

    at: datetime
    kind: str
    document: DocumentView | None = None


class TreatmentPage(Struct, frozen=True):
    """Lines, newest first; `next` is given back as `after`."""

    lines: list[TreatmentLine]
    next: str | None
