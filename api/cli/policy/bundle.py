"""`dmp policy bundle`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.bundling import Done
from api.cli.policy.showing import show
from api.settings import Settings


@click.command()
@folder
@click.option("--version", required=True, type=int, help="A number, larger than that of any bundle before.")
@click.option("--author", required=True, help="Who wrote the change, and cannot be one of its reviewers.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The bundle: a new file.")
@click.option("--created", type=click.DateTime(["%Y-%m-%d"]), help="Its date, if not today's.")
@as_json
@click.pass_obj
def bundle(
    settings: Settings,
    folder: Path | None,
    version: int,
    author: str,
    output: Path,
    created: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Pack a policy folder into one file that reviewers sign. What the loader refuses is not packed."""
    from policy.bundles.packing import pack
    from policy.errors import BundleError

    made = pack(
        chosen(folder, settings),
        version=version,
        author=author,
        created=(created or datetime.now(UTC)).date(),
    )
    try:
        with output.open("xb") as file:
            file.write(made.encode())
    except FileExistsError:
        raise BundleError("file", f"there is a file already: {output}") from None
    told = {"version": made.version, "revision": made.revision, "files": sorted(made.files)}
    show(Done(f"version {made.version}, revision {made.revision}, {len(made.files)} files", told), as_json=as_json)
