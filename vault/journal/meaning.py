"""What an entry amounts to where no single member says it: for those who tell the journal in other forms."""

from models.facts import Reference
from models.vocabulary import Action, SubjectType
from vault.journal.entry import Entry

_ENTERING = (Action.DOCUMENT_LIST, Action.DOSSIER_EXPORT)
_SHOWN = (Action.DOCUMENT_READ, Action.JOURNAL_READ, Action.ACCESS_LIST)
_MEMBERS = ("party", "addressee")
"""The members of a change that name somebody, as `type/id`, several with spaces between them."""


def action_of(entry: Entry) -> Action | None:
    """What was done or asked for; None for what the DMP does not know, and for several actions at once.

    A listing and a copy are decided as such and then document by document, but they are one thing to whoever asked.
    """
    if showing := listing_of(entry):
        return showing
    return Action(entry.action) if entry.action in frozenset(Action) else None


def listing_of(entry: Entry) -> Action | None:
    """The action by which a listing or a copy began, when the entry is one: the other items are what it showed."""
    first = entry.items[0].action if entry.items else None
    shown = all(item.action in _SHOWN for item in entry.items[1:])
    if first in _ENTERING and shown and all(item.allowed for item in entry.items):
        return Action(first)
    return None


def asked_by_holder(entry: Entry) -> bool:
    """Whether the dossier is the asker's own; a pseudonym is the same in upper case (RFC 9562, section 4)."""
    return entry.subject.type == SubjectType.PERSON and entry.subject.id.lower() == str(entry.dossier)


def parties(entry: Entry) -> list[Reference]:
    """Whose rights a change concerns, or who is written to."""
    told = [value for name in _MEMBERS if isinstance(value := entry.change.get(name), str)]
    parts = [party.partition("/") for value in told for party in value.split()]
    return [Reference(type_, identity) for type_, _, identity in parts]
