"""Two reports are compared: what became worse is named, and fails."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadtests.comparing import command
from loadtests.processes import Sample
from loadtests.recording import Figures
from loadtests.reporting import Report
from tests.loadtests.reports import CARRIED, a_report, a_shape, samples, some_steps

SLOWER = Figures(1_000, 0, 2.2, 8.0, 15.0, 20.0, 31.0)
SLOWEST_STEP = CARRIED.__class__(60.0, 120.0, 0, 3.0, 30.0, 0.5)
FEWER_ANSWERS = CARRIED.__class__(100.0, 120.0, 0, 3.0, 30.0, 0.5)
BUSIER = [Sample(each.at, 1.5, each.memory, 1) for each in samples(100, 101, 102, 101)]


def comparing(folder: Path, before: Report, after: Report, *options: str) -> Result:
    paths = []
    for name, report in (("before", before), ("after", after)):
        (folder / name).mkdir()
        report.write(folder / name)
        paths.append(str(folder / name / "report.json"))
    return CliRunner().invoke(command, [*paths, *options])


def test_the_same_again_is_no_regression(tmp_path: Path) -> None:
    """It says so, and succeeds."""
    report = a_report(steps=some_steps())
    result = comparing(tmp_path, report, report)
    assert (result.exit_code, "nothing regressed" in result.output) == (0, True)


@pytest.mark.parametrize(
    "after, told",
    [
        (a_report(a_shape(SLOWER), some_steps()), "p99"),
        (a_report(a_shape(failed=3), some_steps()), "failed or missing answers"),
        (a_report(a_shape(wrong=1), some_steps()), "wrong answers"),
        (a_report(steps=some_steps(best=SLOWEST_STEP)), "carried"),
        (a_report(steps=some_steps(best=FEWER_ANSWERS)), "carried"),
        (a_report(steps=some_steps(), processes={"service": samples(200, 200)}), "memory, service"),
        (a_report(steps=some_steps(), processes={"service": BUSIER}), "processor time an answer"),
        (a_report(steps=some_steps(), database_bytes=50_000_000), "database"),
    ],
    ids=["latency", "failures", "wrong", "capacity", "throughput", "memory", "processors", "size"],
)
def test_what_became_worse_is_named(tmp_path: Path, after: Report, told: str) -> None:
    """And the exit code says that something did."""
    result = comparing(tmp_path, a_report(steps=some_steps()), after)
    lines = [line for line in result.output.splitlines() if "REGRESSED" in line]
    assert (result.exit_code, any(told in line for line in lines)) == (1, True)


def test_a_tolerance_can_be_given(tmp_path: Path) -> None:
    """A run that is two thirds slower is no regression for whoever allows twice."""
    assert comparing(tmp_path, a_report(), a_report(a_shape(SLOWER)), "--tolerance=1").exit_code == 0


def test_what_is_better_is_no_regression(tmp_path: Path) -> None:
    """The other way round nothing became worse."""
    assert comparing(tmp_path, a_report(a_shape(SLOWER)), a_report()).exit_code == 0


def test_runs_that_are_not_alike_say_so(tmp_path: Path) -> None:
    """Ten thousand dossiers may be compared with forty million, by whoever knows it."""
    other = a_report(setting=dict(a_report().setting) | {"population": "40,000,000 dossiers from seed 1"})
    result = comparing(tmp_path, a_report(), other)
    assert "not alike: population: 10,000 dossiers from seed 1 | 40,000,000 dossiers from seed 1" in result.output


@pytest.mark.parametrize(
    "more, told",
    [
        ({"versions": {"Python": "3.12"}}, "Python: 3.11 | 3.12"),
        ({"versions": {"Python": "3.11", "PostgreSQL": "15.18"}}, "PostgreSQL: unknown | 15.18"),
        ({"setting": dict(a_report().setting) | {"personas": "nurse"}}, "personas: unknown | nurse"),
    ],
)
def test_other_versions_and_settings_are_told(tmp_path: Path, more: dict[str, Any], told: str) -> None:
    """Whichever of the two reports has them."""
    assert f"not alike: {told}\n" in comparing(tmp_path, a_report(), a_report(**more)).output


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    """With one sentence."""
    (tmp_path / "other").write_text("{}")
    result = CliRunner().invoke(command, [str(tmp_path / "other")] * 2)
    assert (result.exit_code, "is no report of a load test" in result.output) == (1, True)
