"""What controllers read of a request: who calls, under which id, and its body, strictly."""

from typing import TypeVar

from litestar import Request
from litestar.datastructures import State

from api.errors import DisconnectedError, MalformedRequestError, TooLargeError
from api.identity import Caller, Client
from api.strict_json import decode, is_json

# A request as handlers get it. `call.auth` is the Client, but in those few that are open to all (see api.gate).
Call = Request[None, Client, State]

MAX_JSON_BYTES = 1024 * 1024
_JSON = b"application/json"

Kind = TypeVar("Kind")


def request_id_of(call: Call) -> str:
    """The id by which the caller, the journal and the logs name this request."""
    request_id: str = call.scope["state"]["request_id"]
    return request_id


def caller_of(call: Call) -> Caller:
    """The client that calls, with the request's id."""
    return Caller(call.scope["auth"], call.scope["state"]["request_id"])


async def read_json(call: Call, kind: type[Kind], max_bytes: int = MAX_JSON_BYTES) -> Kind:
    """The body as the struct `kind`. Raises MalformedRequestError, TooLargeError or DisconnectedError."""
    return decode(await read_json_bytes(call, max_bytes), kind)


async def read_json_bytes(call: Call, max_bytes: int = MAX_JSON_BYTES) -> bytes:
    """The body, of which only this is known: its type is said to be JSON, and it is not too large."""
    types = [value for name, value in call.scope["headers"] if name == b"content-type"]
    if types != [_JSON] and not (len(types) == 1 and is_json(types[0])):
        raise MalformedRequestError("The header Content-Type must be application/json, in UTF-8.")
    return await read_bytes(call, max_bytes)


async def read_bytes(call: Call, max_bytes: int) -> bytes:
    """The body, whatever it is. Raises TooLargeError or DisconnectedError."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await call.receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise TooLargeError
        parts.append(part)
        if not message.get("more_body", False):
            return part if len(parts) == 1 else b"".join(parts)
