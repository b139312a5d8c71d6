"""Servers as child processes, each on the core that is meant for it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_NEEDED = 2
_START_SECONDS = 60
_STOP_SECONDS = 20
_POLL_SECONDS = 0.05


class NotStartedError(Exception):
    """A server that did not come up, with its last words."""


@dataclass(frozen=True, slots=True)
class Cores:
    """One for the server that is measured; the client and the database share the other."""

    server: int
    others: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """The first two that this process may use, however many there are. Raises NotStartedError on fewer."""
        able = sorted(os.sched_getaffinity(0))
        if len(able) < _NEEDED:
            raise NotStartedError("a server and its client are measured on two cores, and this machine has one")
        return cls(able[0], able[1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """The present process, and all that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str], *, core: int, log: Path, answers: Callable[[], bool], environment: Mapping[str, str]
) -> Iterator[int]:
    """Its process id, once it answers; it is stopped when the block ends. Raises NotStartedError."""
    with log.open("wb") as file, pinned(core):
        try:
            process = subprocess.Popen(  # noqa: S603 - programs that the operator showed, with arguments of ours
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=dict(environment), cwd=log.parent
            )
        except OSError as error:
            raise NotStartedError(f"{command[0]} cannot be run: {error.strerror}") from None
    try:
        _wait(process, answers, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStartedError(
                f"{log.stem} did not come up; its last words: {log.read_text(errors='replace')[-1000:]}"
            )
        time.sleep(_POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether something there says that it is well."""
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def told_by(program: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What it prints. Raises NotStartedError if it cannot be run or fails."""
    try:
        done = subprocess.run(  # noqa: S603 - as above
            [program, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise NotStartedError(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        raise NotStartedError(f"{program} {' '.join(arguments)} failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()
