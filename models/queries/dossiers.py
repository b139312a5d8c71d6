"""What is written about a dossier: its life, its holder's choices, and who may enter it."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import insert, load_or_change, storable
from models.errors import ConstraintError
from models.facts import Reference, Relation, Representation
from models.tables import (
    document,
    dossier,
    has_read,
    idempotency,
    inquiry,
    message,
    notification,
    place,
    relation,
    representation,
    scrub_finding,
)
from models.vocabulary import DossierState, RelationKind, RepresentationKind, SubjectType

# Of a relation that is there, to one that is declared: what is in force keeps its beginning, and has no end any more.
_DECLARED = (
    "since = CASE WHEN (relation.since IS NULL OR relation.since <= excluded.since) "
    "AND (relation.until IS NULL OR relation.until > excluded.since) THEN relation.since ELSE excluded.since END, "
    "until = NULL"
)
_FACTS = (document, message, relation, representation, has_read, idempotency, notification, inquiry, scrub_finding)


async def open_dossier(
    connection: AsyncConnection,
    identity: UUID,
    *,
    at: datetime,
    ins_sealed: bytes | None = None,
    born: date | None = None,
    protected: bool = False,
) -> bool:
    """Open a dossier, its switches at their defaults. False, and nothing done, if there is one that is not `none`."""
    values = {
        "state": DossierState.OPEN,
        "state_since": at,
        "born": born,
        "protected": protected,
        "care_team_consent": False,
        "refuses_break_glass": False,
        "refuses_centre_15": False,
        "masked_in_emergency": False,
        "ins_sealed": ins_sealed,
        "opened_at": at,
    }
    opening = (
        insert(connection, dossier)
        .values(id=identity, **values)
        .on_conflict_do_update(
            index_elements=[dossier.c.id], set_=values, where=dossier.c.state == DossierState.NONE.value
        )
        .returning(dossier.c.id)
    )
    return (await connection.execute(opening)).first() is not None


async def hold_dossier(connection: AsyncConnection, identity: UUID) -> None:
    """Keep a dossier from being erased until the transaction ends: whatever adds to a dossier begins so.

    Raises ConstraintError if there is none.
    """
    held = select(dossier.c.id).where(dossier.c.id == identity).with_for_update(read=True, key_share=True)
    if (await connection.execute(held)).first() is None:
        raise ConstraintError("there is no such dossier")


async def lock_dossier(connection: AsyncConnection, identity: UUID) -> tuple[DossierState, datetime] | None:
    """Its state, and since when, ours to change until the transaction ends; None if there is no such dossier.

    Whoever is adding to it ends first.
    """
    locked = select(dossier.c.state, dossier.c.state_since).where(dossier.c.id == identity).with_for_update()
    row = (await connection.execute(locked)).one_or_none()
    return None if row is None else (DossierState(row.state), row.state_since)


async def set_state(connection: AsyncConnection, identity: UUID, state: DossierState, at: datetime) -> bool:
    """Close, reopen or suspend; False if there is no such dossier or it is in that state already."""
    changed = (
        update(dossier)
        .where(dossier.c.id == identity, dossier.c.state != state.value)
        .values(state=state.value, state_since=at)
    )
    return (await connection.execute(changed)).rowcount == 1


async def erase_dossier(connection: AsyncConnection, identity: UUID) -> bool:
    """Remove every fact of a dossier; False if there is none. What remains is the journal alone.

    Keys and contents are the vault's to destroy, in the same transaction.
    """
    await lock_dossier(connection, identity)  # what was being added is then seen, and goes too
    await connection.execute(
        delete(place).where(place.c.id.in_(select(document.c.id).where(document.c.dossier == identity)))
    )
    await connection.execute(
        delete(place).where(place.c.id.in_(select(message.c.id).where(message.c.dossier == identity)))
    )
    for table in _FACTS:
        await connection.execute(delete(table).where(table.c.dossier == identity))
    return (await connection.execute(delete(dossier).where(dossier.c.id == identity))).rowcount == 1


async def set_emergency(
    connection: AsyncConnection,
    identity: UUID,
    *,
    refuses_break_glass: bool,
    refuses_centre_15: bool,
    masked_in_emergency: bool,
) -> None:
    """The three switches as the holder sets them; that both refusals lift the third is a rule's matter."""
    await connection.execute(
        update(dossier)
        .where(dossier.c.id == identity)
        .values(
            refuses_break_glass=refuses_break_glass,
            refuses_centre_15=refuses_centre_15,
            masked_in_emergency=masked_in_emergency,
        )
    )


async def set_care_team_consent(connection: AsyncConnection, identity: UUID, *, given: bool) -> None:
    await connection.execute(update(dossier).where(dossier.c.id == identity).values(care_team_consent=given))


async def put_relation(connection: AsyncConnection, identity: UUID, given: Relation) -> None:
    """Write a relation; one of the same party and kind is replaced. Raises ConstraintError without dossier."""
    await hold_dossier(connection, identity)
    statement = insert(connection, relation).values(
        dossier=identity,
        party_type=given.party.type,
        party=given.party.id,
        kind=given.kind.value,
        since=given.since,
        until=given.until,
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[relation.c.dossier, relation.c.party_type, relation.c.party, relation.c.kind],
            set_={"since": statement.excluded.since, "until": statement.excluded.until},
        )
    )


async def delete_relations(
    connection: AsyncConnection, identity: UUID, party: Reference, kinds: Collection[RelationKind]
) -> frozenset[RelationKind]:
    """End these relations of a party; gives those that there were. The journal keeps what was."""
    ended = (
        delete(relation)
        .where(
            relation.c.dossier == identity,
            relation.c.party_type == party.type,
            relation.c.party == party.id,
            relation.c.kind.in_([kind.value for kind in kinds]),
        )
        .returning(relation.c.kind)
    )
    return frozenset(map(RelationKind, (await connection.execute(ended)).scalars()))


async def declare_treating_physician(connection: AsyncConnection, identity: UUID, rpps: str, at: datetime) -> None:
    """As `declare_treating_physicians`, of a dossier that is held from now on. Raises ConstraintError without one."""
    await hold_dossier(connection, identity)
    await declare_treating_physicians(connection, [(identity, rpps)], at)


async def declare_treating_physicians(
    connection: AsyncConnection, declared: Iterable[tuple[UUID, str]], at: datetime
) -> None:
    """Dossiers, which the caller holds, and who is declared there: from now on and without end.

    One declared before and still in force keeps its beginning.
    """
    kind = RelationKind.TREATING_PHYSICIAN.value
    rows = [
        (identity, SubjectType.PROFESSIONAL.value, rpps, kind, storable(at)) for identity, rpps in sorted(set(declared))
    ]
    await load_or_change(connection, relation, ("dossier", "party_type", "party", "kind", "since"), rows, _DECLARED)


async def end_treating_physician(connection: AsyncConnection, identity: UUID, rpps: str) -> bool:
    """False if he was none."""
    party = Reference(SubjectType.PROFESSIONAL, rpps)
    return bool(await delete_relations(connection, identity, party, {RelationKind.TREATING_PHYSICIAN}))


async def list_relations(connection: AsyncConnection, identity: UUID) -> list[Relation]:
    """All relations of a dossier, in force or not, ordered by party and kind."""
    columns = (relation.c.party_type, relation.c.party, relation.c.kind, relation.c.since, relation.c.until)
    rows = await connection.execute(select(*columns).where(relation.c.dossier == identity).order_by(*columns[:3]))
    return [
        Relation(Reference(party_type, party), RelationKind(kind), since, until)
        for party_type, party, kind, since, until in rows
    ]


async def put_representation(connection: AsyncConnection, identity: UUID, given: Representation) -> None:
    """Write a representation; one of the same person and kind is replaced. Raises ConstraintError without dossier."""
    await hold_dossier(connection, identity)
    statement = insert(connection, representation).values(
        dossier=identity, person=given.person, kind=given.kind.value, until=given.until
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[representation.c.dossier, representation.c.person, representation.c.kind],
            set_={"until": statement.excluded.until},
        )
    )


async def list_representations(connection: AsyncConnection, identity: UUID) -> list[Representation]:
    """All representations of a dossier, in force or not, ordered by person and kind."""
    columns = (representation.c.person, representation.c.kind, representation.c.until)
    rows = await connection.execute(select(*columns).where(representation.c.dossier == identity).order_by(*columns[:2]))
    return [Representation(person, RepresentationKind(kind), until) for person, kind, until in rows]
