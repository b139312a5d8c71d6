"""`dmp policy ...`: what reviewers do with rules before they go live."""

import click

from api.cli.policy.bundle import bundle
from api.cli.policy.cases import cases
from api.cli.policy.check import check
from api.cli.policy.coverage import coverage
from api.cli.policy.diff import diff
from api.cli.policy.explain import explain
from api.cli.policy.matrix import matrix
from api.cli.policy.mutation import mutation
from api.cli.policy.prove import prove
from api.cli.policy.publish import publish
from api.cli.policy.replay import replay
from api.cli.policy.reviewer import reviewer
from api.cli.policy.rules import rules
from api.cli.policy.sign import sign
from api.cli.policy.unpack import unpack
from api.cli.policy.verify import verify


@click.group()
def policy() -> None:
    """The rules."""


for _command in (check, cases, coverage, mutation, prove, diff, explain, replay, matrix, rules):
    policy.add_command(_command)
for _command in (reviewer, bundle, sign, verify, unpack, publish):
    policy.add_command(_command)
