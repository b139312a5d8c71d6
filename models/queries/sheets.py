"""Sheets of dossiers: held, changed, and kept with what is derived from them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import change, find, load_new, storable
from models.errors import ConstraintError
from models.reference import REIMBURSEMENTS
from models.sheets import Sheet, oldest, open_to
from models.tables import dossier, tied

_AT_ONCE = 1_000

_Item = TypeVar("_Item")


async def hold_sheet(connection: AsyncConnection, identity: UUID) -> Sheet:
    """A dossier's sheet, ours to change until the transaction ends. Raises ConstraintError if there is no dossier."""
    sheets = await hold_sheets(connection, [identity])
    if identity not in sheets:
        raise ConstraintError("there is no such dossier")
    return sheets[identity]


async def hold_sheets(connection: AsyncConnection, identities: Collection[UUID]) -> dict[UUID, Sheet]:
    """The same of many, by ascending dossier, so that no two wait for each other in a circle; absent ones are left out.

    Nobody erases the dossiers meanwhile either.
    """
    rows = await find(connection, dossier, ("id", "ties", "documents"), sorted(identities), "NO KEY UPDATE")
    return {identity: Sheet(ties or b"", documents or b"") for identity, ties, documents in rows}


async def keep_sheet(connection: AsyncConnection, identity: UUID, was: Sheet, now: Sheet) -> None:
    """Write a sheet that was held."""
    await keep_sheets(connection, {identity: was}, {identity: now})


async def keep_sheets(connection: AsyncConnection, was: Mapping[UUID, Sheet], now: Mapping[UUID, Sheet]) -> None:
    """Write those of the sheets, which were held, that are not what they were."""
    changed = sorted(identity for identity, sheet in now.items() if sheet != was[identity])
    if not changed:
        return
    since = {each: oldest(now[each].documents, REIMBURSEMENTS) for each in changed}
    rows = [
        (each, now[each].ties or None, now[each].documents or None, at and storable(at)) for each, at in since.items()
    ]
    await change(connection, dossier, ("ties", "documents", "reimbursed_since"), rows)
    retied = [each for each in changed if now[each].ties != was[each].ties]
    before = {each: open_to(was[each].ties) for each in retied}
    after = {each: open_to(now[each].ties) for each in retied}
    gone = _by_party((party, each) for each in retied for party in before[each] - after[each])
    for some in _parts(gone):
        await connection.execute(delete(tied).where(tuple_(tied.c.party, tied.c.dossier).in_(some)))
    come = _by_party((party, each) for each in retied for party in after[each] - before[each])
    if come:
        await load_new(connection, tied, come)


def _by_party(pairs: Iterable[tuple[str, UUID]]) -> list[tuple[str, UUID]]:
    """Of ascending dossiers: in the order of the key, so that no two wait for each other in a circle."""
    return sorted(pairs, key=itemgetter(0))


def _parts(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
