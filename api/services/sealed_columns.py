"""Where use cases keep small values under a dossier's key, for whoever gives a dossier another one."""

from api.services.contests import contest_purpose
from api.services.letters import message_purpose
from api.services.repeats import Repeatable
from models.tables import contest, idempotency, message
from vault.keys.rotation.dossiers import SealedColumn

SEALED_COLUMNS = (
    SealedColumn(contest.c.dossier, contest.c.sealed, lambda row: contest_purpose(row.document)),
    SealedColumn(message.c.dossier, message.c.sealed, lambda row: message_purpose(row.id)),
    SealedColumn(
        idempotency.c.dossier,
        idempotency.c.answer,
        lambda row: Repeatable(row.dossier, row.client, row.key, b"").purpose,
        as_text=True,
    ),
)
"""A ticket for a copy of a dossier is sealed too, but kept by whoever asked: with another key he asks again."""
