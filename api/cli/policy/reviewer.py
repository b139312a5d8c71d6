"""`dmp policy reviewer`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json
from api.cli.policy.bundling import Done, passphrase_file
from api.cli.policy.showing import show


@click.command()
@click.argument("name")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Where the private key goes: a new file.")
@passphrase_file
@click.option("--no-passphrase", is_flag=True, help="Leave the private key as it is, where the file is safe.")
@as_json
def reviewer(name: str, key: Path, passphrase_file: Path | None, *, no_passphrase: bool, as_json: bool) -> None:
    """Make a reviewer's key, and print the row by which others trust it.

    The private key stays with the reviewer; the row goes into the trust file of whoever runs the service.
    """
    from policy.bundles.form import NAMES, is_name
    from policy.bundles.signing import ReviewerKey
    from policy.errors import BundleError
    from vault.durable_files import write_new
    from vault.locations import read_passphrase

    if not is_name(name):
        raise BundleError("reviewer", f"the name of a reviewer is {NAMES}")
    if passphrase_file is not None and no_passphrase:
        raise click.UsageError("--passphrase-file and --no-passphrase exclude each other")
    if passphrase_file is not None:
        passphrase: bytes | None = read_passphrase(passphrase_file)
    elif no_passphrase:
        passphrase = None
    else:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True).encode()
    made = ReviewerKey.generate()
    try:
        write_new(key, made.encode(passphrase))
    except FileExistsError:
        raise BundleError("key", f"there is a file already, and keys are never overwritten: {key}") from None
    show(Done(f"{name},{made.public}", {"reviewer": name, "key": made.public}), as_json=as_json)
