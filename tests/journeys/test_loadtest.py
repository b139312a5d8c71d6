"""A load test as its users run it: locust in processes of its own, on a service that runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.population import Population
from loadtests.preparing import Prepared, Wanted, prepared
from loadtests.reporting import HTML, JSON, read

POPULATION = Population(150, seed=4)
PATIENCE = 120


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The service with the population in it."""
    with prepared(Wanted(POPULATION, 1, tmp_path_factory.mktemp("loadtest"))) as made:
        yield made


def load(service: Prepared, report: Path, *options: str) -> subprocess.Popen[str]:
    """A run of three seconds, begun."""
    command = [sys.executable, "-c", "from loadtests.cli import main; main()", "run", "steady", f"--report={report}"]
    command += [f"--address={service.address}", f"--key={service.key}", f"--fund-key={service.fund_key}"]
    command += ["--dossiers=150", "--seconds=3", "--rate=40", "--step-seconds=0", "--p99=60000", *options]
    return subprocess.Popen(  # noqa: S603 - our own command line, with arguments of ours
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_one_wrong_answer_fails_a_run_and_right_ones_do_not(service: Prepared, tmp_path: Path) -> None:
    """One asks as the population is, with workers of locust; the other believes that it is another population."""
    runs = {
        name: load(service, tmp_path / name, *options)
        for name, options in (("right", ("--seed=4", "--processes=2")), ("wrong", ("--seed=5",)))
    }
    told = {name: run.communicate(timeout=PATIENCE)[0] for name, run in runs.items()}
    reports = {name: read(tmp_path / name / JSON) for name in runs if (tmp_path / name / JSON).exists()}
    assert set(reports) == set(runs), told
    right, wrong = (reports[name].shape for name in ("right", "wrong"))
    assert right is not None
    assert wrong is not None
    assert (runs["right"].returncode, right.wrong, right.failed, list(right.failures)) == (0, 0, 0, [])
    assert {kind[0] for kind, _ in right.kinds} >= {"treating physician", "nurse", "patient", "pharmacist", "what-if"}
    assert (runs["wrong"].returncode, wrong.wrong > 0) == (1, True)
    assert "<svg" in (tmp_path / "right" / HTML).read_text()
    assert not list(tmp_path.glob("*/plan.json")), "no key stays behind"
