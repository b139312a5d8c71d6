"""Whether a deposited content is FHIR R4 as HL7 defines it.

`fhir.resources` has R4B (4.3.0) for R4 (4.0.1): they differ in the definitions of medicinal products, in evidence and
in subscriptions (hl7.org/fhir/R4B/history.html), and are the same for the resources named here. It does not enforce
the codes that a value set closes, so those of the resources themselves are checked here. What it says of a fault
quotes the content: nothing of that leaves this module.
"""

from functools import cache
from importlib import import_module
from typing import Any

from api.errors import MalformedRequestError
from api.strict_json import parse_object

CONTENT_TYPE = "application/fhir+json"
MOST_BYTES = 1024 * 1024
"""Of a structured document: what is longer is neither deposited nor read."""

_KINDS = ("Bundle", "Condition", "Immunization", "MedicationAdministration", "MedicationDispense", "MedicationRequest")
_FAULT = (
    f"The content is no FHIR R4 resource in JSON of at most {MOST_BYTES // 1024} KiB, "
    f"of one of the types {', '.join(_KINDS)}."
)


def validated(data: bytes) -> str:
    """The type of the resource that a content is, every element checked; about 25 ms for a hundred of a bundle.

    Raises MalformedRequestError, with one sentence whatever the fault. Call it in a thread.
    """
    try:
        if len(data) > MOST_BYTES:
            raise ValueError
        kind = parse_object(data).get("resourceType")
        if kind not in _KINDS:
            raise ValueError
        _check_words(_model(kind).model_validate_json(data))
    except (MalformedRequestError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Beside its ValidationError (a ValueError) the library lets these out for types that it does not know.
        raise MalformedRequestError(_FAULT) from None
    return str(kind)


def _check_words(resource: Any) -> None:
    """Status, intent, type: of a resource, and of each in a bundle. Raises ValueError."""
    for name, described in type(resource).model_fields.items():
        allowed = (described.json_schema_extra or {}).get("enum_values")
        if allowed and isinstance(word := getattr(resource, name), str) and word not in allowed:
            raise ValueError
    for each in getattr(resource, "entry", None) or ():
        if getattr(each, "resource", None) is not None:
            _check_words(each.resource)


@cache
def _model(kind: str) -> Any:
    """Loaded when the first such content arrives, which takes a quarter of a second."""
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
