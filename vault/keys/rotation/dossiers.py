"""Another key for a dossier: everything that was sealed under it is sealed anew, and its objects stay as they are.

For when somebody may have learnt it: from a process's memory, or from a copy of the database and the masters of its
time. What a dossier's key wraps, its documents' own keys, stays; so the objects are not written again.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.keys import KeyRow
from models.queries.sheets import hold_sheets
from models.sheets import find_filed
from models.tables import content, dossier, dossier_key
from vault.documents import key_facts
from vault.errors import SealBrokenError
from vault.keys.dossiers import INS_PURPOSE, DossierKey, DossierKeys, dossier_key_name
from vault.keys.rotation.progress import AnyRow, Done, again
from vault.keys.rows import RowKeys
from vault.keys.service import Tree
from vault.keys.shards import Randomness, ShardKeys, shard_of

_PAGE = 500


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of small values under the dossier's key: whose dossier each is, and what it was sealed for.

    `as_text` where the column is a text, and holds the value in base64.
    """

    dossier: Column[UUID]
    column: Column[Any]
    purpose: Callable[[AnyRow], str]
    as_text: bool = False

    @property
    def table(self) -> Table:
        return self.column.table


_INS = SealedColumn(dossier.c.id, dossier.c.ins_sealed, lambda _: INS_PURPOSE)


class DossierRotation:
    """Gives dossiers other keys. `sealed` says what else than documents and the INS stands under a dossier's key."""

    def __init__(
        self,
        database: Database,
        shards: ShardKeys,
        keys: DossierKeys,
        rows: RowKeys,
        sealed: Sequence[SealedColumn],
        *,
        randomness: Randomness = os.urandom,
    ) -> None:
        self._database = database
        self._shards = shards
        self._keys = keys
        self._rows = rows
        self._sealed = (_INS, *sealed)
        self._randomness = randomness

    async def rotate_all(self, after: UUID | None, progress: Callable[[UUID], None]) -> Done:
        """Every dossier that has a key, beyond one of them if that is named, in order; `progress` is told each."""
        done = Done()
        while page := await self._page(after):
            for each in page:
                done.add(await self.rotate(each))
                progress(each)
            after = page[-1]
        return done

    async def rotate(self, identity: UUID) -> Done:
        """One dossier, in one transaction; none changed if it has no key, one broken if something does not open."""
        try:
            return Done(changed=await again(lambda: self._rotate(identity)))
        except SealBrokenError:
            return Done(broken=1)

    async def _page(self, after: UUID | None) -> list[UUID]:
        query = select(dossier_key.c.dossier).order_by(dossier_key.c.dossier).limit(_PAGE)
        beyond = query if after is None else query.where(dossier_key.c.dossier > after)
        async with self._database.connect() as connection:
            return list((await connection.execute(beyond)).scalars())

    async def _rotate(self, identity: UUID) -> int:
        async with self._database.begin() as connection:
            sheets = await hold_sheets(connection, [identity])  # whoever adds to it has ended, whoever erases it waits
            old = await self._held(connection, identity)
            if old is None:
                return 0
            name = dossier_key_name(identity, old.version + 1)
            (fresh,) = await self._shards.generate(connection, Tree.DOSSIER, [(shard_of(identity), name)])
            new = DossierKey(identity, name.version, fresh.key, self._randomness)
            for sealed in self._sealed:
                await _seal_anew(connection, sealed, identity, old, new)
            documents = sheets[identity].documents if identity in sheets else b""
            await self._contents(connection, identity, documents, old, new)
            row = KeyRow(name.version, fresh.wrapped.key_id, fresh.wrapped.wrapped)
            values = update(dossier_key).where(dossier_key.c.dossier == identity).values(row._asdict())
            await connection.execute(values)
        return 1

    async def _held(self, connection: AsyncConnection, identity: UUID) -> DossierKey | None:
        """The dossier's key, ours to replace: whoever seals under it has ended."""
        query = select(dossier_key.c.version, dossier_key.c.key_id, dossier_key.c.wrapped)
        locked = query.where(dossier_key.c.dossier == identity).with_for_update()
        row = (await connection.execute(locked)).one_or_none()
        return None if row is None else await self._keys.unwrap(identity, KeyRow(*row))

    async def _contents(
        self, connection: AsyncConnection, identity: UUID, documents: bytes, old: DossierKey, new: DossierKey
    ) -> None:
        """What is kept of its documents. Rows are verified before they are believed, and authenticated anew."""
        query = select(content).where(content.c.dossier == identity).order_by(content.c.document).with_for_update()
        for row in (await connection.execute(query)).all():
            told = {column.name: row._mapping[column.name] for column in content.columns}  # noqa: SLF001  # SQLAlchemy's public name
            await self._rows.verify(content, told)
            filed = find_filed(documents, row.document)
            if filed is None:
                raise SealBrokenError  # its key names a version, and there is no telling which
            facts = key_facts(row.document, filed.version.version, row.content_type, row.size, row.head)
            changed = {
                "data_key": new.wrap(old.unwrap(row.data_key, *facts), *facts),
                "sha256": _anew(f"sha256/{row.document}", row.sha256, old, new),
                "title_sealed": _anew(f"title/{row.document}", row.title_sealed, old, new),
            }
            changed["mac"] = await self._rows.mac(connection, content, told | changed)
            here = and_(content.c.dossier == identity, content.c.document == row.document)
            await connection.execute(update(content).where(here).values(changed))


def _anew(purpose: str, sealed: bytes, old: DossierKey, new: DossierKey) -> bytes:
    return new.seal_text(purpose, old.open_text(purpose, sealed))


async def _seal_anew(
    connection: AsyncConnection, where: SealedColumn, identity: UUID, old: DossierKey, new: DossierKey
) -> None:
    table, column = where.table, where.column
    query = select(table).where(where.dossier == identity, column.is_not(None)).order_by(*table.primary_key.columns)
    for row in (await connection.execute(query.with_for_update(key_share=True))).all():
        told = row._mapping[column.name]  # noqa: SLF001  # SQLAlchemy's public name
        sealed = _anew(where.purpose(row), b64decode(told) if where.as_text else told, old, new)
        here = [key == row._mapping[key.name] for key in table.primary_key.columns]  # noqa: SLF001  # as above
        value = b64encode(sealed).decode("ascii") if where.as_text else sealed
        await connection.execute(update(table).where(*here).values({column.name: value}))
