"""`dmp policy coverage`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@as_json
@click.pass_obj
def coverage(settings: Settings, folder: Path | None, *, as_json: bool) -> None:
    """Tell for every row, and every literal of its condition, whether some case depends on it."""
    from policy.review.coverage import measure

    show(measure(chosen(folder, settings)), as_json=as_json)
