"""`dmp ...` as a reviewer types it, without a shell."""

import os
from pathlib import Path

from click.testing import CliRunner, Result

from api.cli.main import dmp


def run(*words: str, home: Path | None = None, trust: Path | None = None) -> Result:
    """What a command prints, and its exit status, with these settings and no others."""
    given = {"DMP_HOME": home, "DMP_POLICY_TRUST": trust}
    others = dict.fromkeys(name for name in os.environ if name.startswith("DMP_"))
    return CliRunner().invoke(
        dmp, words, env={**others, **{name: str(path) if path else None for name, path in given.items()}}
    )
