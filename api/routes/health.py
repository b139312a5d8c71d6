"""Whether the service lives, whether it can work, and its figures: no key, no personal data, nothing to exploit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import msgspec
import structlog
from litestar import get
from litestar.types import ASGIApp

from api.answers import JsonAnswer
from api.metrics import CONTENT_TYPE, Metrics
from api.requests import Call

_CHECK_SECONDS = 2.0

logger = structlog.get_logger()

# What a check tells of a part that works, such as the revision of the rules and their age in seconds.
Facts = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """A part without which the service cannot work; `probe` raises if that part does not."""

    name: str
    probe: Callable[[], Awaitable[Facts]]


@get("/health/live", open=True, summary="Alive", tags=["Operation"])
async def live(request: Call) -> ASGIApp:  # noqa: ARG001 - a handler
    """Answers as long as the process does."""
    return JsonAnswer(b'{"live":true}')


@get("/health/ready", open=True, summary="Ready", tags=["Operation"])
async def ready(request: Call) -> ASGIApp:
    """200 if every part works, 503 otherwise, and which does not."""
    checks: tuple[ReadinessCheck, ...] = request.app.state["readiness_checks"]
    results = await asyncio.gather(*(_result(check) for check in checks))
    is_ready = all(result["ok"] for result in results)
    parts = {check.name: result for check, result in zip(checks, results, strict=True)}
    return JsonAnswer(msgspec.json.encode({"ready": is_ready, "checks": parts}), 200 if is_ready else 503)


@get("/metrics", open=True, include_in_schema=False)
async def metrics(request: Call) -> ASGIApp:
    """Prometheus."""
    counts: Metrics = request.app.state["metrics"]
    return JsonAnswer(counts.exposition(), content_type=CONTENT_TYPE.encode())


async def _result(check: ReadinessCheck) -> dict[str, object]:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            facts = await check.probe()
    except Exception:  # whatever a part raises, it does not work
        logger.exception("not_ready", part=check.name)
        return {"ok": False}
    return {**facts, "ok": True}
