"""How much load at which instant: the curves that a run follows, without the machinery that follows them.

A rate is of visits a second, each a request or a few. Arrivals come by the clock, whatever the service does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loadtests.profile import DAY, STORM

WARM_UP_SECONDS = 5
"""At the begin of a run; counted as right or wrong, and not in the percentiles."""

_PEAK_BEGIN, _PEAK_END = 8.0, 12.0
_STORM_BEGIN = 0.4
_TIMES = "times the usual rate when everybody's software polls at 8:00"


@dataclass(frozen=True, slots=True)
class Shape:
    """`share` tells, of a part of the run's time between 0 and 1, which part of the rate is due then."""

    name: str
    says: str
    seconds: int
    share: Callable[[float], float]
    slow: tuple[float, float] | None = None
    """The part of the time during which a dependency, the database or the object store, answers late."""

    def told(self, dependency: str, milliseconds: float) -> str:
        """What a report says of it: where something is slow, what, and by how much."""
        late = f": whatever is sent to the {dependency} comes {milliseconds:g} ms late in the middle third"
        return f"{self.name}: {self.says}{late if self.slow else ''}"

    def rate(self, top: float, elapsed: float, seconds: float) -> float:
        """Visits a second, so many seconds after the begin of a run of so many, of which the rate is `top`."""
        return top * self.share(min(1.0, max(0.0, elapsed / seconds)))


def _always(_: float) -> float:
    return 1.0


def _morning(part: float) -> float:
    """The morning with the nation's peak hour in it, in as much time as there is."""
    hour = _PEAK_BEGIN + part * (_PEAK_END - _PEAK_BEGIN)
    before = int(hour)
    after = before + 1
    return DAY[before].value + (hour - before) * (DAY[after].value - DAY[before].value)


def _storm(part: float) -> float:
    """Quiet, then everybody at once, then quiet again, to see whether the service comes back."""
    duration = STORM["part of a run that it takes"].value
    return 1.0 if _STORM_BEGIN <= part < _STORM_BEGIN + duration else 1 / STORM[_TIMES].value


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        Shape("steady", "one rate", 60, _always),
        Shape("peak", "a morning with its peak hour, in less time", 60, _morning),
        Shape("storm", "everyone's software polls at 8:00", 60, _storm),
        Shape("soak", "one rate for long: does memory stay?", 3600, _always),
        Shape("slow", "a dependency is slow for a while", 60, _always, slow=(1 / 3, 2 / 3)),
    )
}
