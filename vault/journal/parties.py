"""Whom an entry is about beside its resource: is it the holder who asks, and whose rights change?"""

from models.facts import Reference
from models.vocabulary import SubjectType
from vault.journal.entry import Entry

_MEMBERS = ("party", "addressee")
"""The members of a change that name somebody, as `type/id`, several with spaces between them."""


def asked_by_holder(entry: Entry) -> bool:
    """Whether the dossier is the asker's own; a pseudonym is the same in upper case (RFC 9562, section 4)."""
    return entry.subject.type == SubjectType.PERSON and entry.subject.id.lower() == str(entry.dossier)


def parties(entry: Entry) -> list[Reference]:
    """Whose rights a change concerns, or who is written to."""
    told = [value for name in _MEMBERS if isinstance(value := entry.change.get(name), str)]
    parts = [party.partition("/") for value in told for party in value.split()]
    return [Reference(type_, identity) for type_, _, identity in parts]
