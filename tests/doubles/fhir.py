"""FHIR R4 resources about medicines, as depositors send them."""

import json
from typing import Any

Json = dict[str, Any]

ATC, CIP, ICD10 = "http://www.whocc.no/atc", "urn:oid:1.2.250.1.213.2.3.2", "http://hl7.org/fhir/sid/icd-10"
RPPS, PRESCRIPTIONS, DISPENSATIONS = "https://rpps.esante.gouv.fr", "urn:test:prescription", "urn:test:dispensation"
CONTENT_TYPE = "application/fhir+json"
_SUBJECT = {"display": "Patient"}


def encoded(resource: Json) -> bytes:
    """The content of a document."""
    return json.dumps(resource).encode()


def bundle(*resources: Json) -> Json:
    """Several in one document."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


def concept(code: str, text: str = "", system: str = ATC) -> Json:
    """A code with its name."""
    return {"coding": [{"system": system, "code": code}], "text": text or code}


def request(code: str, begins: str, ends: str | None = None, **more: object) -> Json:
    """A prescription, over days where it says until when."""
    period = {"start": begins} | ({"end": ends} if ends else {})
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(code),
        "subject": _SUBJECT,
        "authoredOn": begins,
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}],
    } | more


def dispense(code: str, on: str, days: int | None = None, **more: object) -> Json:
    """What a pharmacy handed out, for so many days where it says so."""
    supply = {"daysSupply": {"value": days, "code": "d"}} if days else {}
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "medicationCodeableConcept": concept(code),
        "subject": _SUBJECT,
        "whenHandedOver": f"{on}T10:00:00+02:00",
        **supply,
    } | more


def vaccination(code: str, on: str, **more: object) -> Json:
    """A vaccination that was done."""
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(code),
        "patient": _SUBJECT,
        "occurrenceDateTime": on,
    } | more


def condition(code: str, **more: object) -> Json:
    """A disease."""
    return {"resourceType": "Condition", "code": concept(code, system=ICD10), "subject": _SUBJECT} | more


def administration(code: str, on: str, **more: object) -> Json:
    """A medicine that was given."""
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": concept(code),
        "subject": _SUBJECT,
        "effectiveDateTime": on,
    } | more


def named(value: str, system: str = PRESCRIPTIONS) -> list[Json]:
    """An identifier."""
    return [{"system": system, "value": value}]


def by(rpps: str) -> Json:
    """Who prescribes."""
    return {"identifier": {"system": RPPS, "value": rpps}}


def handed_out(ins: str, pharmacy: str, identity: str, code: str = "N02BE01", **more: object) -> Json:
    """A line of the pharmaceutical record: whose it is, who handed it out, and what names it."""
    told = {
        "subject": {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": ins}},
        "performer": [{"actor": {"identifier": {"system": "https://finess.esante.gouv.fr", "value": pharmacy}}}],
        "identifier": named(identity, DISPENSATIONS),
    }
    return dispense(code, "2026-10-01", 30) | told | more
