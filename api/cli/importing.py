"""`dmp import`: facts from files or standard input, with a bar on a terminal."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api.parts import open_parts
from api.settings import Settings
from models.importing import Imported, import_facts
from vault.keys import Tree


def import_file(settings: Settings, file: Path) -> str:
    """Import one file, `-` being standard input; says what it held. Raises ImportRefusedError, and nothing remains."""
    with _opened(file) as lines, _progress(file, lines) as progress:
        imported = asyncio.run(_import(settings, lines, progress))
    facts = ", ".join(f"{count} {kind}" for kind, count in sorted(imported.facts.items()) if count) or "nothing"
    return f"{file}: {imported.lines} lines: {facts}; {imported.changed} rows changed"


async def _import(settings: Settings, lines: BinaryIO, progress: Callable[[int], None]) -> Imported:
    async with open_parts(settings) as parts:
        await parts.shards.complete(Tree.DOSSIER)
        gc.freeze()  # as the service: what start-up made need not be walked again with every thousand lines
        secret = parts.secrets.pseudonym
        return await import_facts(
            parts.database,
            lambda ins: ins.pseudonym(secret),
            lines,
            seal=parts.dossier_keys.sealing(),
            progress=progress,
        )


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
    else:
        with file.open("rb") as lines:
            yield lines


@contextmanager
def _progress(file: Path, lines: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes read, on standard error; silent where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal or str(file) == "-":
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.fields[lines]:,} lines"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=os.fstat(lines.fileno()).st_size, lines=0)
        yield lambda count: bar.update(task, completed=lines.tell(), lines=count)
