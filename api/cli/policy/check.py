"""`dmp policy check`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.settings import Settings


@click.command()
@folder
@click.option(
    "--against",
    help="A folder or git revision whose ids keep their meaning; default: the packaged policy.",
)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@as_json
@click.pass_obj
def check(settings: Settings, folder: Path | None, against: str | None, *, strict: bool, as_json: bool) -> None:
    """Say what is refused in a policy folder (default: the one in force), and what a reviewer should look at."""
    from api.cli.policy.revisions import policy_folder
    from api.cli.policy.showing import show
    from policy.loader import PACKAGED, load
    from policy.review.lint.checking import check as check_folder
    from policy.ruleset import RuleSet

    checked = chosen(folder, settings)
    before: RuleSet | None = None
    if against is not None:
        with policy_folder(against) as there:
            before = load(there)
    elif not checked.samefile(PACKAGED):
        before = load(PACKAGED)
    show(check_folder(checked, before, strict=strict), as_json=as_json)
