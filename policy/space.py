"""Which situations there are.

A situation is a role, an action and, from each dimension that bears on that role and action, one alternative: a set
of facts that may hold together. Nothing else constrains it, so the space is a product that can be counted, gone
through, and asked whether a condition can hold at all. Every fact belongs to exactly one dimension.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations

from models.vocabulary import ACTIONS_ON, Action, ResourceType
from policy.words import KNOWN_ROLES, ORGANIZATION_ROLES, PROFESSIONALS, Fact, Role

_ACTIONS = frozenset(Action)
_ON_DOCUMENT = ACTIONS_ON[ResourceType.DOCUMENT]
_DEPOSIT = frozenset({Action.DOCUMENT_DEPOSIT})
_NONE: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class Dimension:
    """Facts that are told together: exactly one of the alternatives holds, where the dimension bears at all."""

    alternatives: tuple[frozenset[Fact], ...]
    roles: frozenset[Role]
    actions: frozenset[Action | None]

    @property
    def facts(self) -> frozenset[Fact]:
        return _NONE.union(*self.alternatives)

    def bears_on(self, role: Role, action: Action | None) -> bool:
        return role in self.roles and action in self.actions


def _free(*facts: Fact, roles: frozenset[Role], actions: frozenset[Action]) -> tuple[Dimension, ...]:
    """Each fact by itself: it holds or not, whatever else does."""
    return tuple(Dimension((_NONE, frozenset({fact})), roles, actions) for fact in facts)


def _subsets(*facts: Fact) -> tuple[frozenset[Fact], ...]:
    return tuple(frozenset(some) for size in range(len(facts) + 1) for some in combinations(facts, size))


def _sets(*alternatives: tuple[Fact, ...]) -> tuple[frozenset[Fact], ...]:
    return tuple(map(frozenset, alternatives))


def _modes() -> tuple[frozenset[Fact], ...]:
    """A reason, a refusal and the lifting of masks are told only in the mode where they count."""
    break_glass = _subsets(Fact.REASONED, Fact.BREAK_GLASS_REFUSED, Fact.EMERGENCY_LIFTS_MASK)
    centre_15 = _subsets(Fact.CENTRE_15_REFUSED, Fact.EMERGENCY_LIFTS_MASK)
    return (
        frozenset({Fact.NORMAL}),
        *(some | {Fact.BREAK_GLASS} for some in break_glass),
        *(some | {Fact.CENTRE_15} for some in centre_15),
    )


DIMENSIONS: tuple[Dimension, ...] = (
    # Questions that cannot be put stand alone: no role is looked at, no action kept, nothing else told (RULES §4).
    Dimension(
        _sets(
            (Fact.UNKNOWN_ACTION,),
            (Fact.UNKNOWN_MODE,),
            (Fact.UNKNOWN_ACTION, Fact.UNKNOWN_MODE),
            (Fact.NO_DOCUMENT,),
            (Fact.NO_MESSAGE,),
            (Fact.UNKNOWN_SUBJECT,),
        ),
        frozenset({Role.UNKNOWN}),
        frozenset({None}),
    ),
    Dimension(_modes(), KNOWN_ROLES, _ACTIONS),
    Dimension(_sets((), (Fact.NO_DOSSIER,), (Fact.CLOSED,), (Fact.SUSPENDED,)), KNOWN_ROLES, _ACTIONS),
    # A person who is none of these is unknown.
    Dimension(_subsets(Fact.HOLDER, Fact.LEGAL_REPRESENTATIVE, Fact.CAREGIVER)[1:], frozenset({Role.PERSON}), _ACTIONS),
    *_free(Fact.TREATING_PHYSICIAN, roles=frozenset({Role.PHYSICIAN}), actions=_ACTIONS),
    *_free(
        Fact.IN_CARE_TEAM,
        Fact.CARE_TEAM_CONSENT,
        Fact.GRANTED,
        Fact.BLOCKED,
        Fact.OWN_DOSSIER,
        Fact.SAMU_REGULATOR,
        Fact.STRONG_AUTHENTICATION,
        Fact.PATIENT_PRESENT,
        Fact.HAS_READ,
        roles=PROFESSIONALS,
        actions=_ACTIONS,
    ),
    *_free(
        Fact.FOR_SELF,
        roles=PROFESSIONALS,
        actions=frozenset({Action.ACCESS_GRANT, Action.TREATING_PHYSICIAN_DECLARE}),
    ),
    *_free(
        Fact.AUTHOR,
        roles=PROFESSIONALS | {Role.PERSON} | frozenset(ORGANIZATION_ROLES.values()),
        actions=_ON_DOCUMENT,
    ),
    *_free(Fact.HABILITATED, roles=PROFESSIONALS, actions=_ON_DOCUMENT),
    *_free(Fact.MASKED, Fact.WITHHELD, roles=KNOWN_ROLES, actions=_ON_DOCUMENT | _DEPOSIT),
    *_free(Fact.HIDDEN_FROM_REPRESENTATIVES, Fact.REIMBURSEMENT_EXPIRED, roles=KNOWN_ROLES, actions=_ON_DOCUMENT),
    Dimension(_sets((), (Fact.SUPERSEDED,), (Fact.ARCHIVED,), (Fact.DELETED,)), KNOWN_ROLES, _ON_DOCUMENT),
    Dimension(
        _sets(
            (),
            (Fact.KNOWN_DOCUMENT_TYPE,),
            (Fact.KNOWN_DOCUMENT_TYPE, Fact.REIMBURSEMENT),
            (Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_DOCUMENT),
            (Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_EXPRESSION),
            (Fact.KNOWN_DOCUMENT_TYPE, Fact.PATIENT_DOCUMENT, Fact.PATIENT_EXPRESSION),
        ),
        KNOWN_ROLES,
        _DEPOSIT,
    ),
    *_free(Fact.CORRESPONDENT, roles=PROFESSIONALS, actions=ACTIONS_ON[ResourceType.MESSAGE]),
)


@cache
def dimensions(role: Role, action: Action | None) -> tuple[Dimension, ...]:
    """Those that bear on this role and this action; none at all when the two never meet."""
    return tuple(dimension for dimension in DIMENSIONS if dimension.bears_on(role, action))


def is_consistent(role: Role, action: Action | None, bits: int) -> bool:
    """Whether there is a situation with just these facts, given as the sum of their bits."""
    told = 0
    for alternatives, facts in _alternatives(role, action):
        told |= facts
        if bits & facts not in alternatives:
            return False
    return bool(told) and not bits & ~told


def can_hold(role: Role, action: Action | None, needs: int, bars: int) -> bool:
    """Whether there is a situation with all the facts of `needs` and none of `bars`, both sums of the facts' bits."""
    told = 0
    for alternatives, facts in _alternatives(role, action):
        told |= facts
        if facts & (needs | bars) and not any(not needs & facts & ~some and not bars & some for some in alternatives):
            return False
    return bool(told) and not needs & ~told


@cache
def _alternatives(role: Role, action: Action | None) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The bits of each alternative of each dimension, and those of all of them together."""
    return tuple(
        (tuple(map(_bits, dimension.alternatives)), _bits(dimension.facts)) for dimension in dimensions(role, action)
    )


def _bits(facts: frozenset[Fact]) -> int:
    return sum(fact.bit for fact in facts)
