"""`dmp policy cases`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@click.option("--record", "recorded", is_flag=True, help="Print the rows that would expect what is answered now.")
@as_json
@click.pass_obj
def cases(settings: Settings, folder: Path | None, *, recorded: bool, as_json: bool) -> None:
    """Hold the rules against the expected answers of its cases. No file is ever written."""
    from policy.engine import Engine
    from policy.review.cases import hold
    from policy.review.matrices import cases_folder, read_matrices
    from policy.review.recording import record

    where = chosen(folder, settings)
    engine = Engine.load(where)
    report = hold(read_matrices(cases_folder(where), engine.register), engine)
    show(record(report) if recorded else report, as_json=as_json)
