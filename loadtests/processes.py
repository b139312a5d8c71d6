"""What each process took while load was on: CPU as parts of a core, and memory."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

SECONDS = 1.0
"""Between two looks."""

Roots = Mapping[str, int]
"""What a process is called, and its number; its children are counted with it, or after it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """At so many seconds since the epoch: parts of a core since the last look, and bytes."""

    at: float
    cores: float
    memory: int
    processes: int


@dataclass(slots=True)
class Sampler:
    """Looks at processes until it is stopped.

    Children of `apart` are told one by one, since each worker is looked at alone; others are added to their parent,
    as those of PostgreSQL, which come and go.
    """

    roots: Roots
    apart: frozenset[str] = frozenset()
    samples: defaultdict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    _spent: dict[int, float] = field(default_factory=dict)
    _looked: float = 0.0

    def look(self, now: Callable[[], float] = time.time) -> None:
        """One sample of each."""
        instant = now()
        passed, self._looked = instant - self._looked, instant
        for name, group in self._groups():
            cores, memory = 0.0, 0
            for process in group:
                spent, held = _taken(process)
                cores += max(0.0, spent - self._spent.get(process.pid, spent)) / passed
                memory += held
                self._spent[process.pid] = spent
            self.samples[name].append(Sample(instant, cores, memory, len(group)))

    def _groups(self) -> Iterator[tuple[str, list[psutil.Process]]]:
        for name, pid in self.roots.items():
            try:
                root = psutil.Process(pid)
                children = root.children(recursive=True)
            except psutil.Error:
                continue
            if name not in self.apart:
                yield name, [root, *children]
                continue
            yield name, [root]
            yield from (
                (f"{name}: worker {number}", [child])
                for number, child in enumerate(sorted(children, key=lambda child: child.pid), 1)
            )


def _taken(process: psutil.Process) -> tuple[float, int]:
    """Seconds of CPU, and memory: a page that several share counts in parts, where the system tells them."""
    try:
        times = process.cpu_times()
        memory = process.memory_full_info()
        return times.user + times.system, getattr(memory, "pss", memory.rss)
    except psutil.Error:
        return 0.0, 0


@contextmanager
def sampled(sampler: Sampler) -> Iterator[None]:
    """Looks every second while the block lasts."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(SECONDS):
            sampler.look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def listening(port: int) -> int | None:
    """The number of the process that listens on this port of this machine, if it may be known."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return None
    found = [each.pid for each in connections if each.status == psutil.CONN_LISTEN and each.laddr.port == port]
    return min((pid for pid in found if pid is not None), default=None)
