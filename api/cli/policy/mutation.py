"""`dmp policy mutation`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@as_json
@click.pass_obj
def mutation(settings: Settings, folder: Path | None, *, as_json: bool) -> None:
    """Change every row in every small way, and tell what neither a case nor a law would notice."""
    from policy.review.mutation import mutate

    show(mutate(chosen(folder, settings)), as_json=as_json)
