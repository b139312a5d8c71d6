"""What FHIR resources are understood to say, and what of them is passed over."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.services.clinical_facts import Act, Code, Condition, Medicine
from api.services.fhir_forms import Quantity
from api.services.fhir_reading import told_by
from api.services.fhir_times import day_of, days_of, last_of
from models.facts import Document, Reference
from models.vocabulary import Category, CodeSystem
from tests.doubles import fhir

Json = dict[str, Any]
ID = UUID("5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11")
PHYSICIAN, OTHER = "10001234565", "10001234573"
DOCUMENT = Document(ID, "60593-1", Reference("organization", "750000010"), datetime(2026, 10, 1, 23, tzinfo=UTC))
SIGNED = Document(ID, "57833-6", Reference("professional", PHYSICIAN), datetime(2026, 10, 1, 8, tzinfo=UTC))


def medicine(resource: Json, document: Document = DOCUMENT) -> Medicine:
    (told,) = told_by(fhir.encoded(resource), document)
    assert isinstance(told, Medicine)
    return told


def atc(*values: str) -> frozenset[Code]:
    return frozenset(Code(CodeSystem.ATC, value) for value in values)


def test_a_dispensation() -> None:
    """Its code, its name, the days for which it lasts, what names it, who signs the document."""
    told = medicine(fhir.dispense("N02BE01", "2026-10-01", 30, identifier=fhir.named("D1", fhir.DISPENSATIONS)))
    assert told == Medicine(
        Category.DISPENSATION,
        atc("N02BE01"),
        "N02BE01",
        date(2026, 10, 1),
        date(2026, 10, 30),
        ID,
        "organization/750000010",
        None,
        frozenset({"urn:test:dispensation|D1"}),
    )


def test_a_prescription() -> None:
    """The days of its dosage, who asks for it; it names itself and the paper that it stands on."""
    resource = fhir.request(
        "N02BE01", "2026-10-01", "2026-10-10", requester=fhir.by(OTHER), identifier=fhir.named("R1")
    )
    told = medicine(resource | {"groupIdentifier": fhir.named("P1")[0]}, SIGNED)
    names = frozenset({"urn:test:prescription|R1", "urn:test:prescription|P1"})
    assert (told.category, told.begins, told.ends) == (Category.PRESCRIPTION, date(2026, 10, 1), date(2026, 10, 10))
    assert (told.prescriber, told.identifiers, told.prescriptions) == (OTHER, names, names)


def test_who_signs_a_prescription_prescribes() -> None:
    """Where it does not say who asks for it; an organization that signs is nobody who prescribes."""
    resource = fhir.request("N02BE01", "2026-10-01")
    assert [medicine(resource, each).prescriber for each in (SIGNED, DOCUMENT)] == [PHYSICIAN, None]


@pytest.mark.parametrize(
    "changed, ends",
    [
        ({}, None),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 2, "code": "wk"}}}}]}, 14),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 10, "unit": "d"}, "numberOfRepeatsAllowed": 1}}, 20),
        ({"dispenseRequest": {"validityPeriod": {"start": "2026-10-01", "end": "2026-10-12"}}}, 12),
        ({"dispenseRequest": {"validityPeriod": {"end": "2026-09-12"}}}, None),
        (
            {
                "dosageInstruction": [
                    {"timing": {"repeat": {"boundsPeriod": {"start": "2026-10-01", "end": "2026-10-05"}}}},
                    {"timing": {"repeat": {"boundsDuration": {"value": 8, "code": "d"}}}},
                    {"timing": {}},
                    {},
                ]
            },
            8,
        ),
    ],
)
def test_how_long_a_prescription_lasts(changed: Json, ends: int | None) -> None:
    """By its dosage, by what may be handed out, by when it may be; or it does not say."""
    resource = fhir.request("N02BE01", "2026-10-01") | {"dosageInstruction": []} | changed
    assert medicine(resource).ends == (date(2026, 10, ends) if ends else None)


def test_what_a_dispensation_is_for() -> None:
    """The prescription by its name, or by what the document holds of it, with who asked for it."""
    contained = fhir.request("N02BE01", "2026-10-01", id="p", identifier=fhir.named("R1"))
    practitioner = {"resourceType": "Practitioner", "id": "who", "identifier": fhir.named(f"8{OTHER}", fhir.RPPS)}
    resource = fhir.dispense(
        "N02BE01",
        "2026-10-01",
        contained=[contained | {"requester": {"reference": "#who"}}, practitioner],
        authorizingPrescription=[{"reference": "#p"}, {"identifier": fhir.named("R2")[0]}, {"reference": "#none"}],
    )
    told = medicine(resource)
    assert told.prescriptions == frozenset({"urn:test:prescription|R1", "urn:test:prescription|R2"})
    assert told.prescriber == OTHER


def test_a_bundle_refers_to_itself() -> None:
    """By address or by type and id; what it holds beside is no treatment."""
    medication = {"resourceType": "Medication", "id": "m", "code": fhir.concept("N02BE01", "Paracétamol")}
    resource = fhir.request("", "2026-10-01", medicationReference={"reference": "urn:uuid:1"})
    other = fhir.request("", "2026-10-02", medicationReference={"reference": "Medication/m"})
    for each in (resource, other):
        del each["medicationCodeableConcept"]
    whole = fhir.bundle(resource, other, {"resourceType": "Patient"})
    whole["entry"] += [{"fullUrl": "urn:uuid:1", "resource": medication}, {"fullUrl": "urn:uuid:2"}]
    told = told_by(fhir.encoded(whole), DOCUMENT)
    assert [(each.codes, getattr(each, "label", "")) for each in told if not isinstance(each, Condition)] == [
        (atc("N02BE01"), "Paracétamol")
    ] * 2


def test_a_vaccination_is_an_act_and_a_treatment() -> None:
    """What it protects against is in its codes; without a code it is at least a line."""
    told = told_by(fhir.encoded(fhir.vaccination("J07BB02", "2026-10-01")), DOCUMENT)
    day = date(2026, 10, 1)
    given = Category.ADMINISTERED_TREATMENT
    assert told == [
        Medicine(given, atc("J07BB02"), "J07BB02", day, day, ID, "organization/750000010"),
        Act(atc("J07BB02"), day, ID),
    ]
    uncoded = fhir.vaccination("x", "2026-10", vaccineCode={"text": "Grippe"})
    assert [type(each) for each in told_by(fhir.encoded(uncoded), DOCUMENT)] == [Medicine]


def test_a_disease() -> None:
    """By its ICD-10 code, with its point or without."""
    told = [told_by(fhir.encoded(fhir.condition(code)), DOCUMENT) for code in ("E11", "E11.9", "E119")]
    assert told == [[Condition(frozenset({Code(CodeSystem.ICD10, code)}), ID)] for code in ("E11", "E11.9", "E119")]


def test_what_was_given() -> None:
    """On a day, or over some."""
    once = medicine(fhir.administration("N02BE01", "2026-10-01"))
    period = {"effectivePeriod": {"start": "2026-10-01", "end": "2026-10-03"}}
    days = fhir.administration("N02BE01", "") | period
    del days["effectiveDateTime"]
    assert (once.begins, once.ends) == (date(2026, 10, 1), date(2026, 10, 1))
    assert (medicine(days).begins, medicine(days).ends) == (date(2026, 10, 1), date(2026, 10, 3))


@pytest.mark.parametrize(
    "resource",
    [
        fhir.dispense("N02BE01", "2026-10-01", status="cancelled"),
        fhir.dispense("N02BE01", "2026-10-01", status="entered-in-error"),
        fhir.dispense("N02BE01", "2026-10-01", medicationCodeableConcept={}),
        fhir.request("N02BE01", "2026-10-01", status="draft"),
        fhir.request("N02BE01", "2026-10-01", intent="proposal"),
        fhir.request("N02BE01", "2026-10-01", doNotPerform=True),
        fhir.administration("N02BE01", "2026-10-01", status="not-done"),
        fhir.vaccination("J07BB02", "2026-10-01", status="not-done"),
        fhir.condition("E11", clinicalStatus=fhir.concept("resolved")),
        fhir.condition("E11", verificationStatus=fhir.concept("refuted")),
        fhir.condition("diabetes"),
        {"resourceType": "Patient"},
    ],
)
def test_what_was_not_done_is_passed_over(resource: Json) -> None:
    """Cancelled, planned, ruled out, past, of no name, or something else."""
    assert told_by(fhir.encoded(resource), DOCUMENT) == []


def test_a_package_has_its_substance() -> None:
    """By the table of medicines; a code of an unknown system, or of another shape than its system's, is none."""
    known = fhir.dispense("", "2026-10-01", medicationCodeableConcept=fhir.concept("3400935955838", "", fhir.CIP))
    odd = {"coding": [{"system": "urn:x", "code": "N02BE01"}, {"system": fhir.ATC, "code": "paracetamol"}]}
    assert medicine(known).codes == atc("N02BE01") | {Code(CodeSystem.CIP13, "3400935955838")}
    unknown = medicine(fhir.dispense("", "2026-10-01", medicationCodeableConcept=odd | {"text": "Paracétamol"}))
    assert (unknown.codes, unknown.label) == (frozenset(), "Paracétamol")


def test_without_a_day_it_is_the_documents() -> None:
    """As the calendar of Paris has it."""
    told = fhir.dispense("N02BE01", "2026-10-01")
    del told["whenHandedOver"]
    assert medicine(told).begins == date(2026, 10, 2)


def test_nothing_of_it_shows() -> None:
    """A log or a traceback has neither names nor codes."""
    told = repr(medicine(fhir.dispense("N02BE01", "2026-10-01", identifier=fhir.named("D1"))))
    assert not [word for word in ("N02BE01", "D1", "750000010") if word in told]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"resourceType": 1}', b'{"resourceType": "Bundle", "entry": 1}'])
def test_what_is_no_fhir(data: bytes) -> None:
    """Is a ValueError: whoever reads it makes nothing of it."""
    with pytest.raises(ValueError, match=r"JSON is malformed|Expected|truncated"):
        told_by(data, DOCUMENT)


@pytest.mark.parametrize(
    "text, first, last",
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-02-03", date(2026, 2, 3), date(2026, 2, 3)),
        ("2026-02-03T23:30:00Z", date(2026, 2, 4), date(2026, 2, 4)),
        ("2026-02-03T23:30:00", date(2026, 2, 3), date(2026, 2, 3)),
        ("2026-13", None, None),
        ("0001-01-01T00:00:00+14:00", None, None),
        ("yesterday", None, None),
        (None, None, None),
    ],
)
def test_days(text: str | None, first: date | None, last: date | None) -> None:
    """Of a month or a year the first or the last; of an instant the one in Paris."""
    assert (day_of(text), day_of(text, last=True)) == (first, last)


@pytest.mark.parametrize(
    "value, unit, days",
    [("1", "wk", 7), ("0.5", "d", 1), ("3", "mo", 90), ("1", "a", 365), ("12", "h", 1), ("0", "d", None),
     ("-1", "d", None), ("1e9", "d", None), ("11", "a", None), ("1", "cp", None)],
)  # fmt: skip
def test_durations(value: str, unit: str, days: int | None) -> None:
    """In days begun; what is no course of treatment is none."""
    assert days_of(Quantity(Decimal(value), code=unit)) == days


def test_the_last_of_days() -> None:
    """The first counts; there is none where there are no days, or no such day."""
    assert [last_of(date(2026, 10, 1), days) for days in (1, 30, None)] == [date(2026, 10, 1), date(2026, 10, 30), None]
    assert last_of(date.max, 2) is None
