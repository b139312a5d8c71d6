"""A report says what was measured, fails when anything was wrong, and is a page that needs nothing else."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadtests.page import page
from loadtests.plan import Measured
from loadtests.reporting import HTML, JSON, Report, capacity, read
from tests.loadtests.reports import CARRIED, FIGURES, KIND, REFUSED, a_report, a_shape, samples, some_steps

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Holds every end against its begin; collects addresses from which a page would fetch something, and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "poster"}]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def reading(report: Report) -> Reader:
    reader = Reader()
    reader.feed(page(report))
    reader.close()
    return reader


def test_the_page_is_well_formed() -> None:
    """Everything that is opened is closed, in its order."""
    reader = reading(a_report(a_shape(stalls=["second 3: stall, 1 of 2 answers over the run's p95"]), some_steps()))
    assert (reader.open, reader.wrong) == ([], [])


def test_the_page_needs_nothing_else() -> None:
    """It opens from a disk without a network: no script, no image, no style from elsewhere."""
    report = a_report(steps=some_steps())
    reader = reading(report)
    assert (reader.fetched, reader.tags & {"script", "link", "img", "iframe"}) == ([], set())
    assert "url(" not in page(report)


def test_the_page_draws_its_curves() -> None:
    """Throughput, latency, processors, memory, and the steps."""
    assert page(a_report(steps=some_steps())).count("<svg") == 5


def test_words_are_escaped_in_the_page() -> None:
    """Nothing that is told becomes markup."""
    assert "two &lt;cores&gt;" in page(a_report())


def test_the_page_shows_the_table() -> None:
    """Who asked, what, how often, and how long it took."""
    texts = [text for text in reading(a_report()).texts if text]
    begin = texts.index(KIND[0])
    assert texts[begin : begin + 10] == [*KIND, "1,000", "100.0", "0", "2.0", "5.0", "9.0", "20.0", "31.0"]


def test_a_long_run_is_drawn_in_few_places() -> None:
    """An hour of seconds stays a small page."""
    seconds = a_shape().seconds[0]
    long = a_shape(seconds=[seconds.__class__(number, 100.0, FIGURES) for number in range(3_600)])
    assert len(page(a_report(long))) < 200_000


def test_the_json_file_holds_everything(tmp_path: Path) -> None:
    """What a program needs to compare two runs, and the same report again."""
    report = a_report(steps=some_steps())
    report.write(tmp_path)
    assert (read(tmp_path / JSON), (tmp_path / HTML).read_text()) == (report, page(report))


def test_what_is_no_report_is_said_to_be_none(tmp_path: Path) -> None:
    """With the file and what is wrong with it."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match=r"other\.json is no report of a load test"):
        read(tmp_path / "other.json")


@pytest.mark.parametrize(
    "shape, steps, passed",
    [
        (a_shape(), some_steps(), True),
        (a_shape(wrong=1, failed=1, failures=["nurse, decision: wrong answer: no (1 times)"]), None, False),
        (a_shape(failed=1), None, False),
        (a_shape(), some_steps(wrong=1), False),
        (a_shape(), some_steps(failed=7), True),
        (a_shape(), some_steps(best=None), False),
        (a_shape(FIGURES.__class__(0, 0, 0, 0, 0, 0, 0)), None, False),
        (a_shape(FIGURES.__class__(10, 0, 600, 600, 600, 600, 600)), None, False),
    ],
    ids=["right", "wrong", "failed", "wrong in a step", "failed in a step", "nothing carried", "nothing", "slow"],
)
def test_one_wrong_answer_fails_the_run(shape: Measured, steps: Measured | None, *, passed: bool) -> None:
    """Whatever the latency; a step beyond what is carried may fail, and a run that asked nothing has shown nothing."""
    assert a_report(shape, steps).passed is passed


def test_a_worker_that_grows_fails_a_soak() -> None:
    """By more than a twentieth from the second quarter to the last."""
    flat, growing = (
        a_report(shape_name="soak", processes={"service: worker 1": samples(*held)}).passed
        for held in ((90, 100, 100, 102), (90, 100, 105, 110))
    )
    assert (flat, growing) == (True, False)


def test_a_storm_is_judged_by_its_end() -> None:
    """It may be slow while it lasts."""
    slow = FIGURES.__class__(100, 0, 400.0, 800.0, 900.0, 950.0, 999.0)
    seconds = a_shape().seconds
    stormy = [each.__class__(each.number, each.due, slow) for each in seconds[:5]] + list(seconds[5:])
    recovered, lost = (
        a_report(a_shape(slow, seconds=each), shape_name="storm").passed for each in (stormy, stormy[:5] * 2)
    )
    assert (recovered, lost) == (True, False)


def test_the_p99_asked_for_is_that_of_the_end() -> None:
    """Of a storm; of everything else it is that of the whole."""
    slow = FIGURES.__class__(100, 0, 400.0, 800.0, 900.0, 950.0, 999.0)
    assert [
        a_report(a_shape(slow, seconds=a_shape().seconds), shape_name=name, p99_limit=limit).passed
        for name, limit in (("storm", 1.0), ("storm", 500.0), ("steady", 500.0), ("steady", 1_000.0))
    ] == [False, True, False, True]


def test_the_capacity_statement_says_all_of_it() -> None:
    """What is carried, what is not, and whether whoever asked was the limit."""
    said = capacity(some_steps())
    assert said == (
        "Carried: 100 visits a second, 210 answers a second, with p99 30 ms, below 50 ms, and no failure. "
        "None of its seconds stood out. "
        "At 150 visits a second p99 was 120 ms, with 2 failures. The asking itself was late, by 40 ms at p99: "
        "part of the latency is of whoever asks; more processes or machines would tell."
    )


def test_what_stood_out_at_what_is_carried_is_named() -> None:
    """In the terminal, in the file and on the page: a percentile of the whole step hides it."""
    stall = "second 41: gap, 12 answers where 200 were expected"
    best = CARRIED.__class__(100.0, 210.0, 0, 3.0, 30.0, 0.5, (stall,))
    report = a_report(steps=some_steps(best=best, steps=[best, REFUSED]))
    assert "1 of its seconds stood out." in capacity(some_steps(best=best))
    assert f"  {stall}" in list(report.sentences())
    assert stall in reading(report).texts


def test_a_lost_worker_fails_the_run() -> None:
    """Of those who asked: what they were to ask is missing, also where nothing else went wrong."""
    assert [a_report(a_shape(lost=1)).passed, a_report(steps=some_steps(lost=2)).passed] == [False, False]
    assert "workers of locust that were lost 1, at most 0" in a_report(a_shape(lost=1)).verdict


def test_the_capacity_statement_says_when_nothing_is_carried() -> None:
    """With the lowest rate that was tried."""
    said = capacity(some_steps(steps=[REFUSED], best=None))
    assert said == "Carried: no rate that was tried: at 150 visits a second p99 was 120 ms, with 2 failures."


def test_the_table_of_the_terminal_has_a_row_for_each_kind() -> None:
    """And one for all of them."""
    assert a_report().table().row_count == 2
