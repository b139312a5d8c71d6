"""`dmp policy unpack`."""

from pathlib import Path

import click

from api.cli.policy.asking import as_json
from api.cli.policy.bundling import Done, bundle_file, read_bundle
from api.cli.policy.showing import show


@click.command()
@bundle_file
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@as_json
def unpack(file: Path, folder: Path, *, as_json: bool) -> None:
    """Write the files of a bundle, signed or not, into a new folder, for the other commands to look at."""
    from policy.bundles.form import parse
    from policy.bundles.packing import open_rules
    from policy.bundles.packing import unpack as unpacked

    bundle = parse(read_bundle(file))
    open_rules(bundle)
    unpacked(bundle, folder)
    told = {"version": bundle.version, "revision": bundle.revision, "files": sorted(bundle.files)}
    sentence = f"version {bundle.version} by {bundle.author}, revision {bundle.revision}, {len(bundle.files)} files"
    show(Done(sentence, told), as_json=as_json)
