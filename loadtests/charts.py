"""Curves as SVG that stands in a page: colours are the page's, so that they follow light and dark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 600, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 12, 30
_TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A named line; `colour` is the number of one of the page's, `dashed` what was wanted rather than measured."""

    name: str
    points: Sequence[Point]
    colour: int
    dashed: bool = False
    filled: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What is written beside the numbers, and how a number is written there."""

    unit: str
    written: Callable[[float], str] = "{:,.6g}".format
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one another. `bands` are marked stretches of the horizontal axis, `limit` a line across."""

    title: str
    across: Axis
    up: Axis
    series: Sequence[Series]
    bands: Sequence[tuple[float, float, str]] = ()
    limit: tuple[float, str] | None = None

    def svg(self) -> str:
        """The drawing; the exact numbers show where the pointer rests."""
        scale = _Scale.of(self)
        parts = [*self._bands(scale), *scale.grid(self.across, self.up)]
        parts += [part for each in self.series for part in _drawn(each, scale)]
        if self.limit is not None:
            y = scale.y(self.limit[0])
            parts.append(f'<line class="limit" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="limit" x="{_LEFT + 6}" y="{y - 5:.1f}">{escape(self.limit[1])}</text>')
        parts += self._hints(scale)
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">{"".join(parts)}</svg>'
        )

    def legend(self) -> str:
        """The names of the lines, each with its colour."""
        items = "".join(
            f'<li class="c{each.colour}{" dashed" if each.dashed else ""}">{escape(each.name)}</li>'
            for each in self.series
        )
        return f'<ul class="legend">{items}</ul>'

    def _bands(self, scale: "_Scale") -> list[str]:
        return [
            _stripe("band", scale.x(begin), max(2.0, scale.x(end) - scale.x(begin)), told)
            for begin, end, told in self.bands
        ]

    def _hints(self, scale: "_Scale") -> list[str]:
        """An invisible stripe for each place of the horizontal axis, with what all lines say there."""
        places = sorted({x for each in self.series for x, _ in each.points})
        width = (WIDTH - _LEFT - _RIGHT) / max(1, len(places))
        told = [dict(each.points) for each in self.series]
        hints = []
        for place in places:
            values = [
                f"{each.name}: {self.up.written(values[place])} {self.up.unit}"
                for each, values in zip(self.series, told, strict=True)
                if place in values
            ]
            text = "\n".join([f"{self.across.written(place)} {self.across.unit}", *values])
            hints.append(_stripe("hint", scale.x(place) - width / 2, width, text))
        return hints


@dataclass(frozen=True, slots=True)
class _Scale:
    """From what is measured to where it stands in the drawing."""

    left: float
    right: float
    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, chart: Chart) -> "_Scale":
        across = [x for each in chart.series for x, _ in each.points] or [0.0, 1.0]
        up = [y for each in chart.series for _, y in each.points] or [0.0]
        up += [chart.limit[0]] if chart.limit else []
        left, right = min(across), max(across)
        if chart.up.logarithmic:
            least = min((y for y in up if y > 0), default=1.0)
            low, high = 10.0 ** floor(log10(least)), 10.0 ** ceil(log10(max(*up, least * 10)))
        else:
            low, high = 0.0, _round_above(max(up))
        return cls(left, right if right > left else left + 1, low, high, chart.up.logarithmic)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        if self.logarithmic:
            part = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            part = value / self.high
        return HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM)

    def grid(self, across: Axis, up: Axis) -> list[str]:
        parts = []
        for value in self._levels():
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{up.written(value)}</text>')
        *others, last = _ticks(self.left, self.right)
        parts += [self._below(value, across.written(value), "middle") for value in others]
        at_the_end = self.x(last) > WIDTH - _LEFT
        parts.append(self._below(last, f"{across.written(last)} {across.unit}", "end" if at_the_end else "middle"))
        return parts

    def _below(self, value: float, told: str, anchor: str) -> str:
        x = self.x(value) + (_RIGHT if anchor == "end" else 0)
        return f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{escape(told)}</text>'

    def _levels(self) -> list[float]:
        if not self.logarithmic:
            return _ticks(0.0, self.high)
        decades = round(log10(self.high / self.low))
        return [self.low * 10.0**decade for decade in range(decades + 1)]


def _stripe(kind: str, x: float, width: float, told: str) -> str:
    size = f'x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{HEIGHT - _TOP - _BOTTOM}"'
    return f'<rect class="{kind}" {size}><title>{escape(told)}</title></rect>'


def _drawn(series: Series, scale: _Scale) -> list[str]:
    places = [f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in series.points]
    if not places:
        return []
    parts = []
    if series.filled:
        base = HEIGHT - _BOTTOM
        begin, end = scale.x(series.points[0][0]), scale.x(series.points[-1][0])
        area = f"{begin:.1f},{base} {' '.join(places)} {end:.1f},{base}"
        parts.append(f'<polygon class="c{series.colour} area" points="{area}"/>')
    dashed = " dashed" if series.dashed else ""
    parts.append(f'<polyline class="c{series.colour}{dashed}" points="{" ".join(places)}"/>')
    if series.dots:
        parts += [
            f'<circle class="c{series.colour}" cx="{x}" cy="{y}" r="4"/>'
            for x, y in (each.split(",") for each in places)
        ]
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from one to the other, about five."""
    step = _round_above((high - low) / _TICKS)
    first = ceil(low / step - 1e-9)
    return [step * number for number in range(first, floor(high / step + 1e-9) + 1)]


def _round_above(value: float) -> float:
    """The smallest round number that is not below."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** floor(log10(value))
    return next(decade * step for step in _STEPS if decade * step >= value * (1 - 1e-9))
