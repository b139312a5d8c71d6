"""`dmp policy check`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, folder
from api.settings import Settings


@click.command()
@folder
@as_json
@click.pass_obj
def check(settings: Settings, folder: Path | None, *, as_json: bool) -> None:  # noqa: ARG001 - a first form
    """Load a policy folder (default: the one in force) as the service would, and say what is refused."""
    from policy.engine import Engine

    engine = Engine.load(folder or settings.policy_dir)
    click.echo(f"accepted: revision {engine.revision}")
