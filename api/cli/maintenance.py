"""`dmp vault ...` and `dmp journal ...`: what an operator looks at and puts right."""

import asyncio
from datetime import UTC, datetime, timedelta

from api.parts import open_parts
from api.settings import Settings
from models.database import open_database
from models.queries.idempotency import forget_answers
from vault.errors import ProofError
from vault.journal.audit import Verdict, verify_log
from vault.reconciling import Report
from vault.reconciling import reconcile as reconcile_store

ANSWERS_KEPT = timedelta(days=7)
"""For so long a request may be repeated under its Idempotency-Key."""


def reconcile(settings: Settings, older_than: int) -> str:
    """Remove what interrupted deposits and erasures left more than so many seconds ago; says what was found."""
    report = asyncio.run(_reconcile(settings, datetime.now(UTC), timedelta(seconds=older_than)))
    missing = "".join(f"\nmissing: document {each.document} of dossier {each.dossier}" for each in report.named_missing)
    return (
        f"{report.removed_pending} interrupted, {report.removed_orphans} orphans removed; "
        f"{report.failed} not removed now; {report.missing} documents without their object{missing}"
    )


def verify_journal(settings: Settings) -> str:
    """Recompute the whole journal; says its size and root. Raises ProofError, which names the first broken entry."""
    verdict = asyncio.run(_verify(settings))
    if verdict.broken is not None:
        msg = f"the journal is broken at {verdict.broken}"
        raise ProofError(msg)
    return f"{verdict.size} entries verified, root {verdict.root.hex()}"


async def _reconcile(settings: Settings, now: datetime, older_than: timedelta) -> Report:
    async with open_parts(settings) as parts:
        async with parts.database.begin() as connection:
            await forget_answers(connection, now - ANSWERS_KEPT)
        return await reconcile_store(parts.database, parts.store, now - older_than)


async def _verify(settings: Settings) -> Verdict:
    database = await open_database(settings.database_url)
    try:
        return await verify_log(database)
    finally:
        await database.close()
