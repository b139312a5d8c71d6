"""`dmp ...` as a reviewer types it, without a shell."""

from pathlib import Path

from click.testing import CliRunner, Result

from api.cli.main import dmp


def run(*words: str, home: Path | None = None) -> Result:
    """What a command prints, and its exit status; without `home` no data folder is looked at."""
    variables = dict.fromkeys(("DMP_POLICY_DIR", "DMP_DATABASE_URL", "DMP_VAULT_URL", "DMP_KEYS_URL"))
    return CliRunner().invoke(dmp, words, env={**variables, "DMP_HOME": None if home is None else str(home)})
