"""A load test as its users run it: locust in processes of its own, on a service that runs."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from loadtests.plan import VARIABLE
from loadtests.population import Population
from loadtests.preparing import Prepared, Wanted, prepared
from loadtests.reporting import HTML, JSON, read
from loadtests.service import free_port, stop

POPULATION = Population(150, seed=4)
PATIENCE = 120
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The service with the population in it."""
    with prepared(Wanted(POPULATION, 1, tmp_path_factory.mktemp("loadtest"))) as made:
        yield made


def load(service: Prepared, report: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """A run of three seconds, begun."""
    command = [sys.executable, "-c", "from loadtests.cli import main; main()", "run", "steady", f"--report={report}"]
    command += [f"--address={service.address}", f"--key={service.key}", f"--fund-key={service.fund_key}"]
    command += ["--dossiers=150", "--seconds=3", "--rate=40", "--step-seconds=0", "--p99=60000", *options]
    return subprocess.Popen(  # noqa: S603 - our own command line, with arguments of ours
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def with_workers(
    service: Prepared, folder: Path, count: int, *options: str
) -> Iterator[tuple[subprocess.Popen[str], list[subprocess.Popen[bytes]]]]:
    """A run whose workers are started as on other machines, with a copy of the plan, once it waits for them."""
    here = {"LOCUST_MASTER_BIND_HOST": "127.0.0.1", "LOCUST_MASTER_BIND_PORT": str(free_port())}
    run = load(service, folder / "report", "--seed=4", f"--expect-workers={count}", *options, **here)
    assert run.stdout is not None
    told = next(line for line in run.stdout if "waiting for" in line)
    assert f"waiting for {count} workers" in told
    plan = folder / "copied.json"
    shutil.copyfile(folder / "report" / "plan.json", plan)
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests/locustfile.py"), "--worker"]
    command += ["--master-host=127.0.0.1", f"--master-port={here['LOCUST_MASTER_BIND_PORT']}"]
    environment = os.environ | {VARIABLE: str(plan), "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        workers = []
        for number in range(count):
            log = stack.enter_context((folder / f"worker{number}.log").open("wb"))
            worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - as above
            stack.callback(stop, worker, "the worker")
            workers.append(worker)
        yield run, workers


def decisions(service: Prepared) -> float:
    """How many were taken until now."""
    lines = httpx.get(f"{service.address}/metrics").raise_for_status().text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("dmp_decisions_total"))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
    left = [file.read_bytes() for file in tmp_path.glob("*/*")]
    assert [name for name in (service.key, service.fund_key or "") if any(name.encode() in file for file in left)] == []


@pytest.mark.long
def test_workers_elsewhere_serve_the_whole_run_and_a_lost_one_fails_it(service: Prepared, tmp_path: Path) -> None:
    """Two are started once, for the shape and the steps; one is killed in the steps, and the other ends."""
    options = ("--only=treating physician", "--rate=100", "--step-seconds=60")
    with with_workers(service, tmp_path, 2, *options) as (run, workers):
        wait_until((tmp_path / "report" / "measured").exists)  # the shape is over
        workers[0].kill()
        told = run.communicate(timeout=PATIENCE)[0]
        assert workers[1].wait(PATIENCE) == 0
    report = read(tmp_path / "report" / JSON)
    assert report.shape is not None
    assert report.steps is not None
    assert (report.shape.wrong, report.shape.failed, report.shape.lost) == (0, 0, 0), report.shape.failures
    assert ("treating physician", "list of patients") in {kind for kind, _ in report.shape.kinds}
    assert (len(report.steps.seconds) > 0, report.steps.wrong, report.steps.lost) == (True, 0, 1)
    assert (run.returncode, "workers of locust that were lost 1, at most 0" in told) == (1, True), told


def test_a_run_without_workers_any_more_fails(service: Prepared, tmp_path: Path) -> None:
    """The last one leaves: what it had asked is reported, and not taken for all."""
    before = decisions(service)
    with with_workers(service, tmp_path, 1, "--seconds=60") as (run, workers):
        wait_until(lambda: decisions(service) > before)
        workers[0].terminate()
        told = run.communicate(timeout=PATIENCE)[0]
    report = read(tmp_path / "report" / JSON)
    assert report.shape is not None
    assert (report.shape.wrong, report.shape.lost, run.returncode) == (0, 1, 1), told
