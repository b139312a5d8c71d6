"""Whether the service lives and can work."""

import pytest

from api.metrics import Metrics
from api.routes.health import Facts, ReadinessCheck
from tests.api.judges import ConformanceJudge
from tests.api.service import caller, service


async def works() -> Facts:
    return {"revision": "abc", "age_seconds": 12}


async def fails() -> Facts:
    raise ConnectionError("postgresql://user:secret@host")


async def hangs() -> Facts:
    raise TimeoutError


async def test_alive_without_a_key() -> None:
    """Being alive takes no key and no part."""
    async with caller(service(ConformanceJudge()), {}) as http:
        answer = await http.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"live": True})


async def test_ready_when_every_part_is() -> None:
    """Every part says what it knows of itself."""
    checks = [ReadinessCheck("rules", works), ReadinessCheck("database", works)]
    async with caller(service(ConformanceJudge(), readiness_checks=checks), {}) as http:
        answer = await http.get("/health/ready")
    part = {"ok": True, "revision": "abc", "age_seconds": 12}
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "checks": {"rules": part, "database": part}})


@pytest.mark.parametrize("probe", [fails, hangs])
async def test_not_ready_when_one_part_is_not(probe: ReadinessCheck) -> None:
    """503 says which part, and nothing of why."""
    checks = [ReadinessCheck("rules", works), ReadinessCheck("database", probe)]  # type: ignore[arg-type]  # a probe
    async with caller(service(ConformanceJudge(), readiness_checks=checks), {}) as http:
        answer = await http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["checks"]["database"] == {"ok": False}
    assert answer.json()["checks"]["rules"]["ok"] is True


async def test_figures_are_prometheus_own() -> None:
    """Decisions by outcome and rule, refused bundles, entries per commit, what waits: as text, without a key."""
    metrics = Metrics()
    metrics.count_decision(allowed=False, rule="masked")
    metrics.count_decision(allowed=False, rule="masked", times=2)
    metrics.count_decision(allowed=True, rule="holder")
    metrics.observe_journal_batch(3)
    metrics.count_policy_refusal("rolled-back")
    metrics.count_journal_publication("published")
    metrics.count_search("infected")
    metrics.observe_notifications(waiting=7, dead=2)
    async with caller(service(ConformanceJudge(), metrics=metrics), {}) as http:
        answer = await http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert 'dmp_decisions_total{outcome="denied",rule="masked"} 3.0' in answer.text
    assert 'dmp_decisions_total{outcome="permitted",rule="holder"} 1.0' in answer.text
    assert 'dmp_policy_refusals_total{reason="rolled-back"} 1.0' in answer.text
    assert 'dmp_journal_publications_total{outcome="published"} 1.0' in answer.text
    assert 'dmp_antivirus_searches_total{outcome="infected"} 1.0' in answer.text
    assert "\ndmp_notifications_waiting 7.0\n" in answer.text
    assert "\ndmp_notifications_dead 2.0\n" in answer.text
    assert 'dmp_journal_batch_entries_bucket{le="2.0"} 0.0' in answer.text
    assert 'dmp_journal_batch_entries_bucket{le="4.0"} 1.0' in answer.text
