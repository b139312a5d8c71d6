"""What a language must have words for, so that a line of the journal can be told to a patient in it.

Templates are those of `str.format`: `{}` takes the one thing that there is to say, names say the rest.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.vocabulary import Action, Mode, OrganizationKind, ProfessionKind, RepresentationKind


class Phrase(NamedTuple):
    """What was done, and the same as something that is only asked for, which names nobody.

    `done` may have room for `{whom}`, `{limit}` and `{switches}`.
    """

    done: str
    asked: str


class Subjects(NamedTuple):
    """Who acts, without a capital; `of_structure` has room for the structure that a person works for."""

    holder: str
    representatives: Mapping[RepresentationKind, str]
    other_person: str
    professionals: Mapping[ProfessionKind, str]
    professional: str
    organizations: Mapping[OrganizationKind, str]
    organization: str
    of_structure: str
    service: str
    unknown: str


class Numbers(NamedTuple):
    """What stands in parentheses after the subject, each with room for the number as it was given."""

    rpps: str
    organization: str
    other: str


class Whom(NamedTuple):
    """Whose rights a change concerns; `somebody` where it does not say, `limit` where they end by themselves."""

    professional: str
    organization: str
    somebody: str
    conjunction: str
    limit: str


class Circumstances(NamedTuple):
    """How it was done: each begins with what joins it to the sentence."""

    modes: Mapping[Mode, str]
    unknown_mode: str
    reason: str
    present: str


class Endings(NamedTuple):
    """How a request ended where its phrase does not say it, with room for `{who}`, `{asked}` and `{how}`."""

    granted: str
    refused: str


class Batch(NamedTuple):
    """Several requests told at once, each in words for one and for several of them.

    `requests` counts them all, with room for `{who}` and `{how}`; `listed` the documents that a list or a copy holds.
    """

    requests: tuple[str, str]
    listed: tuple[str, str]
    granted: tuple[str, str]
    refused: tuple[str, str]


class Language(NamedTuple):
    """All words of a language.

    `unknown` is an action that does not exist. The three phrases after it and `copied` tell what the action alone
    does not: that only the asker's own accesses were shown, that a contested document was kept, that a consent was
    withdrawn, that a copy was not only asked for. `colon` joins a reason or a list, `quoted` holds what others wrote;
    `singular` are the numbers that take the singular.
    """

    actions: Mapping[Action, Phrase]
    unknown: Phrase
    own_trace: Phrase
    kept: Phrase
    withdrawn: Phrase
    copied: str
    switches: Mapping[tuple[str, str | bool | None], str]
    professions: Mapping[str, str]
    subjects: Subjects
    numbers: Numbers
    whom: Whom
    circumstances: Circumstances
    endings: Endings
    batch: Batch
    colon: str
    quoted: str
    singular: frozenset[int]
