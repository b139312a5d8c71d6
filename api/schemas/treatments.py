"""What travels about treatments and reminders."""

from datetime import date, datetime
from uuid import UUID

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


class ReminderSource(Struct, frozen=True):
    """Who says so, and in which year."""

    name: str
    year: int


class ReminderView(Struct, frozen=True):
    """A reminder: `check` where one of `documents` may attest that it was done since, `due` where none does."""

    rule: str
    status: str
    text: dict[str, str]
    since: date
    documents: list[UUID]
    source: ReminderSource


class Reminders(Struct, frozen=True):
    reminders: list[ReminderView]
