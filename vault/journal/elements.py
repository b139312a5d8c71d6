"""Elements of FHIR made of what callers wrote, which may be anything: strings, codes, references by identifier."""

import re
from typing import Any
from uuid import UUID

from models.facts import Reference
from models.vocabulary import ResourceType, SubjectType

Json = dict[str, Any]

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NOT_IN_STRINGS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""https://hl7.org/fhir/R4/datatypes.html#string: no character below 32 but tab, line feed and carriage return."""

_SYSTEMS = {
    SubjectType.PROFESSIONAL.value: "https://rpps.esante.gouv.fr",
    SubjectType.ORGANIZATION.value: "https://finess.esante.gouv.fr",
}
_RESOURCES = {
    SubjectType.PERSON.value: "RelatedPerson",
    SubjectType.PROFESSIONAL.value: "Practitioner",
    SubjectType.ORGANIZATION.value: "Organization",
    ResourceType.DOCUMENT.value: "DocumentReference",
    ResourceType.MESSAGE.value: "Communication",
}
"""What each would be as a resource, were it one that can be asked for."""


def absent(reason: str) -> Json:
    """An element without content that says why (https://hl7.org/fhir/R4/extension-data-absent-reason.html)."""
    return {"extension": [{"url": _ABSENT, "valueCode": reason}]}


def string(name: str, text: str) -> Json:
    """The member of this name, or, for a text that FHIR would call empty, the one that says it is unknown."""
    told = _NOT_IN_STRINGS.sub("\ufffd", text)
    return {name: told} if told.strip() else {f"_{name}": absent("unknown")}


def code(text: str) -> Json:
    """The member `code`: words with one space between them."""
    return string("code", " ".join(_NOT_IN_STRINGS.sub("\ufffd", text).split()))


def named(reference: Reference) -> Json:
    """A reference by identifier alone, of the type that the resource would have."""
    type_ = _RESOURCES.get(reference.type)
    system = _SYSTEMS.get(reference.type)
    told = {"system": system, **string("value", reference.id)} if system else identified(reference.id)
    return ({"type": type_} if type_ else {}) | {"identifier": told}


def identified(text: str) -> Json:
    """An identifier that is a UUID as FHIR writes it; whatever else a caller asked about stays as it is."""
    try:
        return {"system": "urn:ietf:rfc:3986", "value": UUID(text).urn}
    except ValueError:
        return string("value", text)
