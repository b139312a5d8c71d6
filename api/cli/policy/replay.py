"""`dmp policy replay`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import click

from api.cli.policy.asking import as_json, chosen, folder
from api.cli.policy.showing import show
from api.settings import Settings

_DAYS = 30


@click.command()
@folder
@click.option("--days", type=click.IntRange(1, 36_500), help=f"How far back; {_DAYS} if nothing is said.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
    help="Instead: since when (UTC).",
)
@click.option("--dossier", type=click.UUID, help="Only what was decided about this dossier.")
@as_json
@click.pass_obj
def replay(
    settings: Settings,
    folder: Path | None,
    days: int | None,
    since: datetime | None,
    dossier: UUID | None,
    *,
    as_json: bool,
) -> None:
    """Judge again what the journal holds, by a policy folder (default: the one in force), and say what would change.

    Fails if something that was decided cannot be judged again.
    """
    from api.cli.policy.recorded import recorded_decisions
    from policy.loader import load
    from policy.review.replay import replay as replayed

    if days is not None and since is not None:
        raise click.UsageError("--days and --since exclude each other")
    rules = load(chosen(folder, settings))
    begin = datetime.now(UTC) - timedelta(days=days or _DAYS) if since is None else _in_utc(since)
    show(replayed(recorded_decisions(settings, since=begin, dossier=dossier), rules), as_json=as_json)


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
