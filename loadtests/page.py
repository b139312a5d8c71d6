"""A report as a page: its style and its drawings are in it, and it fetches nothing."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

from loadtests import curves
from loadtests.charts import Chart
from loadtests.reporting import COLUMNS, Report, capacity, late, stalled, written
from loadtests.stepping import P99_LIMIT_MS, Step

_PAGE = Path(__file__).with_name("report.html")
_WORDS = 2
_LATE_MS = 20.0
_LISTED = 20


def page(report: Report) -> str:
    """HTML, to be kept in a file or shown."""
    measured = report.shape or report.steps
    began = datetime.fromtimestamp(measured.began, UTC) if measured else None
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Load test: {report.shape_name}"),
        began=f"{began:%Y-%m-%d %H:%M} UTC" if began else "",
        setting_line=escape(f"{report.setting['population']} · {report.setting['service']}"),
        passed="passed" if report.passed else "failed",
        badge="passed" if report.passed else "failed",
        statement=f'<p class="statement">{escape(capacity(report.steps))}</p>' if report.steps else "",
        cards="".join(
            f'<div class="card"><b>{escape(value)}</b><span>{escape(of)}</span></div>' for of, value in _cards(report)
        ),
        charts="".join(_framed(chart) for chart in curves.charts(report)),
        kinds=_kinds(report),
        steps=_steps(report),
        thresholds=_thresholds(report),
        remarks=_remarks(report),
        command=escape(report.command),
        setting=_definitions(report.setting),
        versions=_definitions(report.versions),
        figures=_definitions(report.figures),
    )


def _cards(report: Report) -> Iterator[tuple[str, str]]:
    if report.steps is not None:
        best = report.steps.best
        yield f"visits a second carried, p99 under {P99_LIMIT_MS:g} ms", f"{best.rate:,.4g}" if best else "none"
    wrong = sum(each.wrong for each in (report.shape, report.steps) if each)
    if report.shape is not None:
        whole = report.shape.whole
        yield "answers, each checked", f"{sum(each.answers for _, each in report.shape.kinds):,}"
        yield "wrong, and failed or missing", f"{wrong:,} · {report.shape.failed:,}"
        yield "answers a second", f"{whole.answers / report.shape.counted_seconds:,.0f}"
        yield "median", f"{whole.p50:,.1f} ms"
        yield "p99", f"{whole.p99:,.0f} ms"
        yield "seconds that stood out", f"{len(report.shape.stalls):,}"
    if report.database_bytes is not None:
        yield "database", f"{report.database_bytes / 1e6:,.0f} MB"


def _framed(chart: Chart) -> str:
    return f'<section class="chart"><h3>{escape(chart.title)}</h3>{chart.svg()}{chart.legend()}</section>'


def _kinds(report: Report) -> str:
    rows = report.rows()
    if not rows:
        return ""
    body = _rows(rows[:-1]) + _rows(rows[-1:], "total")
    note = '<p class="quiet small">Latency is told from the instant at which a visit was due.</p>'
    return f'<h2>By who asked, and what</h2><div class="panel wide"><table>{_head(COLUMNS)}{body}</table></div>{note}'


def _steps(report: Report) -> str:
    if report.steps is None:
        return ""
    columns = ("rate", "", "answers/s", "failed", "p50 ms", "p99 ms", "late ms", "stood out")
    table = f"<table>{_head(columns)}{''.join(_step(step) for step in report.steps.steps)}</table>"
    drawn = _framed(curves.stepped(report.steps)) if report.steps.steps else ""
    best = report.steps.best
    stood_out = f"<p>Stood out at what is carried:</p>{_list(best.stalls)}" if best and best.stalls else ""
    return (
        f'<h2>Steps up to what is carried</h2><div class="charts">{drawn}<div class="panel wide">{table}</div></div>'
        f"{stood_out}"
    )


def _step(step: Step) -> str:
    carried = '<td class="word good">carried</td>' if step.carried() else '<td class="word bad">not carried</td>'
    times = (f"{each:,.1f}" for each in (step.p50, step.p99, step.late))
    cells = (f"{step.answers:,.0f}", f"{step.failures:,}", *times, f"{len(step.stalls):,}")
    rest = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><td class="word">{step.rate:,.4g}/s</td>{carried}{rest}</tr>'


def _thresholds(report: Report) -> str:
    def row(name: str, told: str, *, passed: bool) -> str:
        kept = '<td class="good">kept</td>' if passed else '<td class="bad">exceeded</td>'
        return f'<tr><td class="word">{escape(name)}</td><td>{escape(told)}</td>{kept}</tr>'

    return (
        '<table class="told">'
        + "".join(row(each.name, written(each), passed=each.passed) for each in report.thresholds)
        + "</table>"
    )


def _remarks(report: Report) -> str:
    """What stood out, and what failed."""
    parts = []
    failures = [failure for each in (report.shape, report.steps) if each for failure in each.failures]
    if failures:
        parts.append(f"<h2>Failures</h2>{_list(failures, 'bad')}")
    if report.shape is not None:
        stalls = report.shape.stalls
        listed = (
            _list(stalls) if len(stalls) <= _LISTED else f"<details><summary>all</summary>{_list(stalls)}</details>"
        )
        parts.append(f"<h2>Stalls and gaps</h2><p>{escape(stalled(report.shape))}</p>{listed}")
        if report.shape.late_p99 > _LATE_MS:
            parts.append(f"<p>{escape(late(report.shape.late_p99))}</p>")
    return "".join(parts)


def _list(items: Iterable[str], kind: str = "") -> str:
    listed = "".join(f'<li class="{kind}">{escape(item)}</li>' for item in items)
    return f'<ul class="plain">{listed}</ul>' if listed else ""


def _head(columns: Iterable[str]) -> str:
    cells = "".join(f"<th{_word(number)}>{escape(name)}</th>" for number, name in enumerate(columns))
    return f"<thead><tr>{cells}</tr></thead>"


def _rows(rows: Iterable[tuple[str, ...]], kind: str = "") -> str:
    lines = ("".join(f"<td{_word(number)}>{escape(cell)}</td>" for number, cell in enumerate(row)) for row in rows)
    return "".join(f'<tr class="{kind}">{line}</tr>' for line in lines)


def _word(number: int) -> str:
    return ' class="word"' if number < _WORDS else ""


def _definitions(told: Mapping[str, str]) -> str:
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told.items())
