"""`dmp keys ...`: which keys there are, others in their place, and the end of the old ones."""

from collections.abc import Sequence
from uuid import UUID

import click

from api.settings import Settings
from models.identifiers import InvalidIdentifierError, parse_pseudonym

_TREES = ("dossier", "journal", "index", "rows", "signing")
_OF_DOSSIERS = ("dossier", "journal")
_SHARDS = range(4096)


class _Shard(click.ParamType[int]):
    name = "shard"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            shard = int(str(value), 16)
        except ValueError:
            shard = -1
        if len(str(value)) != len("0a1") or shard not in _SHARDS:
            self.fail("a shard is three hexadecimal digits, such as 0a1", param, ctx)
        return shard


class _Dossier(click.ParamType[UUID]):
    name = "dossier"

    def convert(self, value: str | UUID, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        try:
            return parse_pseudonym(str(value))
        except InvalidIdentifierError as error:
            self.fail(str(error), param, ctx)


@click.group()
def keys() -> None:
    """The keys: masters in the key service, below them keys of shards, below these one for each dossier."""


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Which keys there are and what hangs below them, never their values."""
    from api.cli import rotating

    click.echo(rotating.standing(settings, as_json=as_json))


@keys.group()
def rotate() -> None:
    """Make new keys and bring what the old ones wrap under them, while the service runs.

    Whatever is interrupted is finished by `dmp keys rewrap`.
    """


@rotate.command()
@click.option("--tree", "trees", multiple=True, type=click.Choice(_TREES), help="All trees unless said.")
@click.pass_obj
def master(settings: Settings, trees: Sequence[str]) -> None:
    """A new master in the key service, and the keys of shards under it: some thousands, however many documents."""
    from api.cli import rotating

    click.echo(rotating.rotate_masters(settings, trees or _TREES))


@rotate.command()
@click.option("--tree", type=click.Choice(_TREES), help="The dossiers' and their journals' unless said.")
@click.option("--shard", "shards", multiple=True, type=_Shard(), metavar="HEX", help="All shards unless said.")
@click.pass_obj
def shard(settings: Settings, tree: str | None, shards: Sequence[int]) -> None:
    """New keys of shards, and the keys of dossiers under them."""
    from api.cli import rotating

    if tree in {"rows", "signing"}:
        raise click.UsageError(f"`dmp keys rotate {tree}` does that")
    click.echo(rotating.rotate_shards(settings, (tree,) if tree else _OF_DOSSIERS, shards))


@rotate.command()
@click.argument("dossiers", metavar="[DOSSIER]...", nargs=-1, type=_Dossier())
@click.option("--all", "every", is_flag=True, help="Every dossier, in the order of their ids.")
@click.option("--after", type=_Dossier(), metavar="DOSSIER", help="With --all: go on beyond this one.")
@click.pass_obj
def dossier(settings: Settings, dossiers: Sequence[UUID], after: UUID | None, *, every: bool) -> None:
    """Other keys for dossiers: all that is sealed under them is sealed anew. Objects are not written again."""
    from api.cli import rotating

    if every == bool(dossiers):
        raise click.UsageError("which dossiers? Name them, or say --all")
    if after is not None and not every:
        raise click.UsageError("--after goes with --all")
    click.echo(rotating.rotate_all_dossiers(settings, after) if every else rotating.rotate_dossiers(settings, dossiers))


@rotate.command()
@click.pass_obj
def rows(settings: Settings) -> None:
    """A new key that authenticates rows of the database, and every row under it."""
    from api.cli import rotating

    click.echo(rotating.rotate_rows(settings))


@rotate.command()
@click.pass_obj
def signing(settings: Settings) -> None:
    """A new key that signs the journal's checkpoints. What the old ones signed still verifies."""
    from api.cli import rotating

    click.echo(rotating.rotate_signing(settings))


@keys.command()
@click.option("--tree", "trees", multiple=True, type=click.Choice(_TREES), help="All trees unless said.")
@click.pass_obj
def rewrap(settings: Settings, trees: Sequence[str]) -> None:
    """Finish what an interrupted rotation left: whatever is under a key that is primary no more."""
    from api.cli import rotating

    click.echo(rotating.rewrap(settings, trees or _TREES))


@keys.command()
@click.argument("key_id")
@click.pass_obj
def disable(settings: Settings, key_id: str) -> None:
    """Put a key out of use, which `enable` undoes: a trial before it is destroyed."""
    from api.cli import rotating

    click.echo(rotating.disable(settings, key_id))


@keys.command()
@click.argument("key_id")
@click.pass_obj
def enable(settings: Settings, key_id: str) -> None:
    """Let a disabled key unwrap again."""
    from api.cli import rotating

    click.echo(rotating.enable(settings, key_id))


@keys.command()
@click.argument("key_ids", metavar="[KEY_ID]...", nargs=-1)
@click.option("--replaced", is_flag=True, help="All that are primary no more.")
@click.option("--tree", "trees", multiple=True, type=click.Choice(_TREES), help="With --replaced: of these trees only.")
@click.pass_obj
def destroy(settings: Settings, key_ids: Sequence[str], trees: Sequence[str], *, replaced: bool) -> None:
    """Destroy keys for ever: masters (dossier/1) or shards' keys (dossier/0a1/3).

    Refused while anything is under them. What copies of the database have under them opens for nobody any more.
    """
    from api.cli import rotating

    if replaced == bool(key_ids):
        raise click.UsageError("which keys? Name them, or say --replaced")
    if trees and not replaced:
        raise click.UsageError("--tree goes with --replaced")
    click.echo(
        rotating.destroy_replaced(settings, trees or _TREES) if replaced else rotating.destroy(settings, key_ids)
    )
