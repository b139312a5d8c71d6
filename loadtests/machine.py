"""On what a run ran: the machine, the versions, the size of the database."""

import asyncio
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import asyncpg
import psutil

_PACKAGES = (
    *("dmp-authz", "uvicorn", "uvloop", "litestar", "pycasbin", "sqlalchemy", "asyncpg", "cryptography"),
    *("locust", "gevent", "hdrhistogram", "psutil"),
)
_CPU = Path("/proc/cpuinfo")


def versions(database_url: str | None) -> Mapping[str, str]:
    """Of Python, of the libraries that matter, and of the database server."""
    told = {"Python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    return told if database_url is None else told | {"PostgreSQL": str(_asked(database_url, "show server_version"))}


def machine() -> str:
    """As `Linux x86_64, 2 cores (model), 23 GB`."""
    model = ""
    if _CPU.exists():
        named = (line.partition(":")[2].strip() for line in _CPU.read_text().splitlines() if "model name" in line)
        model = next((f" ({name})" for name in named), "")
    gigabytes = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{model}, {gigabytes:.0f} GB"


def database_bytes(database_url: str | None, home: Path | None) -> int | None:
    """As the server tells it, or as the files of the embedded one are long; None where neither can be known."""
    if database_url is not None:
        return int(str(_asked(database_url, "select pg_database_size(current_database())")))
    if home is None:
        return None
    return sum(file.stat().st_size for file in home.glob("*.sqlite3*"))


def _asked(database_url: str, question: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(database_url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(ask())
