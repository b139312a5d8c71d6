"""What was started is stopped, whatever it does."""

import subprocess
import sys

import psutil
import pytest

from loadtests.service import stop

STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
child.wait()
"""


def test_what_does_not_end_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """With its workers, and it is said."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:  # noqa: S603 - as above
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        stop(process, "the service", 0.1)
    gone, alive = psutil.wait_procs([child], timeout=20)
    assert (process.returncode, len(gone), alive) == (-9, 1, [])
    assert capsys.readouterr().err == "the service did not end within 0.1 seconds and was killed\n"


def test_what_ends_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is said."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        stop(process, "the service")
    assert (process.returncode, capsys.readouterr().err) == (-15, "")
