"""What crosses dossiers: which dossiers a professional has to do with, and who has to do with a dossier.

Any relation that may open counts, in force or not: what it opens is for the rules to say, on the cases of those found.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from models.database import Reads
from models.queries.statements import padded
from models.sheets import relations_of
from models.vocabulary import RelationKind, SubjectType

_NOBODY = UUID(int=0)  # before every dossier
_AT_ONCE = 64


class Listed(NamedTuple):
    """Whose rows are listed, and by what: a table with a key of both, in this order."""

    table: str
    owner: str
    found: str
    type_: str


DOSSIERS_OF_PARTY = Listed("tied", "party", "dossier", "uuid")
EXERCISING_IN = Listed("exercise", "organization", "professional", "text")


async def dossiers_of_professional(database: Reads, rpps: str, *, after: UUID | None = None, limit: int) -> list[UUID]:
    """Dossiers with a relation to this professional or to an organization where he exercises, by id, by two `read`s."""
    if not rpps.isprintable():
        return []
    rows = await database.read("SELECT organization FROM exercise WHERE professional = $1::text", rpps)
    parties = [rpps, *(row[0] for row in rows)]
    return sorted(await _first(database, DOSSIERS_OF_PARTY, parties, after or _NOBODY, limit))[:limit]


async def professionals_of_dossier(database: Reads, dossier: UUID, *, after: str = "", limit: int) -> list[str]:
    """RPPS with a relation to this dossier, or exercising in an organization that has one, in order, by two `read`s."""
    rows = await database.read("SELECT ties FROM dossier WHERE id = $1::uuid", dossier)
    ties = rows[0][0] or b"" if rows else b""
    parties = {each.party for each in relations_of(ties) if each.kind is not RelationKind.BLOCKED}
    own = {party.id for party in parties if party.type == SubjectType.PROFESSIONAL and party.id > after}
    organizations = sorted(party.id for party in parties if party.type == SubjectType.ORGANIZATION)
    return sorted(own.union(await _first(database, EXERCISING_IN, organizations, after, limit)))[:limit]


async def _first(database: Reads, listed: Listed, owners: Sequence[str], after: Any, limit: int) -> set[Any]:
    """Of what is listed beyond `after` for each of these, the first `limit`: by one `read` for 64 of them.

    Each gives its own first, so that a hospital of a million dossiers costs no more than a practice.
    """
    found: set[Any] = set()
    for begin in range(0, len(owners), _AT_ONCE):
        some = padded(owners[begin : begin + _AT_ONCE])
        found |= {row[0] for row in await database.read(first_statement(listed, len(some)), after, limit, *some)}
    return found


@lru_cache(maxsize=16)
def first_statement(listed: Listed, owners: int) -> str:
    """Parameters: what to begin after, the greatest number, and the owners."""
    table, owner, found, type_ = listed
    arms = (
        f"SELECT {found} FROM (SELECT {found} FROM {table}"  # noqa: S608  # our own names only, values are parameters
        f" WHERE {owner} = ${number}::text AND {found} > $1::{type_}"
        f" ORDER BY {found} LIMIT $2::bigint) AS a{number}"
        for number in range(3, 3 + owners)
    )
    return f"{' UNION '.join(arms)} ORDER BY {found} LIMIT $2::bigint"
