"""Ties of a dossier's sheet with one of them changed: the others stay as they are packed, and none is read for it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from models.facts import Reference, Relation, Representation
from models.sheets import TIE_SIZE, pack_ties, relations_of, relations_with, representations_of
from models.vocabulary import RelationKind, SubjectType

_WHICH = 18
"""Kind of party, party, and kind of tie: the bytes that begin one tie alone."""


def with_relation(ties: bytes, given: Relation) -> bytes:
    """With this relation, in the place of one of the same party and kind. Raises ValueError as `pack_ties`."""
    return _with(ties, pack_ties([given], ()))


def with_representation(ties: bytes, given: Representation) -> bytes:
    """With this representation, in the place of one of the same person and kind."""
    return _with(ties, pack_ties((), [given]))


def without_relations(
    ties: bytes, party: Reference, kinds: Collection[RelationKind]
) -> tuple[bytes, frozenset[RelationKind]]:
    """Without these relations of a party; and which of them there were."""
    held = relations_of(ties)
    ended = [each for each in held if each.party == party and each.kind in kinds]
    kept = [each for each in held if each not in ended]
    return (pack_ties(kept, representations_of(ties)) if ended else ties), frozenset(each.kind for each in ended)


def with_treating_physicians(ties: bytes, declared: Iterable[str], at: datetime) -> bytes:
    """With these professionals declared: from now on and without end.

    One declared before and still in force keeps its beginning.
    """
    for rpps in declared:
        party = Reference(SubjectType.PROFESSIONAL.value, rpps)
        ties = with_relation(ties, Relation(party, RelationKind.TREATING_PHYSICIAN, _begun(ties, party, at)))
    return ties


def _begun(ties: bytes, party: Reference, at: datetime) -> datetime | None:
    for each in relations_with(ties, [party]):
        if each.kind is RelationKind.TREATING_PHYSICIAN and is_in_force(each, at):
            return each.since
    return at


def is_in_force(relation: Relation, at: datetime) -> bool:
    """From `since`, before `until` (RULES §1)."""
    begun = relation.since is None or relation.since <= at
    return begun and (relation.until is None or at < relation.until)


def _with(ties: bytes, given: bytes) -> bytes:
    which = given[:_WHICH]
    entries = [ties[place : place + TIE_SIZE] for place in range(0, len(ties), TIE_SIZE)]
    return b"".join(sorted([given, *(each for each in entries if each[:_WHICH] != which)]))
