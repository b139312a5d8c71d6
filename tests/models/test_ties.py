"""A tie that changes: what is packed then is what packing all ties anew would give."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from models.facts import Reference, Relation, Representation
from models.sheets import pack_ties, relations_of, representations_of
from models.ties import (
    is_in_force,
    with_relation,
    with_representation,
    with_treating_physicians,
    without_relations,
)
from models.vocabulary import RelationKind, RepresentationKind

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
JULIE, KARIM = "10001234565", "10001234573"

# Few parties and persons, so that they meet.
instants = st.none() | st.sampled_from([AT - DAY, AT, AT + DAY])
parties = st.builds(Reference, st.sampled_from(["professional", "organization"]), st.sampled_from([JULIE, KARIM]))
relations = st.builds(Relation, parties, st.sampled_from(RelationKind), instants, instants)
persons = st.integers(1, 3).map(lambda number: UUID(int=number))
representations = st.builds(Representation, persons, st.sampled_from(RepresentationKind), instants)
held_relations = st.lists(relations, unique_by=lambda each: (each.party, each.kind))
held_representations = st.lists(representations, unique_by=lambda each: (each.person, each.kind))


def known(given: Relation | Representation) -> tuple[object, object]:
    """What no two ties of a dossier have in common."""
    return (given.party if isinstance(given, Relation) else given.person, given.kind)


@given(held_relations, held_representations, relations)
def test_a_relation_takes_the_place_of_its_like(
    held: list[Relation], others: list[Representation], written: Relation
) -> None:
    """Of the same party and kind; every other tie stays."""
    kept = [each for each in held if known(each) != known(written)]
    assert with_relation(pack_ties(held, others), written) == pack_ties([*kept, written], others)


@given(held_relations, held_representations, representations)
def test_a_representation_takes_the_place_of_its_like(
    held: list[Relation], others: list[Representation], written: Representation
) -> None:
    """Of the same person and kind; every other tie stays."""
    kept = [each for each in others if known(each) != known(written)]
    assert with_representation(pack_ties(held, others), written) == pack_ties(held, [*kept, written])


@given(held_relations, held_representations, parties, st.sets(st.sampled_from(RelationKind)))
def test_relations_end(
    held: list[Relation], others: list[Representation], party: Reference, kinds: set[RelationKind]
) -> None:
    """Those of that party and of these kinds, which are told; every other tie stays."""
    ended = [each for each in held if each.party == party and each.kind in kinds]
    left, told = without_relations(pack_ties(held, others), party, kinds)
    assert left == pack_ties([each for each in held if each not in ended], others)
    assert told == {each.kind for each in ended}


@given(held_relations, held_representations, st.sets(st.sampled_from([JULIE, KARIM])))
def test_a_declaration_is_from_now_on_and_without_end(
    held: list[Relation], others: list[Representation], declared: set[str]
) -> None:
    """One that is in force keeps its beginning; nobody else's ties are touched."""
    now = with_treating_physicians(pack_ties(held, others), declared, AT)
    kind = RelationKind.TREATING_PHYSICIAN
    before = {known(each): each for each in held}
    expected = dict(before)
    for rpps in declared:
        fresh = Relation(Reference("professional", rpps), kind, AT)
        was = before.get(known(fresh))
        expected[known(fresh)] = Relation(fresh.party, kind, was.since if was and is_in_force(was, AT) else AT)
    assert {known(each): each for each in relations_of(now)} == expected
    assert representations_of(now) == representations_of(pack_ties((), others))


def test_what_is_in_force() -> None:
    """From its beginning on, before its end (RULES §1)."""
    begun = (None, AT - DAY, AT, AT + DAY)
    julie = Reference("professional", JULIE)
    in_force = {
        (since, until)
        for since in begun
        for until in begun
        if is_in_force(Relation(julie, RelationKind.GRANTED, since, until), AT)
    }
    assert in_force == {(since, until) for since in (None, AT - DAY, AT) for until in (None, AT + DAY)}
