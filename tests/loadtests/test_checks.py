"""An answer that is not what it must be is found out."""

from collections.abc import Mapping
from typing import Any

import pytest

from loadtests.checks import wrong_dossiers, wrong_trace


def entry(action: str, request: str) -> Mapping[str, str]:
    return {"action": action, "request_id": request}


@pytest.mark.parametrize(
    "entries, right",
    [
        ([entry("journal:read", "this"), entry("document:list", "this one")], True),
        ([entry("document:read", "another's"), entry("journal:read", "this")], True),
        ([entry("journal:read", "earlier")], False),
        ([entry("document:list", "this")], False),
        ([], False),
    ],
    ids=["newest", "another came between", "another reading", "another action", "nothing"],
)
def test_a_journal_has_this_very_reading(entries: list[Mapping[str, str]], *, right: bool) -> None:
    """One that was there before does not count for it."""
    assert (wrong_trace({"entries": entries}, "this") is None) is right


@pytest.mark.parametrize(
    "page, wrong",
    [
        ({"results": ["mine", "others"], "page": {"next_token": ""}}, None),
        ({"results": ["others"], "page": {"next_token": "more"}}, None),
        ({"results": [], "page": {"next_token": "more"}}, None),
        ({"results": ["others"], "page": {"next_token": ""}}, "a dossier is missing that is open to who asks"),
        ({"results": []}, "a dossier is missing that is open to who asks"),
        ({"results": ["mine", "strange"]}, "a dossier is shown that is not open to who asks"),
    ],
)
def test_a_page_of_dossiers_may_be_short_and_not_the_last(page: dict[str, Any], wrong: str | None) -> None:
    """What must be there may come later, as long as there is a later page; what must not never comes."""
    results = [{"type": "dossier", "id": each} for each in page["results"]]
    assert wrong_dossiers(page | {"results": results}, "mine", "strange") == wrong
