"""`dmp retention run`: what the law lets us keep no longer."""

import asyncio
from datetime import UTC, datetime

from api.parts import open_parts
from api.services.retention import CLOSED_YEARS, REIMBURSED_MONTHS, Retained, Retention
from api.settings import Settings


def run(settings: Settings, *, dry_run: bool, traces_years: int) -> str:
    """Destroy old reimbursements, dossiers closed for ten years and traces older than so many; says how many.

    `dry_run` changes nothing.
    """
    found = asyncio.run(_run(settings, dry_run=dry_run, traces_years=traces_years))
    left = f"; {found.left} left, since they changed meanwhile" if found.left else ""
    strays = f"; {found.strays} rows of erased dossiers removed" if found.strays else ""
    destroyed = "to destroy" if dry_run else "destroyed"
    return (
        f"reimbursements {REIMBURSED_MONTHS} months old: {found.reimbursements} {destroyed}; "
        f"dossiers closed for {CLOSED_YEARS} years: {found.dossiers} {destroyed}; "
        f"traces of dossiers gone for {traces_years} years: "
        f"{found.traces} {'to make' if dry_run else 'made'} unreadable{left}{strays}"
    )


async def _run(settings: Settings, *, dry_run: bool, traces_years: int) -> Retained:
    async with open_parts(settings) as parts:
        retention = Retention(parts.database, parts.documents, parts.ledger, lambda: datetime.now(UTC))
        return await (retention.count(traces_years) if dry_run else retention.run(traces_years))
