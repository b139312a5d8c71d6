"""Whether a content is FHIR R4: it is, or there is one sentence that says nothing of it."""

import pytest

from api.errors import MalformedRequestError
from api.services.fhir_validation import MOST_BYTES, validated
from tests.doubles import fhir

SECRET = "Zorglub"
SENTENCE = (
    "The content is no FHIR R4 resource in JSON of at most 1024 KiB, of one of the types Bundle, Condition, "
    "Immunization, MedicationAdministration, MedicationDispense, MedicationRequest."
)


@pytest.mark.parametrize(
    "resource",
    [
        fhir.dispense("N02BE01", "2026-10-01", 30, identifier=fhir.named("D1")),
        fhir.request("N02BE01", "2026-10-01", requester=fhir.by("10001234565")),
        fhir.vaccination("J07BB02", "2026-10-01"),
        fhir.administration("N02BE01", "2026-10-01"),
        fhir.condition("E11"),
        fhir.bundle(fhir.dispense("N02BE01", "2026-10-01"), {"resourceType": "Patient"}),
    ],
)
def test_what_is_fhir(resource: fhir.Json) -> None:
    """Each of the types, and a bundle of others too."""
    assert validated(fhir.encoded(resource)) == resource["resourceType"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{",
        b'{"resourceType": "Bundle", "type": "collection", "type": "batch"}',
        fhir.encoded({"resourceType": "Patient"}),
        fhir.encoded({"resourceType": ["Bundle"]}),
        fhir.encoded(fhir.dispense("N02BE01", "2026-10-01", status=None)),
        fhir.encoded(fhir.dispense("N02BE01", "2026-10-01", status=SECRET)),
        fhir.encoded(fhir.request("N02BE01", "2026-10-01", intent=SECRET)),
        fhir.encoded(fhir.bundle(fhir.bundle(fhir.vaccination("J07BB02", "2026-10-01", status=SECRET)))),
        fhir.encoded(fhir.bundle() | {"type": SECRET}),
        fhir.encoded(fhir.dispense("N02BE01", "2026-10-01", zorglub=SECRET)),
        fhir.encoded(fhir.dispense("N02BE01", SECRET)),
        fhir.encoded(fhir.bundle({"resourceType": SECRET})),
        fhir.encoded(fhir.bundle({"resourceType": 5})),
        fhir.encoded(fhir.bundle(fhir.dispense("N02BE01", "2026-10-01", contained=SECRET))),
        b'{"resourceType": "Bundle", "type": "collection", "entry": ' + b"[" * 1000,
        fhir.encoded(fhir.dispense("N02BE01", "2026-10-01")) + b" " * MOST_BYTES,
    ],
)
def test_what_is_none(data: bytes) -> None:
    """The same sentence whatever the fault, and nothing of the content beside it."""
    with pytest.raises(MalformedRequestError) as refused:
        validated(data)
    assert refused.value.sentence == SENTENCE
    assert (refused.value.__cause__, refused.value.__suppress_context__) == (None, True)
