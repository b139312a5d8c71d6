"""What is written about a dossier: its life, its holder's choices, and who may enter it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import insert
from models.errors import ConstraintError
from models.facts import Reference, Relation, Representation
from models.queries.sheets import hold_sheet, hold_sheets, keep_sheet, keep_sheets
from models.queries.whereabouts import remove_whereabouts
from models.sheets import Sheet, documents_in, relations_of, representations_of
from models.tables import (
    contest,
    dossier,
    has_read,
    idempotency,
    inquiry,
    message,
    notification,
    scrub_finding,
)
from models.ties import with_relation, with_representation, with_treating_physicians, without_relations
from models.vocabulary import DossierState, RelationKind, SubjectType

_FACTS = (message, contest, has_read, idempotency, notification, inquiry, scrub_finding)


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
    sheets = await hold_sheets(connection, [identity])
    await keep_sheets(connection, sheets, dict.fromkeys(sheets, Sheet()))
    messages = (await connection.execute(select(message.c.id).where(message.c.dossier == identity))).scalars()
    documents = (each.id for sheet in sheets.values() for each in documents_in(sheet.documents))
    await remove_whereabouts(connection, {*documents, *messages})
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
    await _tie(connection, identity, lambda ties: with_relation(ties, given))


async def delete_relations(
    connection: AsyncConnection, identity: UUID, party: Reference, kinds: Collection[RelationKind]
) -> frozenset[RelationKind]:
    """End these relations of a party; gives those that there were. The journal keeps what was."""
    was = await hold_sheets(connection, [identity])
    if identity not in was:
        return frozenset()
    ties, ended = without_relations(was[identity].ties, party, kinds)
    await keep_sheet(connection, identity, was[identity], was[identity]._replace(ties=ties))
    return ended


async def declare_treating_physician(connection: AsyncConnection, identity: UUID, rpps: str, at: datetime) -> None:
    """As `declare_treating_physicians`, of a dossier that is held from now on. Raises ConstraintError without one."""
    await _tie(connection, identity, lambda ties: with_treating_physicians(ties, [rpps], at))


async def declare_treating_physicians(
    connection: AsyncConnection, declared: Iterable[tuple[UUID, str]], at: datetime
) -> None:
    """Dossiers, held until the transaction ends, and who is declared there: from now on and without end.

    One declared before and still in force keeps its beginning. Raises ConstraintError if one of the dossiers is gone.
    """
    named: dict[UUID, set[str]] = defaultdict(set)
    for identity, rpps in declared:
        named[identity].add(rpps)
    was = await hold_sheets(connection, named)
    if len(was) != len(named):
        raise ConstraintError("there is no such dossier")
    now = {
        each: sheet._replace(ties=with_treating_physicians(sheet.ties, named[each], at)) for each, sheet in was.items()
    }
    await keep_sheets(connection, was, now)


async def end_treating_physician(connection: AsyncConnection, identity: UUID, rpps: str) -> bool:
    """False if he was none."""
    party = Reference(SubjectType.PROFESSIONAL, rpps)
    return bool(await delete_relations(connection, identity, party, {RelationKind.TREATING_PHYSICIAN}))


async def list_relations(connection: AsyncConnection, identity: UUID) -> list[Relation]:
    """All relations of a dossier, in force or not, ordered by party and kind."""
    return relations_of(await _ties(connection, identity))


async def put_representation(connection: AsyncConnection, identity: UUID, given: Representation) -> None:
    """Write a representation; one of the same person and kind is replaced. Raises ConstraintError without dossier."""
    await _tie(connection, identity, lambda ties: with_representation(ties, given))


async def list_representations(connection: AsyncConnection, identity: UUID) -> list[Representation]:
    """All representations of a dossier, in force or not, ordered by person and kind."""
    return representations_of(await _ties(connection, identity))


async def _tie(connection: AsyncConnection, identity: UUID, change: Callable[[bytes], bytes]) -> None:
    was = await hold_sheet(connection, identity)
    await keep_sheet(connection, identity, was, was._replace(ties=change(was.ties)))


async def _ties(connection: AsyncConnection, identity: UUID) -> bytes:
    return await connection.scalar(select(dossier.c.ties).where(dossier.c.id == identity)) or b""
