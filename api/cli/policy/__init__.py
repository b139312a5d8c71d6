"""`dmp policy ...`: what reviewers do with rules before they go live."""

import click

from api.cli.policy.cases import cases
from api.cli.policy.check import check
from api.cli.policy.diff import diff
from api.cli.policy.matrix import matrix
from api.cli.policy.prove import prove
from api.cli.policy.replay import replay


@click.group()
def policy() -> None:
    """The rules."""


for _command in (check, cases, prove, diff, replay, matrix):
    policy.add_command(_command)
