"""What the commands of reviewers have in common: which folder, and for whom the answer is."""

from pathlib import Path

import click

folder = click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
"""A policy folder; without it, the one in force."""

as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")
