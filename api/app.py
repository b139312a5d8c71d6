"""Puts the parts together; nothing is found by itself, everything is given."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from api.desk import Desk
from api.direct import Direct
from api.edge import Edge, new_request_id
from api.gate import Gate, check_declarations
from api.identity import Clients
from api.judge import Judge
from api.metrics import Metrics
from api.openapi import openapi_config
from api.problems import answer_problem
from api.requests import MAX_JSON_BYTES
from api.routes.authzen import AuthzenController, authzen_configuration
from api.routes.health import ReadinessCheck, live, ready
from api.routes.health import metrics as metrics_handler

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    *,
    judge: Judge,
    clients: Clients,
    readiness_checks: Sequence[ReadinessCheck] = (),
    route_handlers: Sequence[ControllerRouterHandler] = (),
    state: Mapping[str, object] | None = None,
    lifespan: Sequence[Lifespan] = (),
    metrics: Metrics | None = None,
) -> Litestar:
    """The service as an ASGI application.

    `route_handlers` come beside AuthZEN's and the operators'; they find their parts, given as `state`, in
    `request.app.state`. `lifespan` is entered in order before the first request and left in reverse after the last.
    """
    counts = metrics or Metrics()
    parts = {
        "judge": judge,
        "desk": Desk(judge, clients, counts),
        "readiness_checks": tuple(readiness_checks),
        "metrics": counts,
        **(state or {}),
    }
    app = Litestar(
        [AuthzenController, authzen_configuration, live, ready, metrics_handler, *route_handlers],
        state=State(parts, deep_copy=False),
        middleware=[DefineMiddleware(Gate, clients=clients)],
        exception_handlers={HTTPException: answer_problem, Exception: answer_problem},
        lifespan=list(lifespan),
        openapi_config=openapi_config(version("dmp-authz")),
        logging_config=None,
        request_max_body_size=MAX_JSON_BYTES,
        debug=False,
        pdb_on_exception=False,
    )
    check_declarations(app.routes)
    app.asgi_handler = Edge(Direct(app, clients), counts, time.perf_counter, new_request_id)
    return app
