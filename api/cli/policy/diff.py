"""`dmp policy diff`."""

import click

from api.cli.policy.asking import as_json
from api.cli.policy.showing import show


@click.command()
@click.argument("old")
@click.argument("new")
@as_json
def diff(old: str, new: str, *, as_json: bool) -> None:
    """Show what changes from OLD to NEW: folders, or git revisions (REVISION or REVISION:PATH).

    Ends with status 1 if any answer changes.
    """
    from api.cli.policy.revisions import policy_folder
    from policy.loader import load
    from policy.review.diff import diff

    with policy_folder(old) as old_folder, policy_folder(new) as new_folder:
        difference = diff(load(old_folder), load(new_folder))
    show(difference, as_json=as_json)
