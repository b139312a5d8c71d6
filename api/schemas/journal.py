"""What travels about the trace and the rules."""

from datetime import datetime

from msgspec import Struct


class Named(Struct, frozen=True):
    type: str
    id: str


class Text(Struct, frozen=True):
    """The same sentence in French and in English."""

    fr: str
    en: str


class JournalItem(Struct, frozen=True):
    """One line of a batch, a listing or an export."""

    action: str
    resource: Named
    decision: bool
    rule: str


class JournalEntry(Struct, frozen=True, omit_defaults=True):
    """One decision or change; `entry` is its number in the dossier, from 1 without a gap.

    `text` tells it to a patient. When it was is told by `at` alone, for the reader's own client to write as it does.
    """

    entry: int
    at: datetime
    subject: Named
    action: str
    resource: Named
    mode: str
    decision: bool
    rule: str
    revision: str
    client: str
    request_id: str
    text: Text
    organization: str | None = None
    reason: str = ""
    patient_present: bool = False
    obligations: list[str] = []
    change: dict[str, str | bool | None] = {}
    items: list[JournalItem] = []


class JournalPage(Struct, frozen=True):
    """Entries, newest first; `next` is given back as `after`.

    A number that is missing was erased at the end of its legal time. Its proof still says that it was there.
    """

    entries: list[JournalEntry]
    next: int | None


class PolicyLoaded(Struct, frozen=True):
    """The rule set in force: the digest of its content, since when, and the version of the bundle, if it is one's."""

    revision: str
    loaded_at: datetime
    version: int | None = None
