"""What crosses dossiers: which dossiers a professional has to do with, and who has to do with a dossier.

Any relation that may open counts, in force or not: what it opens is for the rules to say, on the cases of those found.
"""

from uuid import UUID

from models.database import Database
from models.queries.statements import padded

_NOBODY = UUID(int=0)  # before every dossier


async def dossiers_of_professional(
    database: Database, rpps: str, *, after: UUID | None = None, limit: int
) -> list[UUID]:
    """Dossiers with a relation to this professional or to an organization where he exercises, by id, by two `read`s.

    Each party gives its own first `limit`, so that a hospital of a million dossiers costs no more than a practice.
    """
    if not rpps.isprintable():
        return []
    parties = [("professional", rpps)]
    rows = await database.read("SELECT organization FROM exercise WHERE professional = $1::text", rpps)
    parties = padded([*parties, *(("organization", row[0]) for row in rows)])
    arms = (
        "SELECT dossier FROM (SELECT DISTINCT dossier FROM relation"  # noqa: S608  # placeholders only
        f" WHERE party_type = ${3 + 2 * n}::text AND party = ${4 + 2 * n}::text"
        " AND kind <> 'blocked' AND dossier > $1::uuid"
        f" ORDER BY dossier LIMIT $2::bigint) AS a{n}"
        for n in range(len(parties))
    )
    statement = f"{' UNION '.join(arms)} ORDER BY dossier LIMIT $2::bigint"
    values = [value for party in parties for value in party]
    return [row[0] for row in await database.read(statement, after or _NOBODY, limit, *values)]


async def professionals_of_dossier(database: Database, dossier: UUID, *, after: str = "", limit: int) -> list[str]:
    """RPPS with a relation to this dossier, or exercising in an organization that has one, in order, by one `read`."""
    rows = await database.read(
        "SELECT party AS rpps FROM relation"
        " WHERE dossier = $1::uuid AND party_type = 'professional' AND party > $2::text AND kind <> 'blocked'"
        " UNION SELECT e.professional FROM relation AS r JOIN exercise AS e ON e.organization = r.party"
        " WHERE r.dossier = $1::uuid AND r.party_type = 'organization' AND e.professional > $2::text"
        " AND r.kind <> 'blocked'"
        " ORDER BY rpps LIMIT $3::bigint",
        dossier,
        after,
        limit,
    )
    return [row[0] for row in rows]
