"""`dmp policy check`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, folder
from api.settings import Settings


@click.command()
@folder
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A policy folder whose ids must not be used again with another meaning; default: the packaged one.",
)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@as_json
@click.pass_obj
def check(settings: Settings, folder: Path | None, against: Path | None, *, strict: bool, as_json: bool) -> None:
    """Say what is refused in a policy folder (default: the one in force), and what a reviewer should look at."""
    from api.cli.policy.showing import show
    from policy.loader import PACKAGED, load
    from policy.review.lint.checking import check as check_folder

    checked = folder or settings.policy_dir or PACKAGED
    before = against or (None if checked.samefile(PACKAGED) else PACKAGED)
    show(check_folder(checked, load(before) if before else None, strict=strict), as_json=as_json)
