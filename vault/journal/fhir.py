"""The journal as others read it: FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html) after IHE BALP.

Only what the entry says, in the codes that resource and profiles bind to (vault/journal/balp.py). Profiles let one
entity be of the type "System Object", so that what else an entry is about has the type of its resource. Where a
profile asks for what the journal does not keep, a network address, an extension says that it is absent.
"""

import base64
from typing import Any

from models.facts import Reference
from models.vocabulary import Action, Mode, ResourceType, SubjectType
from vault.journal.balp import CONFIGURATION, DECISION, HL7, PATTERNS, QUERY, Code, Pattern
from vault.journal.elements import absent, code, identified, named, string
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Entry, Item, Value
from vault.journal.meaning import action_of, asked_by_holder, parties

Json = dict[str, Any]

_SERVICE: Json = {"type": "Device", "display": "DMP"}
_SOURCE: Json = {
    "observer": _SERVICE,
    "type": [Code(f"{HL7}/security-source-type", "4", "Application Server").coding()],
}

_SUCCESS, _MINOR_FAILURE, _SERIOUS_FAILURE = "0", "4", "8"
_REFUSAL = "refusal"
_PURPOSES = {
    Mode.BREAK_GLASS: Code(f"{HL7}/v3-ActReason", "BTG", "break the glass"),
    Mode.CENTRE_15: Code(f"{HL7}/v3-ActReason", "ETREAT", "Emergency Treatment"),
}
_PROVIDER = Code(f"{HL7}/v3-RoleClass", "PROV", "healthcare provider")

_PERSON = Code(f"{HL7}/audit-entity-type", "1", "Person")
_SYSTEM_OBJECT = Code(f"{HL7}/audit-entity-type", "2", "System Object")
_OTHER = Code(f"{HL7}/audit-entity-type", "4", "Other")
_REQUEST_ID = Code("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id")
_PATIENT = Code(f"{HL7}/object-role", "1", "Patient")
_REPORT = Code(f"{HL7}/object-role", "3", "Report")
_DOMAIN_RESOURCE = Code(f"{HL7}/object-role", "4", "Domain Resource")
_SECURITY_RESOURCE = Code(f"{HL7}/object-role", "13", "Security Resource")
_QUERIED = Code(f"{HL7}/object-role", "24", "Query")

_MADE = {Action.DOCUMENT_DEPOSIT: ResourceType.DOCUMENT, Action.MESSAGE_SEND: ResourceType.MESSAGE}
"""What an action makes, whose id the change of its entry tells under the name of the type."""


def audit_event(entry: Entry) -> Json:
    """The AuditEvent of an entry; a refusal is a failure, its rules the issues of an OperationOutcome inside."""
    pattern = _pattern(entry)
    profile = pattern.about_nobody if entry.dossier == NO_DOSSIER else pattern.about_patient
    event: Json = {"resourceType": "AuditEvent"}
    if entry.allowed and profile:
        event["meta"] = {"profile": [profile]}
    if not entry.allowed:
        event["contained"] = [_operation_outcome(entry)]
    event |= {
        "type": pattern.type.coding(),
        "subtype": [pattern.subtype.coding(), {"system": "urn:dmp:action", **code(action_of(entry) or entry.action)}],
        "action": pattern.verb,
        "recorded": entry.at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "outcome": _outcome(entry),
        **string("outcomeDesc", entry.rule),
    }
    if purpose := _purpose(entry):
        event["purposeOfEvent"] = [purpose]
    return event | {"agent": _agents(entry, pattern), "source": _SOURCE, "entity": _entities(entry, pattern)}


def _pattern(entry: Entry) -> Pattern:
    """Callers may have asked for anything; only what the DMP knows has a pattern of its own."""
    if entry.action == POLICY_SWAP:
        return CONFIGURATION
    action = action_of(entry)
    return DECISION if action is None else PATTERNS[action]


def _outcome(entry: Entry) -> str:
    """A denial is a serious failure as in BALP's example; a question that cannot be put is a minor one (HTTP 400)."""
    if entry.allowed:
        return _SUCCESS
    asked = action_of(entry) is not None or entry.items
    return _SERIOUS_FAILURE if asked and entry.mode in frozenset(Mode) else _MINOR_FAILURE


def _operation_outcome(entry: Entry) -> Json:
    rules = dict.fromkeys((entry.rule, *entry.refused_by))
    issues = [
        {"severity": "error", "code": "forbidden", "details": {"coding": [{"system": "urn:dmp:rule", **code(rule)}]}}
        for rule in rules
    ]
    return {"resourceType": "OperationOutcome", "id": _REFUSAL, "issue": issues}


def _purpose(entry: Entry) -> Json | None:
    known = Mode(entry.mode) if entry.mode in frozenset(Mode) else Mode.NORMAL
    return {"coding": [_PURPOSES[known].coding()]} if known in _PURPOSES else None


def _agents(entry: Entry, pattern: Pattern) -> list[Json]:
    """Who asked, the component that passed it on, this service, and where a professional acts."""
    who = _patient(entry) if asked_by_holder(entry) else named(entry.subject)
    user = _agent(pattern.user, who, requestor=True)
    if entry.profession is not None:
        user["role"] = [{"coding": [{"system": "urn:dmp:profession", **code(entry.profession)}]}]
    if purpose := _purpose(entry):
        user["purposeOfUse"] = [purpose]
    network = {"network": absent("unsupported")}
    client = {"type": "Device", **string("display", entry.client)}
    agents = [
        user,
        _agent(pattern.client, client, requestor=False) | network,
        _agent(pattern.server, _SERVICE, requestor=False) | network,
    ]
    if entry.organization is not None:
        place = Reference(SubjectType.ORGANIZATION.value, entry.organization)
        agents.append(_agent(_PROVIDER, named(place), requestor=False))
    return agents


def _agent(type_: Code, who: Json, *, requestor: bool) -> Json:
    return {"type": {"coding": [type_.coding()]}, "who": who, "requestor": requestor}


def _patient(entry: Entry) -> Json:
    return {"type": "Patient", "identifier": identified(str(entry.dossier))}


def _entities(entry: Entry, pattern: Pattern) -> list[Json]:
    entities: list[Json] = []
    if entry.dossier != NO_DOSSIER:
        entities.append({"what": _patient(entry), "type": _PERSON.coding(), "role": _PATIENT.coding()})
    entities.append(_query(entry) if pattern is QUERY else _data(entry))
    entities += [_item(item) for item in entry.items]
    entities += [_party(party) for party in parties(entry)]
    if entry.request_id.strip():
        what = {"identifier": string("value", entry.request_id)}
        entities.append({"what": what, "type": _REQUEST_ID.coding()})
    entities.append(_decision(entry))
    if not entry.allowed:
        type_ = Code("http://hl7.org/fhir/resource-types", "OperationOutcome", "OperationOutcome")
        entities.append({"what": {"reference": f"#{_REFUSAL}"}, "type": type_.coding()})
    return entities


def _query(entry: Entry) -> Json:
    """What was asked for, as the journal keeps it: action and resource."""
    asked = f"{action_of(entry)} {entry.resource.type}/{entry.resource.id}"
    query = base64.b64encode(asked.encode()).decode("ascii")
    entity = {"type": _SYSTEM_OBJECT.coding(), "role": _QUERIED.coding()}
    return entity | string("description", asked) | {"query": query}


def _data(entry: Entry) -> Json:
    """What was acted on; of what was made, the id stands in the change."""
    about, action = entry.resource, action_of(entry)
    made = None if action is None else _MADE.get(action)
    if made and isinstance(identity := entry.change.get(made.value), str):
        about = Reference(made.value, identity)
    role = _REPORT if about.type == ResourceType.DOCUMENT else _DOMAIN_RESOURCE
    return {"what": named(about), "type": _SYSTEM_OBJECT.coding(), "role": role.coding()}


def _item(item: Item) -> Json:
    what = named(item.resource)
    told: dict[str, Value] = {
        "action": item.action,
        "outcome": "allowed" if item.allowed else "refused",
        "rule": item.rule,
    }
    return {"what": what, "type": _resource_type(what), "detail": _details(told)}


def _party(party: Reference) -> Json:
    what = named(party)
    return {"what": what, "type": _resource_type(what)}


def _resource_type(what: Json) -> Json:
    """The type of the resource that it would be; else "Other": "Person" and "System Object" are taken."""
    name = what.get("type")
    return Code("http://hl7.org/fhir/resource-types", name, name).coding() if name else _OTHER.coding()


def _decision(entry: Entry) -> Json:
    """The rules that decided, what they decided on, and what was changed."""
    told: dict[str, Value] = {"rule": entry.rule, "reason": entry.reason, "authentication": entry.authentication}
    if entry.patient_present:
        told["patient_present"] = True
    told |= {f"change.{name}": value for name, value in entry.change.items()}
    details = _details(told) + [detail for each in entry.obligations for detail in _details({"obligation": each})]
    entity: Json = {"type": _OTHER.coding(), "role": _SECURITY_RESOURCE.coding()}
    if entry.revision:
        entity["what"] = {"identifier": {"system": "urn:dmp:rules", **string("value", entry.revision)}}
    return entity | ({"detail": details} if details else {})


def _details(told: dict[str, Value]) -> list[Json]:
    """What has nothing to say is left out, since FHIR has no empty strings."""
    words = {name: str(value).lower() if isinstance(value, bool) else value for name, value in told.items()}
    return [{"type": name, **string("valueString", value)} for name, value in words.items() if value and value.strip()]
