"""Holds resources to FHIR R4.

The library's nearest release is R4B. Of AuditEvent, R4B changed nothing but the versions of three value sets
(https://hl7.org/fhir/R4B/auditevent.diff.xml): of `action`, of `outcome`, of `agent.network.type`. These are held here
to R4's; so are rules of R4 that the library does not know.
"""

import re
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome

Json = dict[str, Any]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERRED = {"Patient", "Practitioner", "PractitionerRole", "Organization", "Device", "RelatedPerson"}
"""What `AuditEvent.agent.who` and `source.observer` may refer to."""

_ISSUES = {"forbidden", "deleted", "processing", "informational"}
"""Codes of https://hl7.org/fhir/R4/valueset-issue-type.html that we use or might."""


def hold_to_r4(event: Json) -> None:
    """Assert that it is an AuditEvent of R4."""
    AuditEvent.model_validate(event)
    assert event["action"] in set("CRUDE")
    assert event["outcome"] in {"0", "4", "8", "12"}
    assert [agent["network"] for agent in event["agent"] if "type" in agent.get("network", {})] == []
    referred = [agent["who"] for agent in event["agent"]] + [event["source"]["observer"]]
    assert {who["type"] for who in referred if "type" in who} <= _REFERRED
    contained = event.get("contained", [])
    for resource in contained:
        OperationOutcome.model_validate(resource)
        assert {issue["code"] for issue in resource["issue"]} <= _ISSUES
    # dom-3: what is contained is referred to from the resource, and the other way round.
    references = {text for name, text in _texts(event) if name == "reference"}
    assert {f"#{resource['id']}" for resource in contained} == references
    assert all("name" not in entity or "query" not in entity for entity in event["entity"])  # sev-1
    assert [text for _, text in _texts(event) if not text.strip() or _CONTROL.search(text)] == []
    assert _empty(event) == []


def hold_bundle_to_r4(bundle: Json) -> None:
    """Assert that it is a searchset of R4 (https://hl7.org/fhir/R4/bundle.html, bdl-1 to bdl-9) of such events."""
    Bundle.model_validate(bundle)
    assert bundle["type"] == "searchset"
    assert _empty(bundle) == []
    entries = bundle.get("entry", [])
    for entry in entries:
        assert set(entry) == {"fullUrl", "resource", "search"}  # bdl-3, 4: no request and no response
        assert _ID.fullmatch(entry["resource"]["id"])
        hold_to_r4(entry["resource"])
    urls = [entry["fullUrl"] for entry in entries]
    assert len(set(urls)) == len(urls)  # bdl-7
    relations = [link["relation"] for link in bundle["link"]]
    assert len(set(relations)) == len(relations)


def _texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield name, value
        case list():
            for each in value:
                yield from _texts(each, name)
        case dict():
            for key, each in value.items():
                yield from _texts(each, key)


def _empty(value: object) -> list[object]:
    """Lists and objects without anything in them, which FHIR does not have."""
    if not isinstance(value, list | dict):
        return []
    inner = value if isinstance(value, list) else list(value.values())
    return ([] if value else [value]) + [empty for each in inner for empty in _empty(each)]
