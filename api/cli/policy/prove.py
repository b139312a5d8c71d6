"""`dmp policy prove`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@as_json
@click.pass_obj
def prove(settings: Settings, folder: Path | None, *, as_json: bool) -> None:
    """Hold the rules against the laws, in every situation that there is."""
    from policy.review.prove import prove

    show(prove(chosen(folder, settings)), as_json=as_json)
