"""`dmp vault ...`: what an operator looks at and puts right."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from rich.console import Console

from api.parts import open_parts
from api.settings import Settings, SettingsError
from models.queries.idempotency import forget_answers
from vault.copying import copy_objects, copy_records
from vault.locations import store_from_url
from vault.reconciling import Report
from vault.reconciling import reconcile as reconcile_store
from vault.scrubbing import Fault, Scrub, Scrubbing

PARTS = ("documents", "journal")
"""What a store holds: the documents' objects, and the journal as it was published."""

ANSWERS_KEPT = timedelta(days=7)
"""For so long a request may be repeated under its Idempotency-Key."""


def reconcile(settings: Settings, older_than: int) -> tuple[str, bool]:
    """Remove what interrupted deposits and erasures left more than so many seconds ago.

    Says what was found, and whether all was well: nothing remains that should go, and nothing is missing.
    """
    report = asyncio.run(_reconcile(settings, datetime.now(UTC), timedelta(seconds=older_than)))
    missing = "".join(f"\nmissing: document {each.document} of dossier {each.dossier}" for each in report.named_missing)
    told = f"{report.removed_pending} interrupted, {report.removed_orphans} orphans removed"
    left = f"{report.failed} not removed now; {report.missing} documents without their object{missing}"
    return f"{told}; {left}", not (report.failed or report.missing)


def scrub(settings: Settings, *, anew: bool) -> tuple[str, bool]:
    """Open every document to its last byte; says what was found, and whether all was well."""
    done = asyncio.run(_scrub(settings, anew=anew))
    missing = sum(each.what is Fault.MISSING for each in done.findings)
    named = "".join(f"\n{each.what}: document {each.document} of dossier {each.dossier}" for each in done.findings)
    since = done.started_at.isoformat(timespec="seconds")
    told = f"{done.documents} documents, {done.size} bytes read since {since}"
    return f"{told}; {missing} missing, {len(done.findings) - missing} broken{named}", not done.findings


def copy(settings: Settings, to: str, part: str | None) -> str:
    """Give another store what this one has and it lacks, or one part of it. Raises StoreError, SettingsError."""
    return ", ".join(asyncio.run(_copy(settings, to, PARTS if part is None else (part,))))


async def _scrub(settings: Settings, *, anew: bool) -> Scrub:
    console = Console(stderr=True)
    async with open_parts(settings) as parts:
        scrubbing = Scrubbing(parts.database, parts.store, parts.documents, lambda: datetime.now(UTC))
        if not console.is_terminal:
            return await scrubbing.run(anew=anew)
        with console.status("") as status:
            return await scrubbing.run(
                anew=anew, told=lambda count, size: status.update(f"{count:,} documents, {size:,} bytes")
            )


async def _copy(settings: Settings, to: str, parts: Sequence[str]) -> list[str]:
    try:
        source, target = store_from_url(settings.vault_url), store_from_url(to)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    async with AsyncExitStack() as stack:
        for store in (source, target):
            stack.push_async_callback(store.close)
        await source.probe()
        await target.prepare()
        told = []
        if "documents" in parts:
            copied = await copy_objects(source, target)
            told.append(f"{copied.objects} objects copied, {copied.only_there} only there")
        if "journal" in parts:
            told.append(f"{await copy_records(source, target)} records of the journal there")
    return told


async def _reconcile(settings: Settings, now: datetime, older_than: timedelta) -> Report:
    async with open_parts(settings) as parts:
        async with parts.database.begin() as connection:
            await forget_answers(connection, now - ANSWERS_KEPT)
        return await reconcile_store(parts.database, parts.store, now - older_than)
