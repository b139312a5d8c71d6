"""`dmp vault ...`: what an operator looks at and puts right."""

import asyncio
from datetime import UTC, datetime, timedelta

from api.parts import open_parts
from api.settings import Settings
from models.queries.idempotency import forget_answers
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


async def _reconcile(settings: Settings, now: datetime, older_than: timedelta) -> Report:
    async with open_parts(settings) as parts:
        async with parts.database.begin() as connection:
            await forget_answers(connection, now - ANSWERS_KEPT)
        return await reconcile_store(parts.database, parts.store, now - older_than)
