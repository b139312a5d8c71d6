"""What cannot be run is refused before anything is started."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from loadtests.cli import main

ELSEWHERE = ("--address=http://127.0.0.1:1", "--key=K")


@pytest.mark.parametrize(
    "words, told",
    [
        (("slow", *ELSEWHERE), "slow needs a service that is started here: what makes its database late"),
        (("slow", *ELSEWHERE, "--slow=store"), "what makes its store late"),
        (("steady", "--address=http://127.0.0.1:1"), "--address needs --key"),
        (("steady", "--expect-workers=1"), "--expect-workers needs --address"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """As other errors of usage are."""
    result = CliRunner(env={"DMP_LOADTEST_KEY": ""}).invoke(main, ["run", *words, f"--report={tmp_path}"])
    assert (result.exit_code, told in " ".join(result.output.split())) == (2, True), result.output


def test_what_was_not_seeded_is_refused(tmp_path: Path) -> None:
    """An embedded database is none that was seeded."""
    runner = CliRunner(env={"DMP_HOME": str(tmp_path), "DMP_DATABASE_URL": None})
    result = runner.invoke(main, ["run", "steady", "--seeded", f"--report={tmp_path}"])
    assert (result.exit_code, "--seeded needs DMP_DATABASE_URL" in result.output) == (1, True)
