"""A PostgreSQL server that is shown: databases made on it for a while, and its processes put on a core."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

_NOBODY = 2**31 - 1
"""No process has this number: Linux gives out fewer."""


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """The URL of a new database, dropped when the block ends."""
    asyncio.run(_execute(server, f'CREATE DATABASE "{name}"'))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


def settle(database: str) -> None:
    """What was loaded is vacuumed, counted and on disk: nobody's figures pay for that."""
    for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
        asyncio.run(_execute(database, statement))


@contextmanager
def on_core(server: str, core: int) -> Iterator[bool]:
    """All its processes on one core until the block ends; False if it runs where that cannot be told to it."""
    postmaster = asyncio.run(_postmaster(server))
    try:
        before = os.sched_getaffinity(postmaster)
        _put(postmaster, {core})
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        _put(postmaster, before)


def _put(postmaster: int, cores: set[int]) -> None:
    os.sched_setaffinity(postmaster, cores)
    for process in _children(postmaster):
        with suppress(ProcessLookupError):  # it has served its connection meanwhile
            os.sched_setaffinity(process, cores)


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def _postmaster(server: str) -> int:
    """The parent of the process that serves a connection; a number that nobody has if that is not on this machine."""
    connection = await asyncpg.connect(server)
    try:
        return _parent(await connection.fetchval("SELECT pg_backend_pid()"))
    finally:
        await connection.close()


def _parent(process: int) -> int:
    """Of a process of PostgreSQL."""
    try:
        name, _, rest = Path(f"/proc/{process}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return _NOBODY
    return int(rest.split()[1]) if name.startswith("postgres") else _NOBODY


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
