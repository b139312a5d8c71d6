"""Logs hold no personal data, whoever writes them."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import structlog

from api.log import LEVELS, Answered, configure_logging, current_request_id, log_answered

_INS = "185057800608491"


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    """Where this process logs while the test runs."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    written = io.BytesIO()
    configure_logging("debug", written)
    yield written
    root.handlers[:], root.level = kept
    structlog.reset_defaults()


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_a_json_object(stream: io.BytesIO) -> None:
    """Event, level, instant in UTC, the request's id if there is one, and what is said."""
    token = current_request_id.set("r-1")
    structlog.get_logger().info("document_read", document="7c0f", rule="holder")
    current_request_id.reset(token)
    structlog.get_logger().warning("outside")
    first, second = lines(stream)
    assert first.pop("at").endswith("Z")
    assert first == {
        "event": "document_read",
        "level": "info",
        "request_id": "r-1",
        "document": "7c0f",
        "rule": "holder",
    }
    assert (second["event"], "request_id" in second) == ("outside", False)


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_a_threshold(level: str, stream: io.BytesIO) -> None:
    """What is below it is not written."""
    configure_logging(level, stream)
    for word in LEVELS:
        getattr(structlog.get_logger(), word)(word)
    assert [line["event"] for line in lines(stream)] == list(LEVELS)[list(LEVELS).index(level) :]


@pytest.mark.parametrize(
    "text",
    [_INS, _INS[:13], "1850520008084", "185052A00608491", f"ins={_INS}", f'"{_INS}"', f"/v1/{_INS}/x", f"({_INS}, 1)"],
)
def test_what_looks_like_an_ins_is_struck_out(text: str, stream: io.BytesIO) -> None:
    """With its key or without, of Corsica or not, anywhere in a line."""
    structlog.get_logger().info("event", value=text, values=[{"a": text}])
    assert text.strip('ins=/v1x(), "') not in stream.getvalue().decode()
    assert lines(stream)[0]["value"].count("[struck out]") == 1


@pytest.mark.parametrize(
    "text",
    [
        "10001234565",
        "750000002",
        "7c0f6a52-3a3e-4f0e-8a36-2b1f0d9c4e77",
        "0" * 32,
        "1234567890123456",
        "0.1850578006084",
    ],
)
def test_other_identifiers_stay(text: str, stream: io.BytesIO) -> None:
    """RPPS, FINESS, pseudonyms, digests and figures are what logs are for."""
    structlog.get_logger().info("event", value=text)
    assert lines(stream)[0]["value"] == text


def test_lines_written_together_are_struck_out_one_by_one(stream: io.BytesIO) -> None:
    """What has the shape of an INS goes from the line that holds it; the others stay as they are."""
    sane, strange = "0" * 32, _INS
    log_answered(
        [
            Answered(method="POST", route="/", status=200, milliseconds=1.0, client="viewer", request_id=request_id)
            for request_id in (sane, strange, sane)
        ]
    )
    told = [line["request_id"] for line in lines(stream)]
    assert told == [sane, "[struck out]", sane]


def test_an_exception_is_its_types_and_places(stream: io.BytesIO) -> None:
    """Its text and its causes' may quote a patient; where it happened does not."""
    try:
        try:
            raise KeyError(_INS)
        except KeyError as error:
            raise RuntimeError("Dupont") from error
    except RuntimeError as error:
        structlog.get_logger().exception("failed")
        structlog.get_logger().error("failed", exc_info=error)
    for line in lines(stream):
        assert [link["type"] for link in line["exception"]] == ["RuntimeError", "KeyError"]
        assert line["exception"][0]["at"][0].endswith("test_an_exception_is_its_types_and_places")
    assert b"Dupont" not in stream.getvalue()


def test_an_object_says_its_type_only(stream: io.BytesIO) -> None:
    """What should not be in a line at all is not described by its own words."""
    structlog.get_logger().info("event", value=complex(1, 2))
    assert lines(stream)[0]["value"] == "<complex>"


def test_libraries_give_their_template_only(stream: io.BytesIO) -> None:
    """Of what a library logs, neither the values nor more than the first line are kept."""
    logging.getLogger("some.library").error("statement %s failed\nfor Dupont", "Martin")
    logging.getLogger("asyncio").error("")
    logging.getLogger("another").error("x" * 1000)
    first, second, third = lines(stream)
    assert (first["event"], first["logger"], first["level"]) == ("statement %s failed", "some.library", "error")
    assert second["event"] == ""
    assert third["event"] == "x" * 200


def test_the_exceptions_of_libraries_are_reduced_too(stream: io.BytesIO) -> None:
    """A traceback that a library logs loses its words."""
    try:
        raise ValueError("Dupont")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert [link["type"] for link in lines(stream)[0]["exception"]] == ["ValueError"]
    assert b"Dupont" not in stream.getvalue()


def test_the_server_says_where_it_listens(stream: io.BytesIO) -> None:
    """The server's own messages are whole; its access lines, which have whole addresses, are not written."""
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "http://127.0.0.1:8000")
    logging.getLogger("uvicorn.access").info('"GET /v1/documents?name=Dupont"')
    assert [line["event"] for line in lines(stream)] == ["Uvicorn running on http://127.0.0.1:8000"]


def test_libraries_are_heard_from_warnings_on(stream: io.BytesIO) -> None:
    """However low our own level: statements with their parameters and judged requests are logged below."""
    for name in ("sqlalchemy.engine", "casbin.enforcer", "urllib3", "root"):
        logging.getLogger(name).info("Dupont")
        logging.getLogger(name).debug("Dupont")
    assert lines(stream) == []
