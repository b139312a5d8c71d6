"""Lines of a body, however it arrives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import DisconnectedError, MalformedRequestError
from api.ndjson import MAX_LINE_BYTES, lines_of, require_ndjson


class Arriving:
    """A request whose body comes in pieces."""

    def __init__(
        self, pieces: list[bytes], content_type: bytes = b"application/x-ndjson", *, leaves: bool = False
    ) -> None:
        self.scope = {"headers": [(b"content-type", content_type)]}
        self._messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        end = {"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b"", "more_body": False}
        self._messages.append(end)

    async def receive(self) -> dict[str, Any]:
        return self._messages.pop(0)


async def read(arriving: Any) -> list[tuple[int, bytes | None]]:
    return [(line.number, line.data) async for line in lines_of(arriving)]


@given(st.lists(st.sampled_from([b"a", b"bc", b"", b" ", b"\n", b"\n\n", b"d\ne"]), max_size=20))
async def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    """The same lines with the same numbers, wherever the body is cut; blank ones are passed over and counted."""
    expected = [(number, part) for number, part in enumerate(b"".join(pieces).split(b"\n"), 1) if part.strip()]
    assert await read(Arriving(pieces)) == expected


async def test_a_line_too_long_is_told_and_not_held() -> None:
    """The lines around it are read, wherever it is cut."""
    long = b"x" * MAX_LINE_BYTES
    for pieces in ([b"a\n", long, long, b"x\nb"], [b"a\n" + long + b"x\nb"], [b"a\n", long + b"x", b"\n", b"b"]):
        assert await read(Arriving(pieces)) == [(1, b"a"), (2, None), (3, b"b")]
    assert await read(Arriving([long, b"x"])) == [(1, None)]
    assert await read(Arriving([long])) == [(1, long)]


async def test_a_caller_that_leaves() -> None:
    """Is no end of the body."""
    with pytest.raises(DisconnectedError):
        await read(Arriving([b"a\n"], leaves=True))


@pytest.mark.parametrize("content_type", [b"application/json", b"", b"text/plain"])
def test_the_type_is_said(content_type: bytes) -> None:
    """Parameters may follow it, nothing else may stand in its place."""
    require_ndjson(Arriving([], b"application/X-NDJSON; charset=utf-8"))  # type: ignore[arg-type]  # a request as it is read here
    with pytest.raises(MalformedRequestError):
        require_ndjson(Arriving([], content_type))  # type: ignore[arg-type]  # as above
