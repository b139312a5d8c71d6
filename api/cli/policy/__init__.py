"""`dmp policy ...`: what reviewers do with rules before they go live."""

import click

from api.cli.policy.check import check


@click.group()
def policy() -> None:
    """The rules."""


for _command in (check,):
    policy.add_command(_command)
