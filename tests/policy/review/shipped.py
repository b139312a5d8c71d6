"""Commands on the packaged policy, in a process of their own: they work for seconds, and far longer under coverage."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def shipped(command: str) -> tuple[int, dict[str, Any]]:
    """The exit status of `dmp policy ... --json`, and what it tells machines."""
    words = [sys.executable, "-m", "api.cli.main", "policy", command, "--json"]
    done = subprocess.run(words, cwd=ROOT, env={}, capture_output=True, check=False)  # noqa: S603 - our own command
    return done.returncode, json.loads(done.stdout)
