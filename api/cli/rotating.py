"""What `dmp keys ...` does, with a bar on a terminal and lines elsewhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli import key_tables
from api.parts import open_parts
from api.services.key_changes import KeyChanges, KeyParts
from api.settings import Settings
from vault.errors import KeyStateError
from vault.keys import Tree
from vault.keys.rotation.progress import Done
from vault.keys.rotation.standing import Standing, read_standing

_LINE_SECONDS = 5.0

_Act = Callable[[KeyChanges], Awaitable[Done | None]]


def standing(settings: Settings, *, as_json: bool) -> str:
    """What keys there are."""
    found = asyncio.run(_standing(settings))
    return key_tables.as_json(found) if as_json else key_tables.as_table(found)


def rotate_masters(settings: Settings, trees: Sequence[str]) -> str:
    done = _act(settings, lambda changes: changes.rotate_masters([Tree(tree) for tree in trees]))
    return f"new masters: {', '.join(trees)}; {done.changed} shard keys wrapped anew"


def rotate_shards(settings: Settings, trees: Sequence[str], shards: Sequence[int]) -> str:
    done = _act(settings, lambda changes: changes.rotate_shards([Tree(tree) for tree in trees], shards or None))
    return f"new shard keys: {', '.join(trees)}; {done.changed} keys of dossiers wrapped anew"


def rotate_dossiers(settings: Settings, dossiers: Sequence[UUID]) -> str:
    done = _act(settings, lambda changes: changes.rotate_dossiers(dossiers))
    without = len(dossiers) - done.changed
    return f"{done.changed} dossiers have other keys" + (f"; {without} have none" if without else "")


def rotate_all_dossiers(settings: Settings, after: UUID | None) -> str:
    """Says, at any instant at which it is interrupted, how far it has come."""
    last = after

    def reached(dossier: UUID) -> None:
        nonlocal last
        last = dossier

    try:
        done = _act(settings, lambda changes: changes.rotate_all_dossiers(after, reached))
    except BaseException:
        if last is not None:
            Console(stderr=True).print(f"go on with --after {last}")
        raise
    return f"{done.changed} dossiers have other keys"


def rotate_rows(settings: Settings) -> str:
    done = _act(settings, KeyChanges.rotate_rows)
    return f"new key of rows; {done.changed} rows authenticated anew"


def rotate_signing(settings: Settings) -> str:
    _act(settings, KeyChanges.rotate_signing)
    return "new signing key: the journal's next checkpoint is signed with it"


def rewrap(settings: Settings, trees: Sequence[str]) -> str:
    done = _act(settings, lambda changes: changes.rewrap([Tree(tree) for tree in trees]))
    return f"{done.changed} wrapped or authenticated anew; nothing is under a key that was replaced"


def disable(settings: Settings, key_id: str) -> str:
    _act(settings, lambda changes: changes.disable(key_id))
    return f"{key_id} is disabled"


def enable(settings: Settings, key_id: str) -> str:
    _act(settings, lambda changes: changes.enable(key_id))
    return f"{key_id} is enabled"


def destroy(settings: Settings, key_ids: Sequence[str]) -> str:
    _act(settings, lambda changes: changes.destroy(key_ids))
    return f"destroyed: {', '.join(key_ids)}"


def destroy_replaced(settings: Settings, trees: Sequence[str]) -> str:
    done = _act(settings, lambda changes: changes.destroy_replaced([Tree(tree) for tree in trees]))
    return f"{done.changed} replaced keys destroyed: {', '.join(trees)}"


async def _standing(settings: Settings) -> Standing:
    async with open_parts(settings) as parts:
        return await read_standing(parts.database, parts.key_service)


def _act(settings: Settings, act: _Act) -> Done:
    """Raises KeyStateError where something did not open, after everything else is done."""
    done = asyncio.run(_acted(settings, act))
    if done.broken:
        raise KeyStateError(f"{done.changed} done; {done.broken} do not open, and were left as they are")
    return done


async def _acted(settings: Settings, act: _Act) -> Done:
    async with open_parts(settings) as parts:
        keys = KeyParts(parts.database, parts.key_service, parts.shards, parts.dossier_keys, parts.ledger)
        return await act(KeyChanges(keys, _stage, lambda: datetime.now(UTC))) or Done()


@contextmanager
def _stage(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """On standard error: a bar on a terminal, elsewhere a line every few seconds."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(title, total=total or None)
            yield lambda count: bar.advance(task, count)
        return
    begun = said = time.monotonic()
    done, of = 0, f" of {total:,}" if total else ""

    def progress(count: int) -> None:
        nonlocal done, said
        done += count
        if time.monotonic() - said >= _LINE_SECONDS:
            said = time.monotonic()
            console.print(f"{title}: {done:,}{of}", highlight=False)

    yield progress
    console.print(f"{title}: {done:,} in {time.monotonic() - begun:.1f} s", highlight=False)
