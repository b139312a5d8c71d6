"""`dmp policy rules`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@as_json
@click.pass_obj
def rules(settings: Settings, folder: Path | None, *, as_json: bool) -> None:
    """List every row with its source, as tables."""
    from policy.review.listing import list_rules

    show(list_rules(chosen(folder, settings)), as_json=as_json)
