"""From the staging tables into those that decisions read, a whole table at a time.

Of several lines about the same thing the last one counts, so that a file gives what its two halves would give, imported
one after the other. A row that says what is already stored is not written again. Every function says how many rows
were.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import insert, placement_of
from models.importing import staging

_KEY = ("version", "key_id", "wrapped")
_SEALING = {"ins_sealed", *_KEY}


async def merge_organizations(connection: AsyncConnection) -> int:
    return await _merge(connection, tables.organization, staging.organization, "id")


async def merge_professionals(connection: AsyncConnection) -> int:
    return await _merge(connection, tables.professional, staging.professional, "rpps")


async def merge_exercise(connection: AsyncConnection) -> int:
    """A professional of the file exercises where his last line says, and nowhere else."""
    staged, said, stored = staging.exercise, staging.professional, tables.exercise
    outdated = exists().where(said.c.rpps == staged.c.professional, said.c.line > staged.c.line)
    await connection.execute(delete(staged).where(outdated))
    still = exists().where(
        staged.c.professional == stored.c.professional, staged.c.organization == stored.c.organization
    )
    left = select(stored).where(stored.c.professional.in_(select(said.c.rpps)), ~still).subquery("left_")
    those = tuple_(stored.c.professional, stored.c.organization).in_(select(left.c.professional, left.c.organization))
    gone = (await connection.execute(delete(stored).where(those))).rowcount
    return gone + await _merge(connection, stored, staged)


async def merge_staff(connection: AsyncConnection) -> int:
    return await _merge(connection, tables.staff, staging.staff, "id")


async def merge_dossiers(connection: AsyncConnection, at: datetime) -> int:
    """Dossiers, and the keys of those that have none; an INS is only taken with the key under which it was sealed."""
    source, key, stored = staging.dossier, tables.dossier_key, tables.dossier.c
    await _keep_last(connection, source, "id")
    keys = select(source.c.id, *(source.c[name] for name in _KEY)).where(source.c.wrapped.is_not(None))
    await connection.execute(insert(connection, key).from_select(["dossier", *_KEY], keys).on_conflict_do_nothing())
    facts = [column for column in source.c if column.name not in {"line", *_SEALING}]
    rows = (
        select(
            *facts,
            literal(at, stored.state_since.type).label("state_since"),
            case((key.c.dossier.is_not(None), source.c.ins_sealed)).label("ins_sealed"),
        )
        .select_from(source.outerjoin(key, and_(key.c.dossier == source.c.id, key.c.wrapped == source.c.wrapped)))
        .where(_every(source))
        .order_by(source.c.id)
    )
    statement = insert(connection, tables.dossier).from_select([column.name for column in rows.selected_columns], rows)
    said = statement.excluded
    compared = [column.name for column in facts if column.name != "id"]
    sealed_now = and_(stored.ins_sealed.is_(None), said.ins_sealed.is_not(None))
    return await _write(
        connection,
        statement.on_conflict_do_update(
            index_elements=[stored.id],
            set_={
                **{name: said[name] for name in compared},
                "state_since": case((stored.state == said.state, stored.state_since), else_=said.state_since),
                "ins_sealed": func.coalesce(stored.ins_sealed, said.ins_sealed),
            },
            where=or_(sealed_now, *(stored[name].is_distinct_from(said[name]) for name in compared)),
        ),
    )


async def _keep_last(connection: AsyncConnection, staged: Table, *key: str) -> None:
    """Of the rows of a key only that of the last line."""
    columns = [staged.c[name] for name in key]
    again = select(*columns, func.max(staged.c.line).label("last")).group_by(*columns).having(func.count() > 1)
    said = again.subquery()
    outdated = select(staged.c.line).join(
        said, and_(staged.c.line < said.c.last, *(staged.c[name] == said.c[name] for name in key))
    )
    await connection.execute(delete(staged).where(staged.c.line.in_(outdated)))


def _every(staged: Table) -> ColumnElement[bool]:
    """True of all rows: before ON CONFLICT, SQLite cannot read a SELECT without a condition."""
    return staged.c.line > 0


def _names(staged: Table) -> list[str]:
    return [column.name for column in staged.c if column.name != "line"]


async def _merge(connection: AsyncConnection, stored: Table, staged: Table, *key: str) -> int:
    """With a key, of which the staged rows may have several of the same."""
    if key:
        await _keep_last(connection, staged, *key)
    names = _names(staged)
    # In the order of the key, which fills the pages of its index one after the other.
    order = [staged.c[column.name] for column in stored.primary_key.columns]
    rows: Select[Any] = select(*(staged.c[name] for name in names)).where(_every(staged)).order_by(*order)
    return await _write(connection, _updating(insert(connection, stored).from_select(names, rows), stored, names))


def _updating(statement: Insert, stored: Table, names: Sequence[str]) -> Insert:
    """Where the row is there already, these columns take the new values, if any differs."""
    said = statement.excluded
    changing = [name for name in names if name not in stored.primary_key.columns]
    if not changing:
        return statement.on_conflict_do_nothing()
    differs: list[ColumnElement[bool]] = [stored.c[name].is_distinct_from(said[name]) for name in changing]
    return statement.on_conflict_do_update(
        index_elements=list(stored.primary_key.columns),
        set_={name: said[name] for name in changing},
        where=or_(*differs),
    )


async def _write(connection: AsyncConnection, statement: Insert) -> int:
    if placement_of(connection) is None:
        return (await connection.execute(statement)).rowcount
    # Citus counts what it was given, and gives back what was written.
    return len((await connection.execute(statement.returning(literal_column("1")))).all())
