"""The journal in the patient's words: one plain sentence for each entry, in French and in English.

It tells who, what, under which circumstances and with what result, and never more than the entry says: no names,
which the journal does not know, and nothing of a document but that it is one, since its type may be hidden from
whoever reads. When it happened is told by the entry's instant, which the reader's own client formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from models.vocabulary import Action, Mode, Obligation
from vault.journal.actors import acting, whom
from vault.journal.english import ENGLISH
from vault.journal.entry import Entry, Item
from vault.journal.french import FRENCH, unbroken
from vault.journal.language import Language, Phrase
from vault.journal.meaning import listing_of

_GIVEN_BY_PERMISSION = frozenset(
    {
        Action.DOSSIER_EXISTS,
        Action.DOSSIER_EXPORT,
        Action.DOCUMENT_LIST,
        Action.JOURNAL_READ,
        Action.ACCESS_LIST,
        Action.DOCUMENT_READ,
        Action.MESSAGE_READ,
    }
)
"""What is done once it is permitted. Anything else was done only if the entry says what it changed."""

Reasons = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """The same in French and in English."""

    fr: str
    en: str


def sentence(entry: Entry, reasons: Mapping[str, Words]) -> Words:
    """The entry as a patient reads it; `reasons` are the sentences of rules, which tell why something was refused."""
    judged: tuple[Entry | Item, ...] = (entry, *entry.items)
    refusing = {one.rule for one in judged if not one.allowed}
    told = {rule: reasons[rule] for rule in refusing if rule in reasons}
    return Words(
        _tell(entry, FRENCH, {rule: unbroken(words.fr) for rule, words in told.items()}),
        _tell(entry, ENGLISH, {rule: words.en for rule, words in told.items()}),
    )


def _tell(entry: Entry, language: Language, reasons: Reasons) -> str:
    who, how = acting(entry, language), _how(entry, language)
    who = who[:1].upper() + who[1:]
    if entry.items:
        return _tell_batch(entry, language, reasons, who, how)
    phrase = _phrase(entry, language)
    if not entry.allowed:
        refused = language.endings.refused.format(who=who, asked=phrase.asked, how=how)
        return _because(refused, [entry.rule], language, reasons)
    if entry.action in _GIVEN_BY_PERMISSION or entry.change:
        return f"{who} {_done(entry, phrase, language)}{how}."
    return language.endings.granted.format(who=who, asked=phrase.asked, how=how) + "."


def _tell_batch(entry: Entry, language: Language, reasons: Reasons, who: str, how: str) -> str:
    batch, items = language.batch, entry.items
    if listing := listing_of(entry):
        done = language.copied if listing is Action.DOSSIER_EXPORT else language.actions[listing].done
        shown = sum(item.action == Action.DOCUMENT_READ for item in items)
        return f"{who} {done}{_count(language, batch.listed, shown)}{how}."
    made = _form(language, batch.requests, len(items)).format(who=who, n=len(items), how=how)
    actions = dict.fromkeys(item.action for item in items)
    told = (
        _tell_items(action, [item for item in items if item.action == action], language, reasons) for action in actions
    )
    return f"{made}{language.colon}{', '.join(told)}."


def _tell_items(action: str, items: list[Item], language: Language, reasons: Reasons) -> str:
    """What was asked for, and in parentheses how often it was granted and refused, and why."""
    refused = [item for item in items if not item.allowed]
    parts = []
    if granted := len(items) - len(refused):
        parts.append(_count(language, language.batch.granted, granted))
    if refused:
        count = _count(language, language.batch.refused, len(refused))
        why = _quoted([item.rule for item in refused], language, reasons)
        parts.append(f"{count}{language.colon}{why}" if why else count)
    return f"{_phrase_of(action, language).asked} ({', '.join(parts)})"


def _phrase(entry: Entry, language: Language) -> Phrase:
    """The phrase of the action, or the one that says better what this entry tells."""
    if entry.action == Action.JOURNAL_READ and Obligation.OWN_ENTRIES_ONLY in entry.obligations:
        return language.own_trace
    if entry.action == Action.DOCUMENT_REPLACE and entry.change.get("kept"):
        return language.kept
    if entry.action == Action.CARE_TEAM_CONSENT and entry.change.get("care_team_consent") is False:
        return language.withdrawn
    return _phrase_of(entry.action, language)


def _phrase_of(action: str, language: Language) -> Phrase:
    return language.actions[Action(action)] if action in frozenset(Action) else language.unknown


def _done(entry: Entry, phrase: Phrase, language: Language) -> str:
    set_to = [language.switches[each] for each in entry.change.items() if each in language.switches]
    return phrase.done.format(
        whom=whom(entry, language),
        limit=language.whom.limit if entry.change.get("until") else "",
        switches=f" ({', '.join(set_to)})" if set_to else "",
    )


def _how(entry: Entry, language: Language) -> str:
    circumstances, how = language.circumstances, ""
    if entry.mode not in frozenset(Mode):
        how += circumstances.unknown_mode
    else:
        how += circumstances.modes.get(Mode(entry.mode), "")
    if reason := " ".join(entry.reason.split()):
        how += circumstances.reason.format(language.quoted.format(reason))
    return how + circumstances.present if entry.patient_present else how


def _because(text: str, rules: list[str], language: Language, reasons: Reasons) -> str:
    """The text with the sentences of rules, which bring their full stop; without any, with its own."""
    why = _quoted(rules, language, reasons)
    return f"{text}{language.colon}{why}" if why else f"{text}."


def _quoted(rules: list[str], language: Language, reasons: Reasons) -> str:
    return ", ".join(language.quoted.format(reasons[rule]) for rule in dict.fromkeys(rules) if rule in reasons)


def _count(language: Language, forms: tuple[str, str], n: int) -> str:
    return _form(language, forms, n).format(n=n)


def _form(language: Language, forms: tuple[str, str], n: int) -> str:
    one, several = forms
    return one if n in language.singular else several
