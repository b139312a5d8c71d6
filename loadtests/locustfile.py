"""What locust runs: the users, a bound on how much they ask, and the figures written when it ends."""

import os
from pathlib import Path
from typing import Any

from locust import events

from loadtests.report import Endpoint, Measured, write_measured
from loadtests.users import Hospital, Nurse, Patient, Stranger, TreatingPhysician, WhatIf

__all__ = ["Hospital", "Nurse", "Patient", "Stranger", "TreatingPhysician", "WhatIf"]

_MOST_REQUESTS = int(os.environ["DMP_LOADTEST_REQUESTS"])
_MEASURED = Path(os.environ["DMP_LOADTEST_MEASURED"])


@events.init.add_listener
def bound(environment: Any, **_: Any) -> None:
    """Stops when so much has been asked, if time has not stopped it before."""

    def count(**_: Any) -> None:
        if environment.stats.total.num_requests == _MOST_REQUESTS:
            environment.runner.quit()

    environment.events.request.add_listener(count)


@events.quitting.add_listener
def write(environment: Any, **_: Any) -> None:
    """Leave the figures where the program that started locust finds them."""
    stats = environment.stats
    endpoints = [_endpoint(entry) for entry in stats.entries.values() if entry.method != "CHECK"]
    failures = [f"{error.name}: {error.error} ({error.occurrences} times)" for error in stats.errors.values()]
    seconds = stats.total.last_request_timestamp - stats.total.start_time if endpoints else 0
    write_measured(_MEASURED, Measured(seconds, tuple(sorted(endpoints)), tuple(sorted(failures))))


def _endpoint(entry: Any) -> Endpoint:
    p50, p95, p99 = (entry.get_response_time_percentile(share) for share in (0.5, 0.95, 0.99))
    return Endpoint(entry.name, entry.num_requests, entry.num_failures, p50, p95, p99, entry.max_response_time)
