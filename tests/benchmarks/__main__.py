"""Prints the table of ratios: `python -m tests.benchmarks [PART OF A NAME ...]`."""

import sys

from tests.benchmarks.frame import Benchmark, discover, measure
from tests.servers.errors import UnavailableError

LINE = "{:<60} {:<34} {:<34} {:>11} {:>11} {:>7} {:>11}"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def main(parts: list[str]) -> int:
    chosen = [one for one in discover() if not parts or any(part in one.name for part in parts)]
    if not chosen:
        print(f"no benchmark has {' or '.join(parts)} in its name", file=sys.stderr)
        return 1
    print(LINE.format("", "subject", "reference", "subject", "reference", "ratio", "a second"))
    return 1 if [one.name for one in chosen if not _printed(one)] else 0


def _printed(one: Benchmark) -> bool:
    try:
        with one.prepared() as (subject, reference):
            outcome = measure(subject, reference, pieces=one.pieces)
    except UnavailableError as error:
        print(f"{one.name}: NOT RUN, {error}")
        return False
    times = (_written(outcome.subject), _written(outcome.reference))
    figures = (*times, f"{outcome.ratio:.2f}", f"{1 / outcome.subject:,.0f}")
    print(LINE.format(one.name, one.subject, one.reference, *figures), flush=True)
    return True


def _written(seconds: float) -> str:
    size, unit = next((size_unit for size_unit in UNITS if seconds >= size_unit[0]), UNITS[-1])
    return f"{seconds / size:.2f} {unit}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
