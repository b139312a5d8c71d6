"""`dmp policy diff`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click

from api.cli.policy.asking import as_json
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--journal", is_flag=True, help="Count the recorded decisions that would have changed, too.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 36_500), help="How far back to count.")
@as_json
@click.pass_obj
def diff(settings: Settings, old: str, new: str, *, journal: bool, days: int, as_json: bool) -> None:
    """Show what changes from OLD to NEW: folders, or git revisions (REVISION or REVISION:PATH).

    Ends with status 1 if any answer changes.
    """
    from api.cli.policy.recorded import recorded_decisions
    from api.cli.policy.revisions import policy_folder
    from policy.loader import load
    from policy.review.diff import diff
    from policy.review.replay import count_changes

    with policy_folder(old) as old_folder, policy_folder(new) as new_folder:
        rules = load(old_folder), load(new_folder)
    difference = diff(*rules)
    if journal:
        recorded = recorded_decisions(settings, since=datetime.now(UTC) - timedelta(days=days))
        difference = replace(difference, accesses=count_changes(recorded, *rules))
    show(difference, as_json=as_json)
