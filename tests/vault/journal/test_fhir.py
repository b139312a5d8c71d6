"""The journal as FHIR R4 AuditEvents after IHE BALP.

Expected values are those of https://hl7.org/fhir/R4/auditevent.html and https://profiles.ihe.net/ITI/BALP.
"""

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.facts import Reference
from models.vocabulary import Action, Mode
from tests.vault.journal.balp import FACTS, PROFILES, faults
from tests.vault.journal.entries import DOCUMENT, DOSSIER, HOLDER, HOSPITAL, NURSE, an_entry
from tests.vault.journal.fhir_r4 import hold_to_r4
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Entry, Item
from vault.journal.fhir import audit_event

Json = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
OBJECT = {"system": f"{HL7}/audit-entity-type", "code": "2", "display": "System Object"}
REPORT = {"system": f"{HL7}/object-role", "code": "3", "display": "Report"}
BREAK_GLASS = {"coding": [{"system": f"{HL7}/v3-ActReason", "code": "BTG", "display": "break the glass"}]}
UNKNOWN_NETWORK = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unsupported"}]
}
SERVICE = {"type": "Device", "display": "DMP"}
PATIENT = {
    "type": "Patient",
    "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{DOSSIER}"},
}
READING = Item("document:read", Reference("document", DOCUMENT), True, "care-team")
ON_DOSSIER = Reference("dossier", str(DOSSIER))

PROFILE_OF = {
    "dossier:exists": "PatientQuery",
    "dossier:open": "PatientCreate",
    "dossier:close": "PatientUpdate",
    "dossier:reopen": "PatientUpdate",
    "dossier:erase": "PatientDelete",
    "dossier:suspend": "PatientUpdate",
    "dossier:export": "PrivacyDisclosure.Source",
    "document:deposit": "PatientCreate",
    "document:list": "PatientQuery",
    "journal:read": "PatientQuery",
    "access:list": "PatientQuery",
    "access:grant": "PatientUpdate",
    "access:revoke": "PatientUpdate",
    "access:block": "PatientUpdate",
    "access:unblock": "PatientUpdate",
    "treating_physician:declare": "PatientUpdate",
    "treating_physician:end": "PatientUpdate",
    "emergency:set": "PatientUpdate",
    "care_team:consent": "PatientUpdate",
    "message:send": "PatientCreate",
    "document:read": "PatientRead",
    "document:replace": "PatientUpdate",
    "document:mask": "PatientUpdate",
    "document:unmask": "PatientUpdate",
    "document:reveal": "PatientUpdate",
    "document:archive": "PatientUpdate",
    "document:restore": "PatientUpdate",
    "document:delete": "PatientDelete",
    "document:contest": "PatientUpdate",
    "message:read": "PatientRead",
}

MOMENTS: dict[str, Json] = {
    "plain": {},
    "by the holder": {"subject": HOLDER},
    "by the holder, in capitals": {"subject": Reference("person", str(DOSSIER).upper())},
    "by a representative": {"subject": Reference("person", DOCUMENT)},
    "by a structure": {"subject": HOSPITAL, "authentication": None},
    "by staff": {"subject": Reference("staff", "sec-1")},
    "in an emergency": {"mode": "break_glass", "reason": "inconscient", "patient_present": True},
    "at the centre 15": {"mode": "centre_15", "organization": "750000002", "profession": "physician"},
    "with a change": {
        "change": {"party": "professional/10007654320 organization/750000002", "until": None, "masked": True, "was": ""}
    },
    "with obligations": {"obligations": ("notify_patient", "write_down"), "authentication": "cps"},
    "a batch": {"items": (READING, replace(READING, allowed=False, rule="masked"))},
    "without details": {"request_id": "", "revision": "", "client": ""},
    "about no dossier": {"dossier": NO_DOSSIER},
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", list(Action))
def test_every_permission_keeps_its_profile(action: Action, moment: str) -> None:
    """It names the profile of its action, and keeps all that R4 and the profile ask for."""
    entry = an_entry(action=action.value, **MOMENTS[moment])
    event = audit_event(entry)
    hold_to_r4(event)
    name = _profile_of(entry)
    assert event.get("meta", {}).get("profile") == (None if name is None else [PROFILES + name])
    assert name is None or faults(event, FACTS[name]) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", list(Action))
def test_every_refusal_follows_the_pattern_and_claims_nothing(action: Action, moment: str) -> None:
    """BALP: a failure may follow the pattern of the success, with another outcome and an OperationOutcome."""
    entry = an_entry(action=action.value, allowed=False, rule="masked", **MOMENTS[moment])
    event = audit_event(entry)
    hold_to_r4(event)
    assert "meta" not in event
    assert (event["outcome"], event["outcomeDesc"]) == ("8", "masked")
    name = _profile_of(entry)
    assert name is None or faults(event, FACTS[name]) == (["outcome"] if FACTS[name].success else [])


BREAKS: dict[str, Callable[[Json], object]] = {
    "another type": lambda event: event["type"].update(code="110110"),
    "two interactions": lambda event: event["subtype"].append(event["subtype"][0]),
    "another verb": lambda event: event.update(action="E"),
    "a failure": lambda event: event.update(outcome="8"),
    "no network": lambda event: event["agent"][1].pop("network"),
    "no client": lambda event: event["agent"].pop(1),
    "two services": lambda event: event["agent"].append(event["agent"][2]),
    "a user in the network": lambda event: event["agent"][0].update(network=UNKNOWN_NETWORK),
    "a user who does not ask": lambda event: event["agent"][0].update(requestor=False),
    "no patient": lambda event: event["entity"].pop(0),
    "a patient that is none": lambda event: event["entity"][0]["what"].update(type="Group"),
    "two documents": lambda event: event["entity"].append(event["entity"][1]),
    "a document in another role": lambda event: event["entity"][1].update(role={"code": "13"}),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_the_facts_of_a_profile_have_teeth(broken: str) -> None:
    """Whatever of a profile an event does not keep is found."""
    event = audit_event(an_entry())
    assert faults(event, FACTS["PatientRead"]) == []
    BREAKS[broken](copied := copy.deepcopy(event))
    assert faults(copied, FACTS["PatientRead"]) != []


def test_a_disclosure_is_told_by_its_source() -> None:
    """The invariant val-audit-source of BALP is held too."""
    event = audit_event(an_entry(action="dossier:export"))
    event["agent"][2] |= {"who": {"type": "Device", "display": "another"}}
    assert faults(event, FACTS["PrivacyDisclosure.Source"]) != []


@pytest.mark.parametrize("action", ["evaluations", "thing:do", "", " \x01 ", POLICY_SWAP])
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_no_action_is_a_decision(action: str, moment: str, *, allowed: bool) -> None:
    """A batch of several actions, one that does not exist, and a swap of rules have no profile, and are valid."""
    event = audit_event(an_entry(action=action, allowed=allowed, **MOMENTS[moment]))
    hold_to_r4(event)
    assert "meta" not in event
    assert (event["type"]["code"], event["action"]) == ("110113", "E")
    assert event["subtype"][0]["code"] == ("110129" if action == POLICY_SWAP else "AuthZ-Consent")


def test_a_reading_as_an_audit_event() -> None:
    """Who, what, when, how it ended, on whose behalf, for what purpose, and of which patient."""
    entry = an_entry(
        organization="750000002", mode="break_glass", reason="inconscient", profession="physician", patient_present=True
    )
    event = audit_event(entry)
    assert event == {
        "resourceType": "AuditEvent",
        "meta": {"profile": ["https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"]},
        "type": {"system": f"{HL7}/audit-event-type", "code": "rest", "display": "Restful Operation"},
        "subtype": [
            {"system": "http://hl7.org/fhir/restful-interaction", "code": "read", "display": "read"},
            {"system": "urn:dmp:action", "code": "document:read"},
        ],
        "action": "R",
        "recorded": "2026-11-02T09:30:15.123456Z",
        "outcome": "0",
        "outcomeDesc": "treating-physician",
        "purposeOfEvent": [BREAK_GLASS],
        "agent": [
            {
                "type": _agent_type(f"{HL7}/v3-ParticipationType", "IRCP", "information recipient"),
                "who": {
                    "type": "Practitioner",
                    "identifier": {"system": "https://rpps.esante.gouv.fr", "value": "10001234565"},
                },
                "requestor": True,
                "role": [{"coding": [{"system": "urn:dmp:profession", "code": "physician"}]}],
                "purposeOfUse": [BREAK_GLASS],
            },
            {
                "type": _agent_type(DCM, "110152", "Destination Role ID"),
                "who": {"type": "Device", "display": "viewer"},
                "requestor": False,
                "network": UNKNOWN_NETWORK,
            },
            {
                "type": _agent_type(DCM, "110153", "Source Role ID"),
                "who": SERVICE,
                "requestor": False,
                "network": UNKNOWN_NETWORK,
            },
            {
                "type": _agent_type(f"{HL7}/v3-RoleClass", "PROV", "healthcare provider"),
                "who": {
                    "type": "Organization",
                    "identifier": {"system": "https://finess.esante.gouv.fr", "value": "750000002"},
                },
                "requestor": False,
            },
        ],
        "source": {
            "observer": SERVICE,
            "type": [{"system": f"{HL7}/security-source-type", "code": "4", "display": "Application Server"}],
        },
        "entity": [
            {
                "what": PATIENT,
                "type": {"system": f"{HL7}/audit-entity-type", "code": "1", "display": "Person"},
                "role": {"system": f"{HL7}/object-role", "code": "1", "display": "Patient"},
            },
            {
                "what": {
                    "type": "DocumentReference",
                    "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{DOCUMENT}"},
                },
                "type": OBJECT,
                "role": REPORT,
            },
            {
                "what": {"identifier": {"value": "r-1"}},
                "type": {
                    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                    "code": "XrequestId",
                    "display": "X-Request-Id",
                },
            },
            {
                "type": {"system": f"{HL7}/audit-entity-type", "code": "4", "display": "Other"},
                "role": {"system": f"{HL7}/object-role", "code": "13", "display": "Security Resource"},
                "what": {"identifier": {"system": "urn:dmp:rules", "value": "5f" * 32}},
                "detail": [
                    {"type": "rule", "valueString": "treating-physician"},
                    {"type": "reason", "valueString": "inconscient"},
                    {"type": "patient_present", "valueString": "true"},
                ],
            },
        ],
    }


def test_a_refusal_says_by_which_rules() -> None:
    """Each rule that refused is an issue of the OperationOutcome, the deciding one first."""
    event = audit_event(an_entry(allowed=False, rule="masked", refused_by=("masked", "not-habilitated")))
    (outcome,) = event["contained"]
    assert [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]] == ["masked", "not-habilitated"]
    assert event["entity"][-1]["what"] == {"reference": "#refusal"}


@pytest.mark.parametrize("told", [{"action": "thing:do"}, {"mode": "odd"}])
def test_a_question_that_cannot_be_put_is_a_minor_failure(told: Json) -> None:
    """R4: minor is what is often equivalent to an HTTP 400 response."""
    event = audit_event(an_entry(allowed=False, rule="unknown-action", **told))
    assert event["outcome"] == "4"
    assert "purposeOfEvent" not in event


def test_a_refused_batch_is_a_serious_failure() -> None:
    """Its actions exist, though together they have no name."""
    refused = replace(READING, allowed=False, rule="masked")
    assert audit_event(an_entry(action="evaluations", allowed=False, items=(refused,)))["outcome"] == "8"


def test_the_holder_is_the_patient() -> None:
    """As agent and as the one whom it is about; nobody else is."""
    assert audit_event(an_entry(subject=HOLDER))["agent"][0]["who"] == PATIENT
    assert audit_event(an_entry(subject=Reference("person", DOCUMENT)))["agent"][0]["who"]["type"] == "RelatedPerson"


def test_a_refusal_about_nothing_known() -> None:
    """Without a dossier there is no patient, and odd ids stay as they came."""
    event = audit_event(
        an_entry(
            dossier=NO_DOSSIER,
            subject=Reference("staff", "sec-1"),
            resource=Reference("thing", "?"),
            action="thing:do",
            allowed=False,
            rule="unknown-action",
        )
    )
    assert event["agent"][0]["who"] == {"identifier": {"value": "sec-1"}}
    assert event["entity"][0]["what"] == {"identifier": {"value": "?"}}


def test_a_swap_of_rules_is_about_no_patient() -> None:
    """It changes the security's configuration, and nobody's record."""
    event = audit_event(an_entry(dossier=NO_DOSSIER, action=POLICY_SWAP, resource=Reference("policy", "5f" * 32)))
    assert (event["subtype"][0]["code"], event["action"]) == ("110129", "E")
    assert event["entity"][0]["what"] == {"identifier": {"value": "5f" * 32}}


def test_a_listing_is_a_query_and_tells_what_it_showed() -> None:
    """A list is decided as such and then line by line; to the reader of the journal it is one query."""
    event = audit_event(an_entry(action="evaluations", resource=ON_DOSSIER, items=(_entered("document:list"), READING)))
    assert event["meta"]["profile"] == [f"{PROFILES}PatientQuery"]
    assert faults(event, FACTS["PatientQuery"]) == []
    assert event["subtype"][1]["code"] == "document:list"
    asked = f"document:list dossier/{DOSSIER}"
    (query,) = [entity for entity in event["entity"] if "query" in entity]
    assert (query["description"], base64.b64decode(query["query"]).decode()) == (asked, asked)
    assert _items(event) == [
        ("Other", ["document:list", "allowed", "care-team"]),
        ("DocumentReference", ["document:read", "allowed", "care-team"]),
    ]


def test_a_copy_is_a_disclosure() -> None:
    """Entered by the export, it shows documents and the journal."""
    items = (_entered("dossier:export"), READING, _entered("journal:read"))
    event = audit_event(an_entry(action="evaluations", subject=HOLDER, resource=ON_DOSSIER, items=items))
    assert event["meta"]["profile"] == [f"{PROFILES}PrivacyDisclosure.Source"]
    assert faults(event, FACTS["PrivacyDisclosure.Source"]) == []


def test_each_item_has_its_own_answer() -> None:
    """Of questions asked together, some may be refused."""
    items = (READING, replace(READING, allowed=False, rule="masked", resource=Reference("message", DOCUMENT)))
    event = audit_event(an_entry(action="evaluations", resource=ON_DOSSIER, items=items))
    assert _items(event) == [
        ("DocumentReference", ["document:read", "allowed", "care-team"]),
        ("Communication", ["document:read", "refused", "masked"]),
    ]


@pytest.mark.parametrize(
    "action,change,expected",
    [
        ("document:deposit", {"document": DOCUMENT}, "DocumentReference"),
        ("message:send", {"message": DOCUMENT, "addressee": "professional/10007654320"}, "Communication"),
        ("document:deposit", {"months": "2026-01"}, None),
    ],
)
def test_what_was_made_is_the_object(action: str, change: Json, expected: str | None) -> None:
    """Once it has an id; before, it is the dossier that is acted on."""
    event = audit_event(an_entry(action=action, resource=ON_DOSSIER, change=change))
    (data,) = [entity for entity in event["entity"] if entity["type"] == OBJECT]
    assert data["what"].get("type") == expected
    assert data["what"]["identifier"]["value"] == f"urn:uuid:{DOCUMENT if expected else DOSSIER}"


def test_whose_rights_change_is_told() -> None:
    """Each as an entity; what was changed, beside the rules that allowed it."""
    change = {"party": "professional/10007654320", "relation": "granted", "until": None, "masked": False}
    event = audit_event(an_entry(action="access:grant", subject=HOLDER, resource=ON_DOSSIER, change=change))
    (party,) = [entity for entity in event["entity"] if entity["type"]["code"] == "Practitioner"]
    assert party["what"]["identifier"]["value"] == NURSE.id
    assert _decision(event)["detail"][1:] == [
        {"type": "change.party", "valueString": "professional/10007654320"},
        {"type": "change.relation", "valueString": "granted"},
        {"type": "change.masked", "valueString": "false"},
    ]


def test_nothing_is_said_of_what_was_not_given() -> None:
    """Details without a value are left out, since FHIR has no empty strings."""
    event = audit_event(an_entry(request_id="", revision="", rule=""))
    assert {"what", "detail"} & set(_decision(event)) == set()
    assert [entity for entity in event["entity"] if entity["type"]["code"] == "XrequestId"] == []


_words = st.text(max_size=20)
_references = st.builds(Reference, st.sampled_from(["person", "professional", "organization", "x", ""]), _words)


@given(
    st.fixed_dictionaries(
        {
            "subject": _references,
            "resource": _references,
            "action": st.sampled_from([*Action, "evaluations", POLICY_SWAP]) | _words,
            "allowed": st.booleans(),
            "rule": _words,
            "revision": _words,
            "client": _words,
            "request_id": _words,
            "organization": st.none() | _words,
            "authentication": st.none() | _words,
            "profession": st.none() | _words,
            "mode": st.sampled_from(list(Mode)) | _words,
            "reason": _words,
            "items": st.lists(st.builds(Item, _words, _references, st.booleans(), _words), max_size=3).map(tuple),
            "change": st.dictionaries(st.sampled_from(["party", "addressee", "document"]), _words, max_size=3),
        }
    )
)
def test_whatever_callers_wrote_is_valid(told: Json) -> None:
    """Empty texts, white space, control characters, surrogates: the event stays an AuditEvent, with its profile."""
    event = audit_event(an_entry(**told))
    hold_to_r4(event)
    for profile in event.get("meta", {}).get("profile", []):
        assert faults(event, FACTS[profile.removeprefix(PROFILES)]) == []


def _profile_of(entry: Entry) -> str | None:
    name = PROFILE_OF[entry.action]
    if entry.dossier != NO_DOSSIER:
        return name
    return name.removeprefix("Patient") if name.startswith("Patient") else None


def _agent_type(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _entered(action: str) -> Item:
    return replace(READING, action=action, resource=ON_DOSSIER)


def _items(event: Json) -> list[tuple[str, list[str]]]:
    told = [entity for entity in event["entity"] if "detail" in entity and "role" not in entity]
    return [(entity["type"]["display"], [each["valueString"] for each in entity["detail"]]) for entity in told]


def _decision(event: Json) -> Json:
    (decision,) = [entity for entity in event["entity"] if entity.get("role", {}).get("code") == "13"]
    return dict(decision)
