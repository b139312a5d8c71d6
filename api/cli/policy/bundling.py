"""What the commands around bundles have in common: bundles as files, passphrases, and saying what was done."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

bundle_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
"""A policy bundle."""

passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Its first line is the passphrase of the private key; without it, it is asked for.",
)


@dataclass(frozen=True, slots=True)
class Done:
    """That something was done (`policy.review.report.Report`); what cannot be done is an error."""

    sentence: str
    told: dict[str, Any]
    passed: bool = True

    def lines(self) -> Iterator[str]:
        yield self.sentence

    def data(self) -> dict[str, Any]:
        return self.told


def read_bundle(file: Path) -> bytes:
    """As much of a file as a bundle may be, and one byte more, which makes it too large."""
    from policy.bundles.form import MAX_SIZE

    with file.open("rb") as opened:
        return opened.read(MAX_SIZE + 1)
