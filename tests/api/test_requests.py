"""Small readers of requests."""

import pytest

from api.errors import MalformedRequestError
from api.paging import DEFAULT_LIMIT, MAX_LIMIT, limit_of
from api.requests import caller_of, request_id_of
from tests.api.service import EVERYTHING


@pytest.mark.parametrize("text, limit", [(None, DEFAULT_LIMIT), ("1", 1), ("50", 50), (str(MAX_LIMIT), MAX_LIMIT)])
def test_a_limit_is_a_number(text: str | None, limit: int) -> None:
    """Nothing said, the default; else what is said."""
    assert limit_of(text) == limit


@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "x", " 1", "²", str(MAX_LIMIT + 1), "9" * 5000])
def test_a_limit_is_bounded(text: str) -> None:
    """Anything else is refused in one sentence."""
    with pytest.raises(MalformedRequestError) as refused:
        limit_of(text)
    assert refused.value.sentence == f"The parameter limit is a number from 1 to {MAX_LIMIT}."


def test_a_request_says_who_calls() -> None:
    """The client and the id that the gate and the edge have found."""

    class Request:
        scope = {"auth": EVERYTHING, "state": {"request_id": "r-1"}}  # noqa: RUF012 - a double

    call = Request()
    assert request_id_of(call) == "r-1"  # type: ignore[arg-type]  # a double
    assert (caller_of(call).client, caller_of(call).request_id) == (EVERYTHING, "r-1")  # type: ignore[arg-type]  # a double
