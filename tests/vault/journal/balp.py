"""What the profiles of IHE BALP 1.1.4 ask of an AuditEvent, beyond the resource itself.

Written down from https://profiles.ihe.net/ITI/BALP/1.1.4/artifacts.html (the pages of the profiles named below) and
their sources, input/fsh/*.fsh of IHE/ITI.BasicAudit, and from nothing of ours.
"""

from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_REST = "http://hl7.org/fhir/restful-interaction"


@dataclass(frozen=True)
class Slice:
    """Agents or entities told apart by their type: how many there are, and what each has and has not."""

    types: frozenset[tuple[str, str]]
    least: int
    most: int
    needs: tuple[str, ...] = ("who",)
    without: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    requestor: bool | None = None
    observes: bool = False
    """The invariant val-audit-source: `who` is the source's observer."""


@dataclass(frozen=True)
class Profile:
    """Fixed type, exactly one subtype of these, fixed action; `success`: the outcome is fixed to 0."""

    type: tuple[str, str]
    subtypes: frozenset[tuple[str, str]]
    action: str
    agents: tuple[Slice, ...]
    entities: tuple[Slice, ...]
    least_entities: int
    success: bool = True


def _dcm(code: str) -> frozenset[tuple[str, str]]:
    return frozenset({(_DCM, code)})


def _interactions(*codes: str) -> frozenset[tuple[str, str]]:
    return frozenset((_REST, code) for code in codes)


_CUSTODIAN = frozenset({(f"{_HL7}/provenance-participant-type", "custodian")})
_IRCP = frozenset({(f"{_HL7}/v3-ParticipationType", "IRCP")})
_DATA_SOURCES = frozenset((f"{_HL7}/v3-ParticipationType", code) for code in ("AUT", "INF", "CST"))
_SYSTEM_OBJECT = frozenset({(f"{_HL7}/audit-entity-type", "2")})

_PATIENT = Slice(frozenset({(f"{_HL7}/audit-entity-type", "1")}), 1, 1, ("what",), roles=frozenset({"1"}))
_TRANSACTION = Slice(
    frozenset({("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId")}), 0, 1, ("what",)
)
_DATA = Slice(_SYSTEM_OBJECT, 1, 1, ("what",), roles=frozenset({"3", "4", "20"}))
_QUERY = Slice(_SYSTEM_OBJECT, 1, 1, ("query",), ("what", "lifecycle", "detail"), roles=frozenset({"24"}))


def _agents(
    client: frozenset[tuple[str, str]], server: frozenset[tuple[str, str]], user: frozenset[tuple[str, str]]
) -> tuple[Slice, ...]:
    return (
        Slice(client, 1, 1, ("who", "network"), ("media",)),
        Slice(server, 1, 1, ("who", "network"), ("media",)),
        Slice(user, 0, 1, ("who",), ("media", "network"), requestor=True),
    )


def _rest(
    subtypes: frozenset[tuple[str, str]], action: str, agents: tuple[Slice, ...], about: Slice = _DATA
) -> Profile:
    return Profile((f"{_HL7}/audit-event-type", "rest"), subtypes, action, agents, (_TRANSACTION, about), 1)


def _of_patient(profile: Profile, least_entities: int = 2) -> Profile:
    return replace(profile, entities=(*profile.entities, _PATIENT), least_entities=least_entities)


_READ = _rest(_interactions("read", "vread"), "R", _agents(_dcm("110152"), _dcm("110153"), _IRCP))
_CREATE = _rest(_interactions("create"), "C", _agents(_dcm("110153"), _dcm("110152"), _DATA_SOURCES))
_UPDATE = _rest(_interactions("update", "patch"), "U", _agents(_dcm("110153"), _dcm("110152"), _DATA_SOURCES))
_DELETE = _rest(_interactions("delete"), "D", _agents(_dcm("110150"), _CUSTODIAN, _DATA_SOURCES))
_SEARCH = _rest(
    _interactions("search", "search-type", "search-system"),
    "E",
    _agents(_dcm("110153"), _dcm("110152"), _IRCP),
    _QUERY,
)
_DISCLOSURE = Profile(
    (_DCM, "110106"),
    frozenset({(f"{_HL7}/iso-21089-lifecycle", "disclose")}),
    "R",
    (
        Slice(_dcm("110153"), 1, 1, ("who", "network"), observes=True),
        Slice(_dcm("110152"), 1, 1, ("who", "network")),
    ),
    (_PATIENT,),
    2,
    success=False,
)

FACTS = {
    "Read": _READ,
    "Create": _CREATE,
    "Update": _UPDATE,
    "Delete": _DELETE,
    "Query": _SEARCH,
    "PatientRead": _of_patient(_READ),
    "PatientCreate": _of_patient(_CREATE),
    "PatientUpdate": _of_patient(_UPDATE),
    "PatientDelete": _of_patient(_DELETE),
    "PatientQuery": _of_patient(_SEARCH, 1),
    "PrivacyDisclosure.Source": _DISCLOSURE,
}


def faults(event: Json, profile: Profile) -> list[str]:
    """What of the profile the event does not keep."""
    fixed = {
        "type": _code(event["type"]) == profile.type,
        "subtype": sum(_code(each) in profile.subtypes for each in event["subtype"]) == 1,
        "action": event["action"] == profile.action,
        "outcome": event["outcome"] == "0" or not profile.success,
        "agent": len(event["agent"]) >= 2,
        "entity": len(event["entity"]) >= profile.least_entities,
        "modifierExtension": "modifierExtension" not in event,
    }
    found = [name for name, kept in fixed.items() if not kept]
    for part in profile.agents:
        agents = [each for each in event["agent"] if {_code(one) for one in each["type"]["coding"]} & part.types]
        found += _of_slice("agent", agents, part, event)
    for part in profile.entities:
        found += _of_slice(
            "entity", [each for each in event["entity"] if _code(each["type"]) in part.types], part, event
        )
    patients = [each for each in event["entity"] if _code(each["type"]) in _PATIENT.types]
    return found + [f"a patient is no Patient: {each}" for each in patients if each["what"].get("type") != "Patient"]


def _of_slice(what: str, members: list[Json], part: Slice, event: Json) -> list[str]:
    found = [] if part.least <= len(members) <= part.most else [f"{what}: {len(members)} of {sorted(part.types)}"]
    for each in members:
        found += [f"{what} without {name}: {each}" for name in part.needs if not each.get(name)]
        found += [f"{what} with {name}: {each}" for name in part.without if name in each]
        if part.roles and each.get("role", {}).get("code") not in part.roles:
            found.append(f"{what} in another role: {each}")
        if part.requestor is not None and each["requestor"] is not part.requestor:
            found.append(f"{what} that does not ask: {each}")
        if part.observes and each["who"] != event["source"]["observer"]:
            found.append(f"{what} that is not the source: {each}")
    return found


def _code(coding: Json) -> tuple[str, str]:
    return coding["system"], coding.get("code", "")
