"""Obtains what is missing: `python -m tests.servers [postgresql] [minio] [softhsm] [clamav]`, all if none is named.

Needs the standard library only. Exits 1 if a server cannot be had, after saying why.
"""

import sys

from tests.servers import clamav, minio, postgresql, softhsm
from tests.servers.errors import UnavailableError

SERVERS = {"postgresql": postgresql.obtain, "minio": minio.obtain, "softhsm": softhsm.obtain, "clamav": clamav.obtain}


def main(names: list[str]) -> int:
    missing = 0
    for name in names or list(SERVERS):
        try:
            sys.stdout.write(f"{name}: {SERVERS[name]()}\n")
        except UnavailableError as error:
            sys.stderr.write(f"{name}: {error}\n")
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
