"""`dmp journal ...`: the trace, verified, proved and shown to whom the law entitles."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from api.settings import Settings
from models.identifiers import InvalidIdentifierError, parse_pseudonym, parse_rpps

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_KEYS = click.option("--key", "keys", multiple=True, metavar="KEY|FILE", help="A key of the log, or a file of them.")


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            instant = datetime.fromisoformat(value)
            if len(value) == len("2026-11-02"):
                return instant.replace(tzinfo=UTC)
            if instant.tzinfo is None:
                self.fail("an instant says its time zone: 2026-11-02T09:30:00Z", param, ctx)
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("not a date or an instant of ISO 8601, such as 2026-11-02 or 2026-11-02T09:30:00Z", param, ctx)


@click.group()
def journal() -> None:
    """The trace."""


@journal.command()
@click.option("--proof", metavar="FILE", type=_FILE, help="Check this proof alone, by --key; `-` is standard input.")
@click.option("--copy", "copy", metavar="FOLDER", type=_FOLDER, help="Check this unpacked copy of a record alone.")
@click.option("--checkpoint", "checkpoints", multiple=True, metavar="FILE", type=_FILE, help="One that somebody kept.")
@_KEYS
@click.pass_obj
def verify(
    settings: Settings, proof: Path | None, copy: Path | None, checkpoints: Sequence[Path], keys: Sequence[str]
) -> None:
    """Recompute the whole journal and hold it to all that was signed and published of it.

    Fails at the first entry that is not what was written. With --proof, one entry is checked offline, with --copy all
    files and all entries of an unpacked copy: neither database nor network nor keys of the service are needed. Without
    --key, a copy is held to the key that came with it.
    """
    from api.cli import copies, verifying

    if proof is not None and copy is not None:
        raise click.UsageError("--proof or --copy: each is checked by itself")
    if checkpoints and (proof is not None or copy is not None):
        raise click.UsageError("--proof and --copy are checked by themselves: --checkpoint is for the whole journal")
    if copy is not None:
        click.echo(copies.verify_copy(copy, keys))
    elif proof is not None:
        click.echo(verifying.verify_proof(proof, keys))
    else:
        click.echo(verifying.verify(settings, checkpoints, keys))


@journal.command()
@click.argument("checkpoints", metavar="CHECKPOINT...", nargs=-1, required=True, type=_FILE)
@click.option("--records", metavar="FOLDER", type=_FOLDER, help="A copy of what is published; holds `journal/`.")
@_KEYS
@click.pass_obj
def consistency(settings: Settings, checkpoints: Sequence[Path], records: Path | None, keys: Sequence[str]) -> None:
    """Tell whether checkpoints are of one log, by the published tiles: with two of a fork, one is found out.

    Without --records, those of the service's object store are read. With --records and --key nothing of the service is
    needed.
    """
    from api.cli import verifying

    click.echo(verifying.hold_consistent(settings, checkpoints, records, keys))


@journal.command()
@click.pass_obj
def key(settings: Settings) -> None:
    """Print the public keys of the log, one a line, the present one first: what verifiers are given."""
    from api.cli import verifying

    click.echo(verifying.public_keys(settings))


@journal.command()
@click.option("--professional", metavar="RPPS", help="All that this professional asked.")
@click.option("--dossier", metavar="UUID", help="All that was asked about this dossier.")
@click.option("--from", "since", type=_Instant(), metavar="INSTANT", help="This instant, or day in UTC, included.")
@click.option("--to", "until", type=_Instant(), metavar="INSTANT", help="This instant, or day in UTC, excluded.")
@click.pass_obj
def audit(
    settings: Settings,
    professional: str | None,
    dossier: str | None,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Print entries for the authorities, one a line in JSON, oldest first; that this was done is journaled before.

    With both --professional and --dossier, only what that professional asked about that dossier.
    """
    from api.cli import auditing

    if professional is None and dossier is None:
        raise click.UsageError("whose entries? --professional, --dossier or both")
    subject, about = _professional(professional), _dossier(dossier)
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--from is before --to")
    auditing.audit(settings, auditing.Asked(subject, about, since, until), click.echo)


def _professional(given: str | None) -> str | None:
    try:
        return None if given is None else parse_rpps(given)
    except InvalidIdentifierError as error:
        raise click.BadParameter(str(error), param_hint="--professional") from None


def _dossier(given: str | None) -> UUID | None:
    try:
        return None if given is None else parse_pseudonym(given)
    except InvalidIdentifierError as error:
        raise click.BadParameter(str(error), param_hint="--dossier") from None
