"""Nobody passes without a key, unless the handler says that it is open to all.

Every handler says either `opt={"scope": Scope.X}` (or `scope=Scope.X`) or `open=True`; an application with a handler
that says neither does not start. A request is thus judged in this order: address and method (404, 405), key (401),
scope (403), and only then is its body read (400).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from api.identity import Clients, identify


class Gate:
    """The middleware that finds the client of a request and checks its scope."""

    def __init__(self, app: ASGIApp, clients: Clients) -> None:
        self._app = app
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through those who may pass. Raises UnauthenticatedError or ScopeRequiredError."""
        await admit(scope, scope["route_handler"].opt, self._clients)
        await self._app(scope, receive, send)


async def admit(scope: Scope, options: Mapping[str, Any], clients: Clients) -> None:
    """Find the client of a request to a handler that says so much of itself. Raises as Gate does."""
    if "open" in options:
        return
    client = await identify(scope["headers"], clients)
    if (needed := options.get("scope")) is not None:
        client.require(needed)
    scope["auth"] = scope["state"]["client"] = client


def check_declarations(routes: Iterable[BaseRoute]) -> None:
    """Raises ImproperlyConfiguredException if a handler says neither which scope it takes nor that it is open."""
    for route in routes:
        handlers: list[HTTPRouteHandler] = route.route_handlers if isinstance(route, HTTPRoute) else []
        for handler in handlers:
            if handler.http_methods != {"OPTIONS"} and not {"scope", "open"} & handler.opt.keys():
                msg = f"the handler of {route.path} says neither which scope it takes nor that it is open"
                raise ImproperlyConfiguredException(msg)
