"""`dmp demo`: the promises of the DMP, played over HTTP against a service started for the purpose.

Every line asks the decision point first (a what-if, with its rule), then does the thing. The story holds only if
both give the expected answer, so the demonstration is a test that a person can read.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from api.cli.demo import life, rights
from api.cli.demo.story import FUND, Story
from api.cli.running import dmp, running_service


@contextmanager
def stage() -> Iterator[tuple[Path, httpx.Client, httpx.Client]]:
    """A service on an empty home with the demonstration's directory; a client for everything, and the fund's own."""
    with tempfile.TemporaryDirectory(prefix="dmp-demo-") as folder:
        home = Path(folder)
        dmp(home, "init").check_returncode()
        with as_file(files("api.cli") / "demonstration.ndjson") as population:
            dmp(home, "import", str(population)).check_returncode()
        everything = ("decide", "documents", "dossiers", "journal", "policy", "operate")
        key = dmp(home, "client", "add", "demonstration", *(f"--scope={scope}" for scope in everything)).stdout.strip()
        tied = dmp(home, "client", "add", "fund", "--scope=feeds", f"--organization={FUND.partition('/')[2]}")
        with (
            running_service(home) as address,
            httpx.Client(base_url=address, headers=_bearer(key), timeout=30) as http,
            httpx.Client(base_url=address, headers=_bearer(tied.stdout.strip()), timeout=30) as fund,
        ):
            yield home, http, fund


def play(console: Console) -> int:
    """Play the story; 0 if every answer was the expected one."""
    table = Table(title="Dossier Médical Partagé: who may see what, and the life of a record")
    table.add_column("Question")
    table.add_column("Answer", no_wrap=True)
    table.add_column("Rule", no_wrap=True)
    with stage() as (home, http, fund):
        story = Story(http, table)
        rights.play(story, home)
        life.play(story, fund, home)
    console.print(table)
    for surprise in story.surprises:
        console.print(f"[red]Not as the rules say:[/red] {surprise}")
    if not story.surprises:
        console.print(f"All {story.told} answers are the expected ones.")
    return 1 if story.surprises else 0


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
