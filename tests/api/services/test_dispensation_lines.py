"""Lines of the pharmaceutical record: what is read in one, and what is wrong with others."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.errors import MalformedRequestError
from api.services.dispensation_lines import read_dispensation
from models.identifiers import InvalidIdentifierError
from tests.api.whole import HOSPITAL, INS, NOW, PHARMACY
from tests.doubles import fhir

SECRET, DOSSIER = b"secret", UUID("0b7d5b0e-6f5c-4f0b-9c43-1f6a8c1d2e3f")
LINE = fhir.handed_out(INS, PHARMACY, "D1")


def actor(value: str, system: str = "https://finess.esante.gouv.fr") -> fhir.Json:
    return {"actor": {"identifier": {"system": system, "value": value}}}


def subject(value: str, system: str = "urn:oid:1.2.250.1.213.1.4.8") -> fhir.Json:
    return {"identifier": {"system": system, "value": value}}


@pytest.mark.parametrize(
    "changed, handed_over",
    [
        ({}, "2026-10-01T08:00:00+00:00"),
        ({"whenHandedOver": "2026-10-01"}, "2026-09-30T22:00:00+00:00"),
        ({"performer": [actor(f"1{PHARMACY}", "urn:oid:1.2.250.1.71.4.2.2")]}, "2026-10-01T08:00:00+00:00"),
        ({"performer": [actor("10001234565", fhir.RPPS), actor(PHARMACY)]}, "2026-10-01T08:00:00+00:00"),
        ({"subject": subject(INS, "urn:oid:1.2.250.1.213.1.4.10")}, "2026-10-01T08:00:00+00:00"),
    ],
)
def test_a_line(changed: fhir.Json, handed_over: str) -> None:
    """Whose it is, who handed it out and when, and the resource as it came."""
    data = fhir.encoded(LINE | changed)
    told = read_dispensation(data, NOW)
    assert (told.id, told.ins, told.pharmacy, told.content) == ("D1", INS, PHARMACY, data)
    assert told.handed_over == datetime.fromisoformat(handed_over)


def test_its_document_is_always_the_same() -> None:
    """For one dispensation of one pharmacy to one person, whatever else the line says."""
    told = [
        read_dispensation(fhir.encoded(line), NOW)
        for line in (
            LINE,
            LINE | {"daysSupply": {"value": 8, "code": "d"}},
            LINE | {"identifier": fhir.named("D2", fhir.DISPENSATIONS)},
            LINE | {"performer": [actor(HOSPITAL)]},
        )
    ]
    first, *others = (each.document(SECRET, DOSSIER) for each in told)
    assert [each == first for each in others] == [True, False, False]
    assert told[0].document(SECRET, UUID(int=1)) != first


@pytest.mark.parametrize(
    "changed, sentence",
    [
        ({"resourceType": "Condition"}, "The content is no FHIR R4 resource"),
        ({"status": None}, "The content is no FHIR R4 resource"),
        ({"subject": subject(INS, "urn:x")}, "The member subject has no identifier that is an INS."),
        ({"subject": None}, "The member subject has no identifier that is an INS."),
        ({"performer": []}, "The member performer has no single actor whose identifier is a FINESS."),
        ({"performer": [actor(PHARMACY), actor(HOSPITAL)]}, "The member performer has no single actor"),
        ({"performer": [{"actor": {"display": "Pharmacie"}}]}, "The member performer has no single actor"),
        ({"identifier": []}, "The member identifier has no value of 1 to 100 characters."),
        ({"identifier": fhir.named("x" * 101)}, "The member identifier has no value of 1 to 100 characters."),
        ({"whenHandedOver": None}, "The member whenHandedOver is missing or in the future."),
        ({"whenHandedOver": "2026-10-16"}, "The member whenHandedOver is missing or in the future."),
    ],
)
def test_a_line_that_is_none(changed: fhir.Json, sentence: str) -> None:
    """What is missing is named; nothing of the line is repeated."""
    line = {name: value for name, value in (LINE | changed).items() if value is not None}
    with pytest.raises(MalformedRequestError) as refused:
        read_dispensation(fhir.encoded(line), NOW)
    assert refused.value.sentence.startswith(sentence)


def test_another_resource_is_no_line() -> None:
    """Though it is FHIR."""
    with pytest.raises(MalformedRequestError, match=r"^The line is no MedicationDispense\.$"):
        read_dispensation(fhir.encoded(fhir.condition("E11")), NOW)


@pytest.mark.parametrize("changed", [{"subject": subject("185057800608492")}, {"performer": [actor("750000011")]}])
def test_identifiers_have_their_keys(changed: fhir.Json) -> None:
    """A wrong one is somebody else, or nobody."""
    with pytest.raises(InvalidIdentifierError):
        read_dispensation(fhir.encoded(LINE | changed), NOW)


def test_nothing_of_it_shows() -> None:
    """Neither whose it is nor what it says."""
    told = repr(read_dispensation(fhir.encoded(LINE), datetime(2026, 10, 15, tzinfo=UTC)))
    assert not [word for word in (INS, "D1", "N02BE01") if word in told]
