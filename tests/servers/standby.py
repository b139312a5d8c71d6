"""A hot standby of a PostgreSQL server, as `pg_basebackup` makes it; its replay can be held, and it can be cut off.

It streams from the server from its start on, in a temporary folder of its own, and listens on the loopback interface.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.errors import UnavailableError
from tests.servers.postgresql import SETTINGS, USER, PostgresqlServer, cluster_owner, ready
from tests.servers.processes import free_port, running

_NOTHING_TO_KEEP = {"fsync": "off"}  # the primary has it all
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby, to which the primary's users and passwords lead too."""

    server: PostgresqlServer
    process: "subprocess.Popen[bytes]"

    def hold(self) -> None:
        """Replay nothing more: what comes waits."""
        self.server.execute("SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        """Replay what waits and what comes."""
        self.server.execute("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        """Become a primary of its own, for ever. Returns once it is."""
        self.server.execute("SELECT pg_promote()")

    def lose(self) -> None:
        """It ends at this instant, in the middle of whatever it does."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


@contextmanager
def standby(primary: PostgresqlServer) -> Iterator[Standby]:
    """A standby of this server. Raises UnavailableError where its programs have no `pg_basebackup`."""
    copier = primary.programs / "pg_basebackup"
    if not copier.exists():
        raise UnavailableError(f"there is no pg_basebackup beside {primary.programs / 'postgres'}")
    owner = cluster_owner()
    with tempfile.TemporaryDirectory(prefix="dmp-standby-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        if owner:
            os.chown(folder, *owner)
        _copy(copier, primary, folder / "data", owner)
        server = PostgresqlServer(free_port(), primary.password, primary.version, primary.programs)
        settings = [f"-c{name}={value}" for name, value in (SETTINGS | _NOTHING_TO_KEEP).items()]
        with running(
            [str(primary.programs / "postgres"), "-D", str(folder / "data"), f"-p{server.port}", *settings],
            log=folder / "log",
            answers=lambda: ready(server),
            environment=_ENVIRONMENT,
            owner=owner,
            farewell=signal.SIGQUIT,
        ) as process:
            yield Standby(server, process)


def _copy(copier: Path, primary: PostgresqlServer, data: Path, owner: tuple[int, int] | None) -> None:
    user, group = owner or (None, None)
    where = ["--host=127.0.0.1", f"--port={primary.port}", f"--username={USER}"]
    outcome = subprocess.run(
        [copier, *where, f"--pgdata={data}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=data.parent,
        env=_ENVIRONMENT | {"PGPASSWORD": primary.password},
        user=user,
        group=group,
        extra_groups=[] if owner else None,
    )
    if outcome.returncode:
        raise UnavailableError(f"pg_basebackup failed: {outcome.stderr.strip()[-1000:]}")
