"""What the commands of reviewers have in common: which folder, and for whom the answer is."""

from pathlib import Path

import click

from api.errors import SettingsError
from api.settings import Settings

folder = click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
"""A policy folder; without it, the one in force."""

as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")


def chosen(folder: Path | None, settings: Settings) -> Path:
    """The folder that is named, else the one in force. Raises SettingsError where a signed bundle is in force."""
    from policy.loader import PACKAGED

    if folder is None and settings.policy_trust is not None:
        raise SettingsError("the rules in force are those of a signed bundle: unpack one, and name its folder")
    return folder or settings.policy_dir or PACKAGED
