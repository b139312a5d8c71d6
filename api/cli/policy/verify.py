"""`dmp policy verify`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json
from api.cli.policy.bundling import bundle_file, read_bundle
from api.cli.policy.showing import show
from api.errors import SettingsError
from api.settings import Settings


@click.command()
@bundle_file
@click.option(
    "--trust",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Whose keys count; without it, DMP_POLICY_TRUST.",
)
@click.option("--not-older-than", default=1, type=click.IntRange(1), help="The version in force.")
@as_json
@click.pass_obj
def verify(settings: Settings, file: Path, trust: Path | None, not_older_than: int, *, as_json: bool) -> None:
    """Say who signed a bundle, which signatures count, and whether a service that trusts these keys would take it."""
    from policy.bundles.signing import read_trust
    from policy.bundles.verifying import verify as verified

    trusted = trust or settings.policy_trust
    if trusted is None:
        raise SettingsError("whose signatures count? --trust or DMP_POLICY_TRUST names the trust file")
    show(verified(read_bundle(file), read_trust(trusted), not_older_than), as_json=as_json)
