"""How a command shows its report, and what its exit status says."""

import json
import sys

import click

from policy.review.report import Report


def show(report: Report, *, as_json: bool) -> None:
    """Print it in one form or the other, and end with status 1 unless it passed."""
    if as_json:
        click.echo(json.dumps(report.data(), ensure_ascii=False, indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    if not report.passed:
        sys.exit(1)
