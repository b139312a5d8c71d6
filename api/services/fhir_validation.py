"""Whether a content is FHIR R4 as HL7 defines it: the only importer of `fhir.resources`.

The library's R4B (4.3.0) is what it offers for R4 (4.0.1); for the resources named here the two have the same elements.
What it says of a fault quotes the content, so nothing of it leaves this module.
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
        _model(kind).model_validate_json(data)
    except (MalformedRequestError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Beside its ValidationError (a ValueError) the library lets these out for types that it does not know.
        raise MalformedRequestError(_FAULT) from None
    return str(kind)


@cache
def _model(kind: str) -> Any:
    """Loaded when the first such content arrives, which takes a quarter of a second."""
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
