"""Whatever narrows a listing or is searched for is answered, or refused with 400."""

from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.service import bearer
from tests.api.whole import KEY, TREATING, Whole

_NAMES = st.sampled_from(["after", "author", "from", "limit", "order", "space", "to", "type", "title", "x"])
_WORDS = (
    st.sampled_from(["reports", "oldest", "2026-10-01", "2026-10-01T08:00:00Z", "11488-4", "1", "person/", "AAAA"])
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", fullmatch=True)
    | st.text(st.characters(codec="utf-8"), max_size=12)
)
_MEMBERS = _WORDS | st.lists(_WORDS, max_size=3) | st.integers() | st.none() | st.booleans()
_HEADERS = bearer(KEY) | {"DMP-Subject": TREATING, "DMP-Authentication": "cps"}


@settings(max_examples=60)
@given(st.lists(st.tuples(_NAMES, _WORDS), max_size=4))
async def test_any_parameters(shared: Whole, parameters: list[tuple[str, str]]) -> None:
    """Of a listing."""
    query = urlencode(parameters)
    answer = await shared.http.get(shared.path(f"/documents?{query}"), headers=_HEADERS)
    assert answer.status_code in {200, 400}


@settings(max_examples=60)
@given(st.dictionaries(_NAMES, _MEMBERS, max_size=5), _WORDS)
async def test_any_members(shared: Whole, body: dict[str, Any], title: str) -> None:
    """Of a search, which has a title as often as not."""
    for sent in (body, body | {"title": title}):
        answer = await shared.http.post(shared.path("/documents/search"), json=sent, headers=_HEADERS)
        assert answer.status_code in {200, 400}
