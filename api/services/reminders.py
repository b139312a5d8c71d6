"""Reminders: what the holder's age, sex and conditions call for, and which readable documents say that it was done.

They are computed from what the asker may read (RULES §7): a document that he may not read changes nothing in the
answer. An act of the right code settles a reminder; a type of document alone says that there was a vaccination, not
against what: hence `check` and not silence. A protocol of long-term illness that is not structured names no condition.
"""

from calendar import isleap, monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from api.services.clinical import Clinical, ClinicalReader, Code
from api.services.holders import ins_of
from api.services.judging import Actor, Judging
from api.services.references import of_dossier
from models.database import Database
from models.facts import Document
from models.reference.reminders import REMINDERS, ReminderRule, Settling
from models.vocabulary import Action, DocumentStatus, Sex
from vault.keys import DossierKeys

_PARIS = ZoneInfo("Europe/Paris")
_MONTHS_IN_A_YEAR = 12
_LEAP_DAY = (2, 29)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A rule that concerns the holder today.

    `since` is the day from which an act settles it, `last` that of the last one known, before it. `documents` may
    attest that it was done; `grounds` name the condition that calls for it.
    """

    rule: ReminderRule
    since: date
    last: date | None
    documents: Sequence[UUID]
    grounds: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class _Known:
    """What one asker may know of the holder on a day."""

    today: date
    born: date
    documents: Sequence[Document]
    clinical: Clinical


class ReminderService:
    """The reminders' use case."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        keys: DossierKeys,
        reader: ClinicalReader,
        rules: Mapping[str, ReminderRule] = REMINDERS,
    ) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._reader = reader
        self._rules = rules

    async def reminders(self, actor: Actor, dossier: UUID) -> list[Reminder]:
        """Those of today; one entry of the journal names the documents that they rest on."""
        entered = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        born = entered.case.dossier.born if entered.case.dossier else None
        if born is None:
            await self._judging.record(actor.caller, [entered])
            return []
        today = entered.case.question.at.astimezone(_PARIS).date()
        rules = await self._concerning(dossier, born, today)
        judged = list(await self._judging.readable(actor, entered))
        clinical = await self._reader.read(dossier, judged)
        documents = [each.case.document for each in judged if each.case.document]
        known = _Known(today, born, documents, clinical)
        found = [(rule, grounds) for rule in rules if (grounds := _grounds(rule, clinical)) is not None]
        used: set[UUID] = set()
        reminders = [each for rule, grounds in found if (each := _reminder(rule, grounds, known, used))]
        rests_on = [each for each in judged if each.case.document and each.case.document.id in used]
        await self._judging.record(actor.caller, [entered, *rests_on])
        if broken := [each for each in judged if each.case.document and each.case.document.id in clinical.broken]:
            await self._judging.record(actor.caller, [each.broken() for each in broken])
        return reminders

    async def _concerning(self, dossier: UUID, born: date, today: date) -> list[ReminderRule]:
        """The rules for people of this age and sex; the sex is looked up where it matters."""
        rules = of_age(self._rules.values(), born, today)
        if not any(rule.sex for rule in rules):
            return rules
        ins = await ins_of(self._database, self._keys, dossier)
        return of_sex(rules, ins.sex if ins else None)


def of_age(rules: Iterable[ReminderRule], born: date, today: date) -> list[ReminderRule]:
    """The rules for people of this age."""
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return [rule for rule in rules if rule.from_age <= age <= rule.to_age]


def of_sex(rules: Iterable[ReminderRule], sex: Sex | None) -> list[ReminderRule]:
    """The rules for people of this sex; where it is not known, those for everybody."""
    return [rule for rule in rules if rule.sex in {None, sex}]


def _grounds(rule: ReminderRule, clinical: Clinical) -> list[UUID] | None:
    """The documents by which the holder has the condition of a rule; none for a rule without; None if he has not."""
    if not rule.conditions:
        return []
    grounds = [condition.document for condition in clinical.conditions if _meets(rule.conditions, condition.codes)]
    return list(dict.fromkeys(grounds)) or None


def _reminder(rule: ReminderRule, grounds: Sequence[UUID], known: _Known, used: set[UUID]) -> Reminder | None:
    """None if it is settled; what says so, or else what is told, is added to `used`."""
    since = max(_birthday(known.born, rule.from_age), _months_before(known.today, rule.interval_months))
    acts = sorted(
        (act.on, act.document) for act in known.clinical.acts if act.on <= known.today and _meets(rule.codes, act.codes)
    )
    used.update(grounds)
    last = None
    if acts:
        last, document = acts[-1]
        used.add(document)
        if last >= since:
            return None
    attesting = [
        document.id
        for document in known.documents
        if document.id in known.clinical.unstructured
        and document.document_type in rule.document_types
        and document.status is DocumentStatus.CURRENT
        and since <= document.created_at.astimezone(_PARIS).date() <= known.today
    ]
    used.update(attesting)
    return Reminder(rule, since, last, attesting, grounds)


def _meets(wanted: Iterable[Settling], codes: Collection[Code]) -> bool:
    return any(each.is_met_by(code.system, code.value) for each in wanted for code in codes)


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
