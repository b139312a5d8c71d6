"""`dmp policy matrix`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings
from models.vocabulary import ACTIONS_ON, Action, Mode, ResourceType

_ACTIONS = sorted(action.value for action in ACTIONS_ON[ResourceType.DOCUMENT])
_MODES = [mode.value for mode in Mode]
_STDOUT = Path("-")


@click.command()
@folder
@click.option("--action", default=Action.DOCUMENT_READ.value, show_default=True, type=click.Choice(_ACTIONS))
@click.option("--mode", type=click.Choice(_MODES), help="One mode only.")
@as_json
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet: a line for each cell, none merged.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="A page to print; `-` shows it."
)
@click.pass_obj
def matrix(
    settings: Settings,
    folder: Path | None,
    action: str,
    mode: str | None,
    *,
    as_json: bool,
    as_csv: bool,
    html: Path | None,
) -> None:
    """Who may read what: roles and professions against categories of documents, each answer with its rule."""
    from policy.engine import Engine
    from policy.review.matrix.report import matrix_of

    if [as_json, as_csv, html is not None].count(True) > 1:
        raise click.UsageError("--json, --csv and --html exclude each other.")
    engine = Engine.load(chosen(folder, settings))
    report = matrix_of(engine, Action(action), [Mode(mode)] if mode else Mode)
    if as_json:
        show(report, as_json=True)
    elif as_csv:
        click.echo(report.csv(), nl=False)
    elif html == _STDOUT:
        click.echo(report.html(), nl=False)
    elif html is not None:
        html.write_text(report.html(), encoding="utf-8")
        click.echo(f"written: {html}")
    else:
        from api.cli.policy.colours import show_coloured

        show_coloured(report.lines())
