"""A report says what was measured, and fails when anything was wrong."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadtests.report import Endpoint, Measured, Report, read_measured, write_measured

ENDPOINT = Endpoint("evaluation", 1_000, 0, 2.0, 5.0, 9.0, 12.4)


def a_report(*failures: str, endpoints: tuple[Endpoint, ...] = (ENDPOINT,)) -> Report:
    return Report(
        Measured(10.0, endpoints, failures),
        "python -m loadtests",
        {"Python": "3.11"},
        {"machine": "two <cores>"},
        {"treating physician": "30 (assumption)"},
    )


class Reader(HTMLParser):
    """Collects cells, and addresses from which a page would fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells and self.cells[-1] == "":
            self.cells[-1] = data


def test_what_one_process_leaves_another_reads(tmp_path: Path) -> None:
    """Figures cross over to the program that writes the report as they are."""
    measured = Measured(2.5, (ENDPOINT,), ("evaluation: status 500 (3 times)",))
    write_measured(tmp_path / "measured", measured)
    assert read_measured(tmp_path / "measured") == measured


def test_rates_are_requests_over_seconds() -> None:
    """1,000 requests in 10 seconds are 100 a second, for each kind and for all."""
    assert [(row[0], row[1], row[2]) for row in a_report().rows()] == [
        ("evaluation", "1,000", "100"),
        ("all", "1,000", "100"),
    ]


def test_a_run_of_no_length_has_no_rate() -> None:
    """A run that ended before it began is told, not divided by."""
    assert Report(Measured(0.0, (ENDPOINT,), ()), "", {}, {}, {}).rows()[-1][2] == "0"


@pytest.mark.parametrize(
    "report, passed",
    [
        (a_report(), True),
        (a_report("evaluation: wrong answer (1 times)"), False),
        (a_report(endpoints=()), False),
    ],
    ids=["right", "one wrong", "nothing asked"],
)
def test_one_wrong_answer_fails_the_run(report: Report, *, passed: bool) -> None:
    """Whatever the latency; and a run that asked nothing has shown nothing."""
    assert report.passed is passed


def test_the_json_file_holds_everything(tmp_path: Path) -> None:
    """What a program needs to compare two runs."""
    a_report().write(tmp_path / "new")
    told = json.loads((tmp_path / "new" / "report.json").read_text())
    assert (told["passed"], told["command"], told["measured"]["endpoints"][0]["p99"]) == (
        True,
        "python -m loadtests",
        9.0,
    )


def test_the_page_needs_nothing_else() -> None:
    """It opens from a disk without a network, and shows the table."""
    reader = Reader()
    reader.feed(a_report().page())
    assert (reader.fetched, reader.cells[:8]) == (
        [],
        ["evaluation", "1,000", "100", "0", "2", "5", "9", "12"],
    )


def test_words_are_escaped_in_the_page() -> None:
    """Nothing that is told becomes markup."""
    assert "two &lt;cores&gt;" in a_report().page()


def test_the_table_of_the_terminal_has_a_row_for_each_kind() -> None:
    """And one for all of them."""
    assert a_report().table().row_count == 2
