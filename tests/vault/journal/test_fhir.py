"""The journal as FHIR R4 AuditEvents. Expected values are those of https://hl7.org/fhir/R4/auditevent.html."""

from dataclasses import replace

import pytest

from models.facts import Reference
from models.vocabulary import Action
from tests.vault.journal.entries import DOCUMENT, DOSSIER, HOLDER, HOSPITAL, an_entry
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Item
from vault.journal.fhir import audit_event

OBJECT = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "code": "2",
    "display": "System Object",
}
REPORT = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "3", "display": "Report"}
BREAK_GLASS = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "BTG", "display": "break the glass"}
    ]
}


def test_a_reading_as_an_audit_event() -> None:
    """Who, what, when, how it ended, on whose behalf, and of which patient."""
    entry = an_entry(organization="750000002", mode="break_glass", reason="inconscient")
    assert audit_event(entry) == {
        "resourceType": "AuditEvent",
        "type": {
            "system": "http://dicom.nema.org/resources/ontology/DCM",
            "code": "110110",
            "display": "Patient Record",
        },
        "subtype": [{"system": "urn:dmp:action", "code": "document:read"}],
        "action": "R",
        "recorded": "2026-11-02T09:30:15.123456Z",
        "outcome": "0",
        "outcomeDesc": "treating-physician",
        "purposeOfEvent": [BREAK_GLASS],
        "agent": [
            {
                "who": {"identifier": {"system": "https://rpps.esante.gouv.fr", "value": "10001234565"}},
                "requestor": True,
                "purposeOfUse": [BREAK_GLASS],
            },
            {"who": {"display": "viewer"}, "requestor": False},
            {
                "who": {"identifier": {"system": "https://finess.esante.gouv.fr", "value": "750000002"}},
                "requestor": False,
            },
        ],
        "source": {"observer": {"display": "DMP"}},
        "entity": [
            {
                "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{DOSSIER}"}},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "1",
                    "display": "Person",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
            },
            {
                "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{DOCUMENT}"}},
                "type": OBJECT,
                "role": REPORT,
                "detail": [
                    {"type": "request", "valueString": "r-1"},
                    {"type": "reason", "valueString": "inconscient"},
                    {"type": "revision", "valueString": "5f" * 32},
                ],
            },
        ],
    }


def test_a_refusal_about_nothing_known() -> None:
    """A refusal is a minor failure; without a dossier there is no patient, and odd ids stay as they came."""
    entry = an_entry(
        dossier=NO_DOSSIER,
        subject=Reference("staff", "sec-1"),
        resource=Reference("thing", "?"),
        action="thing:do",
        mode="odd",
        allowed=False,
        rule="unknown-action",
    )
    event = audit_event(entry)
    assert (event["outcome"], event["outcomeDesc"], event["action"]) == ("4", "unknown-action", "E")
    assert event["agent"][0] == {"who": {"identifier": {"value": "sec-1"}}, "requestor": True}
    assert [entity["what"] for entity in event["entity"]] == [{"identifier": {"value": "?"}}]
    assert "purposeOfEvent" not in event


def test_a_swap_of_rules_is_about_no_patient() -> None:
    """It changes the security's configuration, and nobody's record."""
    swap = an_entry(dossier=NO_DOSSIER, action=POLICY_SWAP, resource=Reference("policy", "5f" * 32))
    event = audit_event(swap)
    assert (event["type"]["code"], event["action"]) == ("110129", "E")
    assert [entity["what"] for entity in event["entity"]] == [{"identifier": {"value": "5f" * 32}}]


def test_items_are_entities() -> None:
    """Each line of a listing is an entity with its own answer."""
    item = Item("document:read", Reference("document", DOCUMENT), True, "care-team")
    listing = an_entry(
        action="document:list",
        resource=Reference("dossier", str(DOSSIER)),
        items=(item, replace(item, allowed=False, rule="masked")),
    )
    told = [
        [detail["valueString"] for detail in entity["detail"]]
        for entity in audit_event(listing)["entity"]
        if entity.get("role") == REPORT
    ]
    assert told == [["document:read", "allowed", "care-team"], ["document:read", "refused", "masked"]]


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("mode", ["normal", "centre_15"])
@pytest.mark.parametrize("subject", [HOLDER, HOSPITAL])
def test_every_action_has_a_valid_form(action: Action, mode: str, subject: Reference) -> None:
    """What the resource requires is there for every action: type, recorded, agents that say who asked, a source."""
    event = audit_event(an_entry(action=action.value, mode=mode, subject=subject))
    assert event["resourceType"] == "AuditEvent"
    assert event["action"] in set("CRUDE")
    assert event["outcome"] in {"0", "4", "8", "12"}
    assert set(event["type"]) == {"system", "code", "display"}
    assert [agent["requestor"] for agent in event["agent"]] == [True, False]
    assert event["source"]["observer"]
    assert event["recorded"].endswith("Z")


@pytest.mark.parametrize(
    "action,expected",
    [
        ("dossier:open", ("110110", "C")),
        ("document:deposit", ("110107", "C")),
        ("dossier:export", ("110106", "R")),
        ("journal:read", ("110101", "R")),
        ("access:grant", ("110136", "U")),
        ("document:mask", ("110135", "U")),
        ("document:delete", ("110110", "D")),
    ],
)
def test_codes_of_actions(action: str, expected: tuple[str, str]) -> None:
    """The type is DICOM's audit code (PS3.16 CID 400), the action one of create, read, update, delete, execute."""
    event = audit_event(an_entry(action=action))
    assert (event["type"]["code"], event["action"]) == expected


def test_nothing_is_said_of_what_was_not_given() -> None:
    """Details without a value are left out, since FHIR has no empty strings."""
    event = audit_event(an_entry(request_id="", revision=""))
    assert "detail" not in event["entity"][-1]
