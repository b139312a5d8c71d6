"""`dmp policy sign`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json
from api.cli.policy.bundling import Done, bundle_file, passphrase_file, read_bundle
from api.cli.policy.showing import show


@click.command()
@bundle_file
@click.option("--key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--reviewer", required=True, help="The name that the trust file gives to this key.")
@passphrase_file
@as_json
def sign(file: Path, key: Path, reviewer: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Add a reviewer's signature to a bundle, in its place. A signature that would not count is not made."""
    from policy.bundles.form import parse
    from policy.bundles.packing import open_rules
    from policy.bundles.signing import ReviewerKey
    from policy.bundles.signing import sign as signed
    from vault.durable_files import replace
    from vault.locations import read_passphrase

    bundle = parse(read_bundle(file))
    open_rules(bundle)
    kept = key.read_bytes()
    if passphrase_file is not None:
        passphrase: bytes | None = read_passphrase(passphrase_file)
    elif b"ENCRYPTED" in kept:
        passphrase = click.prompt("Passphrase", hide_input=True, err=True).encode()
    else:
        passphrase = None
    result = signed(bundle, ReviewerKey.decode(kept, passphrase), reviewer)
    mode = file.stat().st_mode
    replace(file, result.encode())
    file.chmod(mode)  # it holds no secret, and whoever could read it goes on
    told = {"version": result.version, "revision": result.revision, "reviewer": reviewer}
    show(Done(f"signed by {reviewer}: version {result.version}, revision {result.revision}", told), as_json=as_json)
