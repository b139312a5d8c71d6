"""The description of the service (OpenAPI 3.1): what handlers read and answer by hand, added to what Litestar knows.

Handlers decode and encode bodies themselves (api.requests, api.answers), so the framework cannot see them. They say
what they are with `documented=Documented(...)`.
"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Request, Router
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

_REFERENCES = "#/components/schemas/{name}"
_KEY = "clientKey"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Documented:
    """What a handler takes and answers, as structs and as examples by name."""

    answers: str
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    body_examples: Mapping[str, object] = field(default_factory=dict)
    answer_examples: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    media_type: str = _JSON
    body_media_type: str = _JSON


DONE = Documented("Done.", status=204)
"""Of handlers that answer `NoContent`; the framework is told 200, since it takes 204 for a function without value."""


class _Description(JsonRenderPlugin):
    """`/schema/openapi.json`, put together once."""

    def __init__(self) -> None:
        super().__init__(media_type=OpenAPIMediaType.OPENAPI_JSON)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            complete(openapi_schema, request.app.routes)
            self._rendered = self.render_json(request, openapi_schema)
        return self._rendered


class _Page(OpenAPIRenderPlugin):
    """`/schema`: the same for people, in one page that fetches nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            complete(openapi_schema, request.app.routes)
            self._rendered = page(openapi_schema).encode()
        return self._rendered


def openapi_config(version: str) -> OpenAPIConfig:
    """How the description is made and where it is served: `/schema` and `/schema/openapi.json`, open to all."""
    scheme = SecurityScheme(type="http", scheme="bearer", description="A client key, as `dmp client add` prints it.")
    return OpenAPIConfig(
        title="DMP authorization service",
        version=version,
        description="Who may do what in the shared medical record, and the vault that keeps it.",
        components=Components(security_schemes={_KEY: scheme}),
        use_handler_docstrings=True,
        render_plugins=[_Page(), _Description()],
        openapi_router=Router("/schema", route_handlers=[], include_in_schema=False, opt={"open": True}),
    )


def complete(document: dict[str, Any], routes: list[Any]) -> None:
    """Write into the document what handlers say of their bodies; writing it twice changes nothing."""
    structs: dict[type[msgspec.Struct], None] = {}
    for path, method, handler in _handlers(routes):
        operation = document["paths"][path][method]
        if not handler.opt.get("open"):
            operation["security"] = [{_KEY: []}]
        documented: Documented | None = handler.opt.get("documented")
        if documented is not None:
            structs |= dict.fromkeys(struct for struct in (documented.body, documented.answer) if struct)
            _describe(operation, documented)
    _, components = msgspec.json.schema_components(list(structs), ref_template=_REFERENCES)
    document.setdefault("components", {}).setdefault("schemas", {}).update(components)


def page(document: dict[str, Any]) -> str:
    """The document as a page to read."""
    text = html.escape
    title = text(document["info"]["title"])
    sections = [
        _section(path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "pre{background:#f4f4f4;padding:.5rem;overflow:auto}code{font-size:1rem}</style>"
        f"<h1>{title} {text(document['info']['version'])}</h1><p>{text(document['info']['description'])}</p>"
        '<p><a href="/schema/openapi.json">openapi.json</a></p>' + "".join(sections) + "</html>"
    )


def _handlers(routes: list[Any]) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in (route for route in routes if isinstance(route, HTTPRoute)):
        for handler in (handler for handler in route.route_handlers if handler.resolve_include_in_schema()):
            for method in handler.http_methods:
                yield route.path_format, method.lower(), handler


def _describe(operation: dict[str, Any], documented: Documented) -> None:
    if documented.body is not None:
        content = _content(documented.body, documented.body_examples)
        operation["requestBody"] = {"required": True, "content": {documented.body_media_type: content}}
    answer: dict[str, Any] = {"description": documented.answers}
    if documented.answer is not None:
        answer["content"] = {documented.media_type: _content(documented.answer, documented.answer_examples)}
    operation["responses"] = {str(documented.status): answer}


def _content(struct: type[msgspec.Struct], examples: Mapping[str, object]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _REFERENCES.format(name=struct.__name__)}}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return content


def _section(path: str, method: str, operation: dict[str, Any]) -> str:
    examples = [
        (name, example["value"])
        for part in (operation.get("requestBody", {}), *operation.get("responses", {}).values())
        for content in part.get("content", {}).values()
        for name, example in content.get("examples", {}).items()
    ]
    shown = "".join(
        f"<details><summary>{html.escape(name)}</summary><pre>"
        f"{html.escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())}</pre></details>"
        for name, value in examples
    )
    summary, description = html.escape(operation.get("summary", "")), html.escape(operation.get("description") or "")
    return f"<h2>{summary}</h2><p><code>{method.upper()} {html.escape(path)}</code></p><p>{description}</p>{shown}"
