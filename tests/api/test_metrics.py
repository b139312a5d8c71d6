"""Figures of several workers behind one socket."""

import subprocess
import sys
from pathlib import Path

from api.metrics import Metrics

_WORKER = """
import sys
from pathlib import Path
from api.metrics import Metrics
metrics = Metrics(Path(sys.argv[1]))
metrics.count_decision(allowed=True, rule="holder")
metrics.observe_notifications(waiting=5, dead=1)
print(metrics.exposition().decode())
"""


def test_each_application_counts_for_itself() -> None:
    """Two applications in one process share no figure."""
    first, second = Metrics(), Metrics()
    first.count_decision(allowed=True, rule="holder")
    assert b'rule="holder"' in first.exposition()
    assert b'rule="holder"' not in second.exposition()


def test_workers_that_share_a_folder_expose_their_sum(tmp_path: Path) -> None:
    """Whichever worker a scrape reaches tells the figures of all; what all look at is not added up."""
    exposed = [
        subprocess.run(  # noqa: S603 - our own few lines
            [sys.executable, "-c", _WORKER, str(tmp_path)],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(3)
    ]
    assert 'dmp_decisions_total{outcome="permitted",rule="holder"} 3.0' in exposed[-1]
    assert 'dmp_decisions_total{outcome="permitted",rule="holder"} 3.0' in Metrics(tmp_path).exposition().decode()
    assert "dmp_notifications_waiting 5.0" in exposed[-1]
