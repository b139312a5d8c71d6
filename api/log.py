"""Logs: one JSON object a line, on standard error, of which no line holds personal data.

Our own lines are static events with identifiers. What others say is not ours to trust: of a library's message only its
template is kept, without the values put into it; of an exception only its types and places, since its text may hold a
statement's parameters or a body's content. As a last net, whatever has the shape of an INS is struck out.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, BinaryIO

import msgspec
import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_INS_SHAPED = re.compile(rb"(?<![0-9A-Za-z.])[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?(?![0-9A-Za-z.])")
_STRUCK_OUT = b"[struck out]"
_AS_ZERO = bytes(ord("0") if chr(character) in "0123456789AB" else ord(" ") for character in range(256))
_AN_INS = b"0" * 13
_TEMPLATE_CHARACTERS = 200
# Says on which address it listens and what it is doing; never what anybody sent.
_TRUSTED = frozenset({"uvicorn", "uvicorn.error"})

current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)

_CAUSES = 10

# An object in a line is a mistake; what it says of itself could be anything.
_encode = msgspec.json.Encoder(enc_hook=lambda value: f"<{type(value).__qualname__}>").encode

Event = MutableMapping[str, Any]


class Answered(msgspec.Struct, kw_only=True):
    """A request that was answered, as its line in the log says it."""

    method: str
    route: str
    status: int
    milliseconds: float
    client: str | None
    event: str = "request"
    request_id: str
    level: str = "info"
    at: str = ""


class _Output:
    """Where lines go that are too many to be made one by one; nowhere until logging is configured."""

    stream: BinaryIO | None = None


def configure_logging(level: str, stream: BinaryIO | None = None) -> None:
    """Send everything that is logged in this process to `stream` (default: standard error). Level: see LEVELS."""
    threshold = LEVELS[level]
    stream = stream or sys.stderr.buffer
    _Output.stream = stream if threshold <= logging.INFO else None
    structlog.configure(
        processors=[
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _reduce_exception,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forwarder()]
    root.setLevel(max(threshold, logging.WARNING))
    for name, floor in {
        "uvicorn.error": threshold,
        "uvicorn.access": logging.CRITICAL,
        "casbin": logging.WARNING,
    }.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(floor)


def log_answered(requests: Sequence[Answered]) -> None:
    """The lines of these requests, at the level `info`, written at once."""
    if _Output.stream is None:
        return
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for request in requests:
        request.at = at
    lines = [_encode(request) + b"\n" for request in requests]
    together = b"".join(lines)
    _Output.stream.write(b"".join(map(_struck, lines)) if _may_hold_an_ins(together) else together)
    _Output.stream.flush()


class _Forwarder(logging.Handler):
    """Passes on what libraries log through the standard module."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name in _TRUSTED:
            event = record.getMessage()
        else:
            event = (str(record.msg).splitlines() or [""])[0][:_TEMPLATE_CHARACTERS]
        structlog.get_logger().log(record.levelno, event.strip(), logger=record.name, exc_info=record.exc_info)


def _add_request_id(_logger: object, _method: str, event: Event) -> Event:
    request_id = current_request_id.get()
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _reduce_exception(_logger: object, _method: str, event: Event) -> Event:
    """Types and places of an exception and of its causes, without a word of theirs."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    chain: list[dict[str, object]] = []
    while isinstance(error, BaseException) and len(chain) < _CAUSES:
        chain.append({"type": type(error).__qualname__, "at": _places(error.__traceback__)})
        error = error.__cause__ or error.__context__
    if chain:
        event["exception"] = chain
    return event


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def _render(_logger: object, _method: str, event: Event) -> bytes:
    return _struck(_encode(event))


def _struck(text: bytes) -> bytes:
    """Lines without what has the shape of an INS; most have no 13 such characters in a row, which is quick to see."""
    return _INS_SHAPED.sub(_STRUCK_OUT, text) if _may_hold_an_ins(text) else text


def _may_hold_an_ins(text: bytes) -> bool:
    return _AN_INS in text.translate(_AS_ZERO)
