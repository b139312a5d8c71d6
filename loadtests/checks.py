"""What is wrong with an answer, by what is known of it beforehand; None if nothing is."""

from collections.abc import Mapping
from typing import Any


def wrong_trace(trace: Mapping[str, Any], request: str) -> str | None:
    """A journal in which the request that read it must stand: others may have been entered since."""
    actions = [entry["action"] for entry in trace["entries"] if entry["request_id"] == request]
    return None if actions == ["journal:read"] else "this very reading is not in the journal"


def wrong_dossiers(page: Mapping[str, Any], among: str, not_among: str) -> str | None:
    """A page of the dossiers that are open to somebody; a page may be short and yet not the last."""
    found = ids(page)
    if not_among in found:
        return "a dossier is shown that is not open to who asks"
    return None if among in found or next_token(page) else "a dossier is missing that is open to who asks"


def ids(page: Mapping[str, Any]) -> set[str]:
    """What a page of a search has found."""
    return {result["id"] for result in page["results"]}


def next_token(page: Mapping[str, Any]) -> str:
    """Empty after the last page of a search."""
    return str((page.get("page") or {}).get("next_token") or "")
