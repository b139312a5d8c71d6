"""The journal as others read it: FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html).

Only what the line says, in the codes of DICOM PS3.16 and HL7 that the resource binds to.
"""

from typing import Any
from uuid import UUID

from models.facts import Reference
from models.vocabulary import Action, Mode, ResourceType, SubjectType
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Entry

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_OBSERVER = "DMP"

_PATIENT_RECORD = ("110110", "Patient Record")
_SECURITY_CONFIGURATION = ("110129", "Security Configuration")
_TYPES = {
    Action.DOSSIER_EXPORT: ("110106", "Export"),
    Action.DOCUMENT_DEPOSIT: ("110107", "Import"),
    Action.JOURNAL_READ: ("110101", "Audit Log Used"),
    Action.ACCESS_GRANT: ("110136", "Security Roles Changed"),
    Action.ACCESS_REVOKE: ("110136", "Security Roles Changed"),
    Action.ACCESS_BLOCK: ("110136", "Security Roles Changed"),
    Action.ACCESS_UNBLOCK: ("110136", "Security Roles Changed"),
    Action.TREATING_PHYSICIAN_DECLARE: ("110136", "Security Roles Changed"),
    Action.TREATING_PHYSICIAN_END: ("110136", "Security Roles Changed"),
    Action.CARE_TEAM_CONSENT: ("110136", "Security Roles Changed"),
    Action.EMERGENCY_SET: ("110136", "Security Roles Changed"),
    Action.DOCUMENT_MASK: ("110135", "Object Security Attributes Changed"),
    Action.DOCUMENT_UNMASK: ("110135", "Object Security Attributes Changed"),
    Action.DOCUMENT_REVEAL: ("110135", "Object Security Attributes Changed"),
}
_CREATE, _READ, _UPDATE, _DELETE, _EXECUTE = "CRUDE"
_VERBS = {
    Action.DOSSIER_OPEN: _CREATE,
    Action.DOCUMENT_DEPOSIT: _CREATE,
    Action.MESSAGE_SEND: _CREATE,
    Action.DOCUMENT_READ: _READ,
    Action.DOCUMENT_LIST: _READ,
    Action.DOSSIER_EXPORT: _READ,
    Action.JOURNAL_READ: _READ,
    Action.ACCESS_LIST: _READ,
    Action.MESSAGE_READ: _READ,
    Action.DOSSIER_ERASE: _DELETE,
    Action.DOCUMENT_DELETE: _DELETE,
}
_SUCCESS, _MINOR_FAILURE = "0", "4"
_PURPOSES = {Mode.BREAK_GLASS: ("BTG", "break the glass"), Mode.CENTRE_15: ("ETREAT", "Emergency Treatment")}
_SYSTEMS = {
    SubjectType.PROFESSIONAL: "https://rpps.esante.gouv.fr",
    SubjectType.ORGANIZATION: "https://finess.esante.gouv.fr",
}


def audit_event(entry: Entry) -> dict[str, Any]:
    """The AuditEvent of an entry: a refusal is a minor failure, its rule the description of the outcome."""
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "type": _coding(_DICOM, *_type(entry)),
        "subtype": [{"system": "urn:dmp:action", "code": entry.action}],
        "action": _verb(entry),
        "recorded": entry.at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "outcome": _SUCCESS if entry.allowed else _MINOR_FAILURE,
        "outcomeDesc": entry.rule,
        "agent": _agents(entry),
        "source": {"observer": {"display": _OBSERVER}},
        "entity": _entities(entry),
    }
    if purpose := _purpose(entry):
        event["purposeOfEvent"] = [purpose]
    return event


def _action(entry: Entry) -> Action | None:
    """Callers may have asked for anything; only what the DMP knows has a code of its own."""
    return Action(entry.action) if entry.action in frozenset(Action) else None


def _type(entry: Entry) -> tuple[str, str]:
    if entry.action == POLICY_SWAP:
        return _SECURITY_CONFIGURATION
    action = _action(entry)
    return _PATIENT_RECORD if action is None else _TYPES.get(action, _PATIENT_RECORD)


def _verb(entry: Entry) -> str:
    action = _action(entry)
    return _EXECUTE if action is None else _VERBS.get(action, _UPDATE)


def _purpose(entry: Entry) -> dict[str, Any] | None:
    known = Mode(entry.mode) if entry.mode in frozenset(Mode) else Mode.NORMAL
    return {"coding": [_coding(f"{_HL7}/v3-ActReason", *_PURPOSES[known])]} if known in _PURPOSES else None


def _agents(entry: Entry) -> list[dict[str, Any]]:
    who: dict[str, Any] = {"who": {"identifier": _identifier(entry.subject)}, "requestor": True}
    if purpose := _purpose(entry):
        who["purposeOfUse"] = [purpose]
    agents = [who, {"who": {"display": entry.client}, "requestor": False}]
    if entry.organization is not None:
        place = Reference(SubjectType.ORGANIZATION.value, entry.organization)
        agents.append({"who": {"identifier": _identifier(place)}, "requestor": False})
    return agents


def _entities(entry: Entry) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if entry.dossier != NO_DOSSIER:
        patient = {"what": {"identifier": _uuid(str(entry.dossier))}}
        patient |= {"type": _coding(f"{_HL7}/audit-entity-type", "1", "Person")}
        entities.append(patient | {"role": _coding(f"{_HL7}/object-role", "1", "Patient")})
    details = {"request": entry.request_id, "reason": entry.reason, "revision": entry.revision}
    told = [{"type": name, "valueString": value} for name, value in details.items() if value]
    entities.append(_data(entry.resource) | ({"detail": told} if told else {}))
    for item in entry.items:
        decided = {"action": item.action, "outcome": "allowed" if item.allowed else "refused", "rule": item.rule}
        detail = [{"type": name, "valueString": value} for name, value in decided.items()]
        entities.append(_data(item.resource) | {"detail": detail})
    return entities


def _data(resource: Reference) -> dict[str, Any]:
    entity: dict[str, Any] = {"what": {"identifier": _identifier(resource)}}
    entity["type"] = _coding(f"{_HL7}/audit-entity-type", "2", "System Object")
    if resource.type == ResourceType.DOCUMENT:
        entity["role"] = _coding(f"{_HL7}/object-role", "3", "Report")
    return entity


def _identifier(reference: Reference) -> dict[str, Any]:
    if reference.type in _SYSTEMS:
        return {"system": _SYSTEMS[SubjectType(reference.type)], "value": reference.id}
    return _uuid(reference.id)


def _uuid(text: str) -> dict[str, Any]:
    """An identifier that is a UUID as FHIR writes it; whatever else a caller asked about stays as it is."""
    try:
        return {"system": "urn:ietf:rfc:3986", "value": UUID(text).urn}
    except ValueError:
        return {"value": text}


def _coding(system: str, code: str, display: str) -> dict[str, Any]:
    return {"system": system, "code": code, "display": display}
