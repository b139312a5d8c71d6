"""A situation as a reviewer types it: a role, an action, and facts in any order."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from models.vocabulary import Action
from policy.errors import SituationError
from policy.review.telling import listed
from policy.situation import Situation
from policy.space import DIMENSIONS, Dimension, dimensions
from policy.words import ACTION_WORDS, FACTS, KNOWN_ROLES, NO_ACTION, Fact, Role

_MODES = frozenset({Fact.NORMAL, Fact.BREAK_GLASS, Fact.CENTRE_15})
_TOGETHER = {
    Fact.UNKNOWN_ACTION: (
        "a question cannot be put for one reason: unknown_action, unknown_mode or both; no_document; no_message; or "
        "unknown_subject"
    ),
    Fact.NORMAL: (
        "there is exactly one mode: normal; break_glass, with any of reasoned, break_glass_refused and "
        "emergency_lifts_mask; or centre_15, with any of centre_15_refused and emergency_lifts_mask"
    ),
    Fact.NO_DOSSIER: "a dossier has at most one state: no_dossier, closed or suspended; without any it is open",
    Fact.HOLDER: "a person is at least one of: holder, legal_representative, caregiver",
    Fact.SUPERSEDED: "a document has at most one status: superseded, archived or deleted; without any it is current",
    Fact.KNOWN_DOCUMENT_TYPE: (
        "reimbursement, patient_document and patient_expression need known_document_type, and reimbursement goes with "
        "neither of the other two"
    ),
}
"""What each dimension of several facts says, by one of its facts."""


def situation_of_words(words: Sequence[str]) -> Situation:
    """The situation of these words, in normal mode if they tell none.

    Raises SituationError, which suggests the nearest word for one that is not known, and says which facts do not go
    together and why.
    """
    if len(words) < 2:  # noqa: PLR2004 - a role and an action
        raise SituationError("a situation is a role, an action and facts")
    role = Role(_known("role", words[0], Role))
    action_word = _known("action", words[1], ACTION_WORDS)
    action = None if action_word == NO_ACTION else Action(action_word)
    bearing = dimensions(role, action)
    if not bearing:
        raise SituationError(f"{role} and {action_word} do not meet: {NO_ACTION} is what only {Role.UNKNOWN} asks")
    facts = _facts(words[2:])
    if action is not None and not facts & _MODES:
        facts |= {Fact.NORMAL}
    _refuse_untold(role, action_word, facts, bearing)
    for dimension in bearing:
        if facts & dimension.facts not in dimension.alternatives:
            raise SituationError(_fault(facts & dimension.facts, dimension))
    return Situation.of(role, action, facts)


def _known(what: str, word: str, vocabulary: Iterable[str]) -> str:
    known = tuple(map(str, vocabulary))
    if word in known:
        return word
    near = get_close_matches(word, known, n=1)
    raise SituationError(f"{word!r} is no known {what}{f'; did you mean {near[0]}?' if near else ''}")


def _facts(words: Sequence[str]) -> frozenset[Fact]:
    facts = [FACTS[_known("fact", word, FACTS)] for word in words]
    for fact in facts:
        if facts.count(fact) > 1:
            raise SituationError(f"{fact} is told twice")
    return frozenset(facts)


def _refuse_untold(role: Role, action: str, facts: frozenset[Fact], bearing: Sequence[Dimension]) -> None:
    """Raises SituationError on a fact that is never told of this role and this action."""
    for fact in Fact:
        if fact in facts and not any(fact in each.facts for each in bearing):
            (home,) = (each for each in DIMENSIONS if fact in each.facts)
            if role not in home.roles:
                whom = [str(each) for each in Role if each in home.roles]
                known = "whoever is known" if home.roles == KNOWN_ROLES else listed(whom, "or")
                raise SituationError(f"{fact} is not told of {role}, only of {known}")
            what = listed([str(each) for each in Action if each in home.actions], "or")
            raise SituationError(f"{fact} is not told of {action}, only of {what}")


def _fault(told: frozenset[Fact], dimension: Dimension) -> str:
    (rule,) = (words for fact, words in _TOGETHER.items() if fact in dimension.facts)
    given = listed([fact.value for fact in Fact if fact in told]) or "nothing"
    return f"{rule}; told was {given}"
