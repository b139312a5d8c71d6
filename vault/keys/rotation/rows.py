"""MACs of rows, made anew under the primary key of the tree `rows`."""

from uuid import UUID

from sqlalchemy import bindparam, func, literal, select, tuple_, update

from models.database import Database, Id
from models.queries.holding import take, wait_for_users
from models.tables import content
from vault.errors import SealBrokenError
from vault.keys.rotation.progress import AnyRow, Done, Progress, again
from vault.keys.rotation.shards import ShardRotation
from vault.keys.rows import RowKeys, mac_version
from vault.keys.service import Tree

_BATCH = 500
_VERSION_SIZE = 4
_START = UUID(int=0), UUID(int=0)
_MAC = (
    update(content)
    .where(content.c.dossier == bindparam("in_dossier"), content.c.document == bindparam("of_document"))
    .values(mac=bindparam("anew"))
)


class RowRotation:
    """Brings rows under the primary; whoever writes one takes the primary by himself."""

    def __init__(self, database: Database, rows: RowKeys, rotation: ShardRotation) -> None:
        self._database = database
        self._rows = rows
        self._rotation = rotation

    async def renew(self, progress: Progress) -> Done:
        """Every MAC under another key than the primary; a row whose MAC does not hold is left as it is."""
        done, after = Done(), _START
        primary = (await self._rotation.primaries(Tree.ROWS)).get(0)
        await wait_for_users(self._database)
        while primary is not None:

            async def step(primary: int = primary, after: tuple[UUID, UUID] = after) -> tuple[list[AnyRow], Done]:
                return await self._step(primary, after)

            seen, changed = await again(step)
            if not seen:
                break
            done.add(changed)
            progress(len(seen))
            after = seen[-1].dossier, seen[-1].document
        return done

    async def _step(self, primary: int, after: tuple[UUID, UUID]) -> tuple[list[AnyRow], Done]:
        """The next rows. Those that somebody holds are passed over: he deletes them, or writes them anew himself."""
        async with self._database.begin() as connection:
            query = (
                select(content)
                .where(
                    tuple_(content.c.dossier, content.c.document) > tuple_(*(literal(each, Id()) for each in after)),
                    func.substr(content.c.mac, 1, _VERSION_SIZE) != mac_version(primary),
                )
                .order_by(content.c.dossier, content.c.document)
            )
            rows = await take(connection, query, content, _BATCH)
            renewed = []
            for row in rows:
                told = row._asdict()
                try:
                    await self._rows.verify(content, told)
                except SealBrokenError:
                    continue
                mac = await self._rows.mac(connection, content, told)
                renewed.append({"in_dossier": row.dossier, "of_document": row.document, "anew": mac})
            if renewed:
                await connection.execute(_MAC, renewed)
        return rows, Done(len(renewed), len(rows) - len(renewed))


async def count_by_version(database: Database) -> dict[int, int]:
    """How many rows have their MAC under each version of the key."""
    statement = f"SELECT substr(mac, 1, {_VERSION_SIZE}), COUNT(*) FROM content GROUP BY 1"  # noqa: S608  # a number of ours
    return {int.from_bytes(prefix, "big"): int(count) for prefix, count in await database.read(statement)}
