"""`python -m loadtests`: a short load on a service started for it, every answer checked; status 1 if one is wrong."""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from loadtests.population import Population
from loadtests.profile import MIX, POPULATION
from loadtests.report import Report, read_measured
from loadtests.service import dmp, running_service

_SCOPES = ("decide", "documents", "dossiers", "journal")
_GRACE_SECONDS = 60
_WIDTH_OF_A_FILE = 120


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    options = _options(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    population = Population(options.dossiers, options.seed)
    with tempfile.TemporaryDirectory(prefix="dmp-loadtest-") as folder:
        home = Path(folder)
        facts = population.write(home / "population.ndjson")
        dmp(home, "init")
        dmp(home, "import", str(home / "population.ndjson"))
        key = dmp(home, "client", "add", "loadtest", *(f"--scope={scope}" for scope in _SCOPES))
        with running_service(home) as address:
            console.print(f"{options.users} users for {options.seconds} seconds on {facts:,} facts, at {address}")
            measured = home / "measured.json"
            status = _locust(options, address, key, measured)
        report = Report(
            measured=read_measured(measured),
            command=shlex.join(["python", "-m", "loadtests", *arguments]),
            versions=_versions(),
            setting=_setting(options, facts),
            figures={
                name: f"{figure.value:g} ({figure.source})" for name, figure in (*POPULATION.items(), *MIX.items())
            },
        )
    report.write(options.report)
    console.print(report.table())
    console.print(report.verdict)
    console.print(f"written: {options.report}")
    return 0 if report.passed and status == 0 else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    parser.add_argument("--seconds", type=_between(1, 600), default=20)
    parser.add_argument("--users", type=_between(6, 500), default=16, help="at least one of each persona")
    parser.add_argument("--requests", type=_between(1, 1_000_000), default=50_000, help="stops after so many")
    parser.add_argument("--dossiers", type=_between(100, 100_000), default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=Path("var/loadtest"), help="folder (default: %(default)s)")
    return parser.parse_args(arguments)


class _between:  # noqa: N801 - reads as a word where it stands
    """A whole number in these bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        value = int(text)
        if not self._least <= value <= self._most:
            msg = f"must lie between {self._least} and {self._most}"
            raise argparse.ArgumentTypeError(msg)
        return value


def _locust(options: argparse.Namespace, address: str, key: str, measured: Path) -> int:
    """Its own process, since it patches sockets and threads."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("locustfile.py"))]
    command += ["--headless", "--only-summary", "--skip-log", "--loglevel=WARNING", f"--host={address}"]
    command += [f"--users={options.users}", f"--spawn-rate={options.users}", f"--run-time={options.seconds}s"]
    told = {
        "DMP_LOADTEST_KEY": key,
        "DMP_LOADTEST_DOSSIERS": str(options.dossiers),
        "DMP_LOADTEST_SEED": str(options.seed),
        "DMP_LOADTEST_REQUESTS": str(options.requests),
        "DMP_LOADTEST_MEASURED": str(measured),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    return subprocess.run(  # noqa: S603 - locust, with arguments of ours
        command,
        env=os.environ | told,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=options.seconds + _GRACE_SECONDS,
        check=False,
    ).returncode


def _versions() -> Mapping[str, str]:
    packages = ("dmp-authz", "uvicorn", "litestar", "pycasbin", "sqlalchemy", "cryptography", "locust")
    return {"Python": platform.python_version()} | {name: version(name) for name in packages}


def _setting(options: argparse.Namespace, facts: int) -> Mapping[str, str]:
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, locust on the same",
        "service": "one worker, SQLite, documents in files",
        "population": f"{options.dossiers:,} dossiers from seed {options.seed}, {facts:,} facts",
        "users": f"{options.users}, each waiting for its answer before it asks again",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
