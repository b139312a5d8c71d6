"""Prints the table of ratios: `python -m tests.benchmarks [PART OF A NAME ...]`."""

import sys

from tests.benchmarks.frame import Benchmark, discover, measure
from tests.servers.errors import UnavailableError

LINE = "{:<52} {:<34} {:<34} {:>11} {:>11} {:>7}"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def main(parts: list[str]) -> int:
    chosen = [one for one in discover() if not parts or any(part in one.name for part in parts)]
    if not chosen:
        print(f"no benchmark has {' or '.join(parts)} in its name", file=sys.stderr)
        return 1
    print(LINE.format("", "subject", "reference", "subject", "reference", "ratio"))
    return 1 if [one.name for one in chosen if not _printed(one)] else 0


def _printed(one: Benchmark) -> bool:
    try:
        with one.prepared() as (subject, reference):
            outcome = measure(subject, reference)
    except UnavailableError as error:
        print(f"{one.name}: NOT RUN, {error}")
        return False
    times = (_written(outcome.subject), _written(outcome.reference))
    print(LINE.format(one.name, one.subject, one.reference, *times, f"{outcome.ratio:.2f}"), flush=True)
    return True


def _written(seconds: float) -> str:
    size, unit = next((size_unit for size_unit in UNITS if seconds >= size_unit[0]), UNITS[-1])
    return f"{seconds / size:.2f} {unit}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
