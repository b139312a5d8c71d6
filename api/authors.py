"""Authors as callers name them: a kind, and the identifier that goes with it."""

from collections.abc import Callable, Mapping

from models.facts import Reference
from models.identifiers import InvalidIdentifierError, parse_organization, parse_pseudonym, parse_rpps
from models.vocabulary import SubjectType

_KINDS: Mapping[str, Callable[[str], str]] = {
    SubjectType.PROFESSIONAL.value: parse_rpps,
    SubjectType.ORGANIZATION.value: parse_organization,
    SubjectType.PERSON.value: lambda text: str(parse_pseudonym(text)),
}


def author_of(kind: str, identifier: str) -> Reference:
    """A professional (RPPS), an organization (FINESS or SIREN) or a person. Raises InvalidIdentifierError."""
    if kind not in _KINDS:
        msg = "an author is a professional, an organization or a person"
        raise InvalidIdentifierError(msg)
    return Reference(kind, _KINDS[kind](identifier))
