"""What travels about reminders."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class ReminderSource(Struct, frozen=True):
    """Who says so, and in which year."""

    name: str
    year: int


class ReminderView(Struct, frozen=True, omit_defaults=True):
    """A reminder: `check` where one of `documents` may attest that it was done since, `due` where none does.

    `last` is when it was done last, too long ago; `grounds` are the documents that state the condition it is for.
    """

    rule: str
    status: str
    text: dict[str, str]
    since: date
    documents: list[UUID]
    source: ReminderSource
    last: date | None = None
    grounds: list[UUID] = []


class Reminders(Struct, frozen=True):
    reminders: list[ReminderView]
