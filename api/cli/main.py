"""`dmp`: the service, its data, its policy, its keys and its journal, from a shell.

Commands import what they need when they run, so that `dmp --help` is quick and the supervisor of `dmp serve` small.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from api.cli.journal import journal
from api.cli.keys import keys
from api.cli.policy import policy
from api.settings import Settings, SettingsError

_LOOPBACK = "127.0.0.1"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def dmp(context: click.Context) -> None:
    """The DMP's authorization service and document vault. Settings come from the environment (DMP_HOME, ...)."""
    try:
        context.obj = Settings.from_environment(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@dmp.command()
@click.option("--distributed", is_flag=True, help="Over a Citus cluster, from now on.")
@click.pass_obj
def init(settings: Settings, *, distributed: bool) -> None:
    """Create or bring up to date the data folder, the database and the keys."""
    from api.cli import setting_up

    setting_up.initialise(settings, distributed=distributed)
    click.echo(f"ready: {settings.home}")


@dmp.command()
@click.option("--host", default=_LOOPBACK, show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--demonstration", is_flag=True, help="First import a small population, and print a client's key.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int, workers: int, *, demonstration: bool) -> None:
    """Answer over HTTP; an empty home is initialised first."""
    from api.cli import serve as serving
    from api.cli import setting_up

    if serving.work_on_inherited_socket(settings):
        return
    setting_up.initialise(settings)
    if demonstration:
        key = setting_up.import_demonstration(settings)
        click.echo(f"KEY={key}")
    serving.serve(settings, host, port, workers)


@dmp.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def import_(settings: Settings, files: Sequence[Path]) -> None:
    """Import facts from NDJSON files; each file is taken whole or not at all. `-` is standard input."""
    from api.cli import importing

    for file in files:
        click.echo(importing.import_file(settings, file))


@dmp.group()
def client() -> None:
    """The components that may call the service."""


@client.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="decide, documents, dossiers, journal, ...")
@click.option("--speaks-for", "speaks_for", multiple=True, help="A subject type; without it, every one.")
@click.option("--organization", help="It speaks as this organization and those who exercise there only.")
@click.pass_obj
def add_client(
    settings: Settings, name: str, scopes: Sequence[str], speaks_for: Sequence[str], organization: str | None
) -> None:
    """Register a component and print its key, once."""
    from api.cli import clients

    click.echo(clients.add(settings, name, scopes, speaks_for, organization))


dmp.add_command(policy)


dmp.add_command(keys)


@dmp.group()
def vault() -> None:
    """The sealed documents."""


@vault.command("reconcile")
@click.option("--older-than", default=3600, show_default=True, type=click.IntRange(0), help="Seconds.")
@click.pass_obj
def reconcile(settings: Settings, older_than: int) -> None:
    """Remove what interrupted deposits and erasures left; fails if some of it stays, or a document's object is gone."""
    from api.cli import maintenance

    report, sound = maintenance.reconcile(settings, older_than)
    click.echo(report)
    sys.exit(not sound)


@vault.command("scrub")
@click.option("--anew", is_flag=True, help="Begin again, even if one was interrupted.")
@click.pass_obj
def scrub(settings: Settings, *, anew: bool) -> None:
    """Open every document to its last byte; fails if one does not open. Goes on where it was interrupted."""
    from api.cli import maintenance

    report, sound = maintenance.scrub(settings, anew=anew)
    click.echo(report)
    sys.exit(not sound)


@vault.command("copy")
@click.option("--to", required=True, metavar="URL", help="As DMP_VAULT_URL; made ready if it is empty.")
@click.option("--part", type=click.Choice(["documents", "journal"]), help="Only the objects, or the published journal.")
@click.pass_obj
def copy(settings: Settings, to: str, part: str | None) -> None:
    """Give another store what this one has and it lacks, sealed as it is: a backup, or a restored one."""
    from api.cli import maintenance

    click.echo(maintenance.copy(settings, to, part))


dmp.add_command(journal)


@dmp.group()
def notifications() -> None:
    """What patients and treating physicians are still to be told."""


@notifications.command("list")
@click.option("--dead", is_flag=True, help="Those that were given up.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_obj
def list_notifications(settings: Settings, limit: int, *, dead: bool) -> None:
    """Those that wait, the next one first."""
    from api.cli import notifications as outbox

    click.echo(outbox.listing(settings, dead=dead, limit=limit))


@notifications.command("retry")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
@click.pass_obj
def retry_notifications(settings: Settings, ids: Sequence[UUID]) -> None:
    """Have these tried again now, or all that were given up."""
    from api.cli import notifications as outbox

    click.echo(outbox.retry(settings, ids))


@dmp.group()
def inquiries() -> None:
    """What is still to be asked about dossiers that were opened: of the fund, and of others who know."""


@inquiries.command("list")
@click.option("--given-up", is_flag=True, help="Those that were given up.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_obj
def list_inquiries(settings: Settings, limit: int, *, given_up: bool) -> None:
    """Those that wait, the next one first."""
    from api.cli import inquiries as asked

    click.echo(asked.listing(settings, given_up=given_up, limit=limit))


@inquiries.command("retry")
@click.argument("dossiers", metavar="[DOSSIER]...", nargs=-1, type=click.UUID)
@click.pass_obj
def retry_inquiries(settings: Settings, dossiers: Sequence[UUID]) -> None:
    """Have these dossiers asked about now, or all of which an inquiry was given up."""
    from api.cli import inquiries as asked

    click.echo(asked.retry(settings, dossiers))


@dmp.group()
def retention() -> None:
    """What the law lets us keep no longer."""


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--traces-years", default=10, show_default=True, type=click.IntRange(1, 100))
@click.pass_obj
def run_retention(settings: Settings, traces_years: int, *, dry_run: bool) -> None:
    """Destroy dossiers closed for ten years and reimbursements of two, make traces of those long gone unreadable."""
    from api.cli import retention as keeping

    click.echo(keeping.run(settings, dry_run=dry_run, traces_years=traces_years))


@dmp.command()
@click.option("--organization", required=True, metavar="FINESS", help="On whose behalf.")
@click.option("--dossier", required=True, metavar="PSEUDONYM", help="As /v1/identities gives it; never an INS.")
@click.option("--type", "document_type", required=True, metavar="CODE", help="11502-2, ...")
@click.option("--title", help="Of every file; without it, what its type is called.")
@click.option("--content-type", help="Of every file; without it, what its first bytes say.")
@click.option("--created-at", metavar="INSTANT", help="2026-10-01T08:00:00Z; without it, now.")
@click.option("--author", metavar="RPPS", help="Who exercises there and signs; without it, the organization.")
@click.option("--masked", is_flag=True, help="Hidden from professionals, as the patient wishes.")
@click.option("--withheld", is_flag=True, help="Hidden from the patient until a professional told him.")
@click.option("--hidden-from-representatives", is_flag=True, help="Hidden from those who speak for the patient.")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def deposit(settings: Settings, /, files: Sequence[Path], **given: Any) -> None:
    """Deposit files in a dossier, each decided and journaled; fails if one was refused."""
    from api.cli import depositing

    sys.exit(not depositing.deposit(settings, depositing.Given(**given), files, click.echo))


@dmp.group()
def feed() -> None:
    """What others know of people, entered from files."""


def _feed(settings: Settings, which: str, organization: str, file: Path) -> None:
    """Results to standard output, the summary to the other; fails if a line was refused."""
    from api.cli import feeding

    def write(results: bytes) -> None:
        sys.stdout.buffer.write(results)
        sys.stdout.buffer.flush()

    report, all_taken = feeding.feed(settings, feeding.Feed(which), organization, file, write)
    click.echo(report, err=True)
    sys.exit(not all_taken)


@feed.command("reimbursements")
@click.option("--organization", required=True, metavar="SIREN", help="The insurance fund whose lines these are.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def feed_reimbursements(settings: Settings, file: Path, organization: str) -> None:
    """Enter what the fund reimbursed, NDJSON as its endpoint takes; fails if a line was refused.

    What was entered before stands once: a feed that was cut off is fed again.
    """
    _feed(settings, "reimbursements", organization, file)


@feed.command("treating-physicians")
@click.option("--organization", required=True, metavar="SIREN", help="The insurance fund whose lines these are.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def feed_treating_physicians(settings: Settings, file: Path, organization: str) -> None:
    """Enter who was declared to the fund, NDJSON as its endpoint takes; fails if a line was refused."""
    _feed(settings, "treating-physicians", organization, file)


@feed.command("dispensations")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def feed_dispensations(settings: Settings, file: Path) -> None:
    """Enter what pharmacies handed out, one FHIR R4 MedicationDispense a line; fails if a line was refused."""
    from api.cli import dispensing

    report, all_taken = dispensing.feed(settings, file, lambda line: click.echo(line.decode()))
    click.echo(report, err=True)
    sys.exit(not all_taken)


@dmp.command()
@click.option("--from", "first", metavar="MONTH", help="2026-01; the first of the last twelve that are over.")
@click.option("--to", "last", metavar="MONTH", help="2026-12; the last that is over.")
@click.option("--json", "as_json", is_flag=True, help="As the service answers.")
@click.option(
    "--pharmacies", is_flag=False, flag_value="", metavar="[YEAR]", help="CSV: who opened how many in a year."
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one page; since the beginning.")
@click.pass_obj
def statistics(
    settings: Settings, first: str | None, last: str | None, pharmacies: str | None, html: Path | None, *, as_json: bool
) -> None:
    """How many dossiers are opened and fed, and accesses in an emergency: whole months, and nobody's figures."""
    from api.cli import statistics as figures

    if pharmacies is not None:
        click.echo(figures.pharmacies(settings, pharmacies))
    elif html is not None:
        click.echo(figures.html(settings, first, last, html))
    else:
        click.echo((figures.json if as_json else figures.text)(settings, first, last))


@dmp.command()
def demo() -> None:
    """Play a patient's story against a service started for it; fails if an answer is not the expected one."""
    from rich.console import Console

    from api.cli.demo import play

    # Where the output is no terminal there is no width to respect, and a cropped rule says nothing.
    sys.exit(play(Console(width=None if sys.stdout.isatty() else 110)))


def main() -> None:
    """Run a command; whatever it cannot do is one sentence on standard error and a status other than 0."""
    from api.errors import DmpError
    from models.errors import DatabaseError, ImportRefusedError
    from models.identifiers import InvalidIdentifierError
    from policy.errors import PolicyError
    from vault.errors import VaultError

    try:
        dmp()
    except (
        DmpError,
        DatabaseError,
        ImportRefusedError,
        InvalidIdentifierError,
        PolicyError,
        VaultError,
        OSError,
    ) as error:
        sys.exit(f"dmp: {error}")


if __name__ == "__main__":
    main()
