"""What a change to a document owes to whom, through the outbox (RULES §4.4, §7)."""

from datetime import datetime, timedelta
from uuid import UUID

from models.facts import Document
from models.vocabulary import Notice, SubjectType
from vault.journal.notifying import Owed

INVITED_AFTER = timedelta(weeks=2)
"""So long a document was withheld when its patient is invited to consult the professional (CSP R1111-53)."""


def of_contest(contested: Document, at: datetime) -> list[Owed]:
    """To the author, unless he is a person."""
    if contested.author.type == SubjectType.PERSON:
        return []
    return [Owed(Notice.DOCUMENT_CONTESTED, contested.id, at)]


def of_answer(contested: UUID, at: datetime) -> list[Owed]:
    """To the patient, who contested it or for whom it was contested."""
    return [Owed(Notice.CONTEST_ANSWERED, contested, at)]


def of_withholding(deposited: Document, at: datetime) -> list[Owed]:
    """To the patient after two weeks, if what was deposited is withheld from him; moot if it no longer is by then."""
    if deposited.withheld_until is None:
        return []
    return [Owed(Notice.STILL_WITHHELD, deposited.id, at + INVITED_AFTER)]
