"""Reminders: what people of the holder's age are advised, and which readable documents may attest that it was done.

They are computed from the age and from what the asker may read (RULES §7): a document that he may not read changes
nothing in the answer. A type of document says that there was a vaccination, not against what: hence `check` and not
`done` where one is found.
"""

from calendar import isleap, monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from api.services.judging import Actor, Judging
from api.services.readable import readable
from api.services.references import of_dossier
from models.database import Database
from models.facts import Document
from models.reference.reminders import REMINDERS, ReminderRule
from models.vocabulary import Action, DocumentStatus

_PARIS = ZoneInfo("Europe/Paris")
_MONTHS_IN_A_YEAR = 12
_LEAP_DAY = (2, 29)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A rule that concerns the holder today; `since` is the day from which a document may attest that it was done."""

    rule: ReminderRule
    since: date
    documents: Sequence[UUID]


class ReminderService:
    """The reminders' use case."""

    def __init__(self, database: Database, judging: Judging, rules: Mapping[str, ReminderRule] = REMINDERS) -> None:
        self._database = database
        self._judging = judging
        self._rules = rules

    async def reminders(self, actor: Actor, dossier: UUID) -> list[Reminder]:
        """Those of today; one entry of the journal names the documents that they mention."""
        entered = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        born = entered.case.dossier.born if entered.case.dossier else None
        today = entered.case.question.at.astimezone(_PARIS).date()
        rules = concerning(self._rules.values(), born, today) if born else []
        types = {code for rule in rules for code in rule.document_types}
        judged = await readable(self._database, self._judging, actor, entered, types)
        documents = [each.case.document for each in judged if each.case.document]
        found = [_reminder(rule, born, today, documents) for rule in rules] if born else []
        mentioned = {identity for reminder in found for identity in reminder.documents}
        used = [each for each in judged if each.case.document and each.case.document.id in mentioned]
        await self._judging.record(actor.caller, [entered, *used])
        return found


def concerning(rules: Iterable[ReminderRule], born: date, today: date) -> list[ReminderRule]:
    """The rules for people of this age."""
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return [rule for rule in rules if rule.from_age <= age <= rule.to_age]


def _reminder(rule: ReminderRule, born: date, today: date, documents: Iterable[Document]) -> Reminder:
    since = max(_birthday(born, rule.from_age), _months_before(today, rule.interval_months))
    attesting = [
        document.id
        for document in documents
        if document.document_type in rule.document_types
        and document.status is DocumentStatus.CURRENT
        and since <= document.created_at.astimezone(_PARIS).date() <= today
    ]
    return Reminder(rule, since, attesting)


def _birthday(born: date, age: int) -> date:
    """On which the holder has this age; those born on 29 February have it on 1 March of other years."""
    year = born.year + age
    if (born.month, born.day) == _LEAP_DAY and not isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def _months_before(day: date, months: int) -> date:
    """The same day so many months before, or the last one of that month."""
    year, month = divmod(day.year * _MONTHS_IN_A_YEAR + day.month - 1 - months, _MONTHS_IN_A_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
