"""What operators, verifiers and attackers do to a stack on which no service runs."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from click.testing import CliRunner
from sqlalchemy import select

from api.cli.main import dmp
from api.errors import DmpError
from api.parts import Parts, open_parts
from models.tables import journal_checkpoint
from tests.journeys.processes import Stack
from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER, an_entry
from vault.errors import VaultError
from vault.journal.entry import Entry
from vault.journal.publishing import Publisher
from vault.journal.sequencer import integrate_all

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def with_parts(stack: Stack, work: Callable[[Parts], Any]) -> Any:
    """What somebody does who has all that the service has."""

    async def doing() -> Any:
        async with open_parts(stack.settings) as parts:
            return await work(parts)

    return asyncio.run(doing())


def write(stack: Stack, entries: Sequence[Entry]) -> None:
    """Entries in the tree, and a checkpoint published over them."""

    async def writing(parts: Parts) -> None:
        await parts.ledger.record_all(entries)
        await integrate_all(parts.database)
        await Publisher(parts.database, parts.store, parts.signing, timedelta(0)).publish(NOW)

    with_parts(stack, writing)


def execute(stack: Stack, *statements: Any) -> None:
    """Statements in one transaction."""

    async def executing(parts: Parts) -> None:
        async with parts.database.begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    with_parts(stack, executing)


def entries(first: int, last: int) -> list[Entry]:
    """Of two dossiers in turn."""
    return [
        an_entry(dossier=(DOSSIER, OTHER_DOSSIER)[number % 2], request_id=f"r-{number}")
        for number in range(first, last)
    ]


def note(stack: Stack, size: int) -> str:
    """The checkpoint that was signed over so many entries."""

    async def reading(parts: Parts) -> str:
        async with parts.database.connect() as connection:
            row = select(journal_checkpoint.c.note).where(journal_checkpoint.c.size == size)
            return str(await connection.scalar(row))

    read: str = with_parts(stack, reading)
    return read


def settings_of(stack: Stack) -> dict[str, str]:
    """The environment in which `said` acts on a stack."""
    return {**stack.variables, "DMP_HOME": str(stack.home)}


NOWHERE = {"DMP_HOME": "/nonexistent", "DMP_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"}


def said(environment: Mapping[str, str], *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """How `dmp journal ...` ends, and what it says on both outputs; in this process, which starts no other."""
    others = dict.fromkeys(name for name in os.environ if name.startswith("DMP_"))
    given: dict[str, str | None] = {**others, **environment}
    done = CliRunner().invoke(dmp, ["journal", *arguments], env=given, input=stdin)
    if isinstance(done.exception, DmpError | VaultError):
        return 1, done.stdout, f"dmp: {done.exception}\n"  # as `api.cli.main.main` says it
    return done.exit_code, done.stdout, done.stderr
