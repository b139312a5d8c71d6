"""Journal entries that somebody must be told of, put where they are looked for."""

from datetime import UTC, datetime
from uuid import UUID

from models.database import Database, insert
from models.facts import Reference, Relation
from models.queries.dossiers import open_dossier, put_relation
from models.tables import professional
from models.vocabulary import RelationKind
from vault.journal import notifying
from vault.journal.entry import Entry, Receipt
from vault.journal.notifying import Owed, notify

DOSSIER = UUID("5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01")
AT = datetime(2026, 11, 2, 9, 30, 15, 123456, tzinfo=UTC)
BOTH = ("notify_patient", "notify_treating_physicians")
READER, TREATING = "10001234565", "10001234581"


def owed(sequence: int, *obligations: str, dossier: UUID = DOSSIER) -> tuple[Entry, Receipt]:
    """An emergency reading, with what it obliges to."""
    entry = Entry(
        at=AT,
        dossier=dossier,
        subject=Reference("professional", READER),
        action="document:read",
        resource=Reference("document", "7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03"),
        allowed=True,
        rule="break-glass",
        revision="5f" * 32,
        client="viewer",
        request_id="r-1",
        mode="break_glass",
        reason="unconscious at the emergency ward",
        obligations=obligations,
    )
    return entry, Receipt(dossier, sequence)


async def owe(database: Database, count: int, *obligations: str) -> None:
    """So many entries, each with these obligations, in a dossier that there is."""
    async with database.begin() as connection:
        await open_dossier(connection, DOSSIER, at=AT)
        await notify(connection, [owed(number, *obligations) for number in range(1, count + 1)])


async def owe_of_change(database: Database, what: Owed) -> None:
    """What a change owes, told by the first entry of a dossier that there is."""
    async with database.begin() as connection:
        await open_dossier(connection, DOSSIER, at=AT)
        await notifying.owe(connection, *owed(1), [what])


async def declare(database: Database, rpps: str = TREATING, profession: str = "physician") -> None:
    """A treating physician of the dossier."""
    async with database.begin() as connection:
        values = {"rpps": rpps, "profession": profession}
        await connection.execute(insert(connection, professional).values(values))
        party = Reference("professional", rpps)
        await put_relation(connection, DOSSIER, Relation(party, RelationKind.TREATING_PHYSICIAN))
