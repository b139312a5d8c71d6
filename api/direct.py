"""The way of the requests that are made most: to the very handlers that the framework would call, without its layers.

Routing, middleware, and what the framework does to find a handler's arguments take as long as a decision. A handler
declared with `direct=True` has one fixed address and takes the request alone: such a request passes the same gate, and
its errors are answered as AuthZEN wants them, so nobody can tell which way it came.
"""

from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from api.gate import admit
from api.identity import Clients
from api.problems import answer_sentence
from api.requests import Call


class Direct:
    """Stands before the framework, and passes on to it whatever else comes."""

    def __init__(self, app: Litestar, clients: Clients) -> None:
        self._litestar = app
        self._app = app.asgi_handler
        self._clients = clients
        self._handlers = {
            (method, route.path): handler
            for route in app.routes
            if isinstance(route, HTTPRoute)
            for handler in route.route_handlers
            if "direct" in handler.opt
            for method in handler.http_methods
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to such a handler, or have it answered."""
        if scope["type"] != ScopeType.HTTP or (handler := self._handlers.get((scope["method"], scope["path"]))) is None:
            await self._app(scope, receive, send)
            return
        scope["litestar_app"], scope["path_template"] = self._litestar, scope["path"]
        call: Call = Request(scope, receive, send)
        try:
            await admit(scope, handler.opt, self._clients)
            answer: ASGIApp = await handler.fn(call)
        except Exception as error:  # noqa: BLE001 - as the framework has it done
            answer = answer_sentence(call, error).to_asgi_response(app=None, request=call)
        await answer(scope, receive, send)
