"""The trace as callers read it: lines with their sentences, or FHIR."""

import jsonschema
import pytest

from tests.api.whole import HOLDER, NURSE, PHYSICIAN, TREATING, Json, Whole
from tests.vault.journal.balp import FACTS, PROFILES, faults
from tests.vault.journal.fhir_r4 import hold_bundle_to_r4

FHIR, JSON = "application/fhir+json", "application/json"
BY_PHYSICIAN = f"(médecine, RPPS\u00a0{PHYSICIAN})"


async def texts(dmp: Whole) -> list[Json]:
    return [entry["text"] for entry in await dmp.journal()]


async def test_each_line_is_told_in_words(dmp: Whole) -> None:
    """What was done and what was refused, with the sentence of the rule that refused it."""
    document = await dmp.deposit()
    await dmp.http.get(f"/v1/documents/{document}", headers=dmp.headers(TREATING))
    await dmp.change(document, masked=True)
    await dmp.http.get(f"/v1/documents/{document}", headers=dmp.headers(f"professional/{NURSE}"))
    refused, masked, read, deposited = await texts(dmp)
    assert deposited["fr"] == (
        f"Une personne exerçant une profession de santé {BY_PHYSICIAN} a ajouté un document au dossier."
    )
    assert read["en"] == f"A health professional (physician, RPPS {PHYSICIAN}) read a document of the dossier."
    assert masked == {
        "fr": "La personne titulaire du dossier a masqué un document du dossier.",
        "en": "The holder of the dossier masked a document of the dossier.",
    }
    assert refused["en"].endswith("the request was refused: “The patient masked this document.”")
    assert refused["fr"].endswith("la demande a été refusée\u00a0: «\u00a0Le patient a masqué ce document.\u00a0»")


async def test_a_listing_is_told_with_the_number_of_its_documents(dmp: Whole) -> None:
    """Whoever lists documents sees as many as the sentence says."""
    await dmp.deposit()
    await dmp.deposit()
    await dmp.get("/documents", TREATING)
    assert (await texts(dmp))[0]["en"].endswith("looked at the list of the dossier’s documents (2 documents).")


async def test_what_did_not_open_is_told(dmp: Whole) -> None:
    """No rule refused it, and the sentence says what did."""
    document = await dmp.deposit()
    await dmp.tamper(document)
    await dmp.http.get(f"/v1/documents/{document}/content", headers=dmp.headers(HOLDER))
    assert (await texts(dmp))[0]["fr"].endswith("«\u00a0Ce qui est conservé du document ne s’ouvre pas.\u00a0»")


async def test_a_page_of_fhir_is_valid(dmp: Whole) -> None:
    """Each event by R4 and by the profile that it names; the pages follow one another by their links."""
    document = await dmp.deposit()
    await dmp.change(document, masked=True)
    await dmp.get("/documents", TREATING)
    await dmp.get("/accesses", f"professional/{NURSE}")
    read: list[str] = []
    address: str | None = dmp.path("/journal?after=1000&limit=2")
    while address:
        answer = await dmp.http.get(address, headers=dmp.headers(HOLDER, Accept=FHIR))
        assert answer.headers["Content-Type"] == FHIR
        bundle = answer.json()
        hold_bundle_to_r4(bundle)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert links["self"] == address
        address = links.get("next")
        for entry in bundle["entry"]:
            for profile in entry["resource"].get("meta", {}).get("profile", []):
                assert faults(entry["resource"], FACTS[profile.removeprefix(PROFILES)]) == []
                read.append(profile.removeprefix(f"{PROFILES}Patient"))
    assert read == ["Query", "Query", "Update", "Create"]  # the refusal between them names no profile


@pytest.mark.parametrize(
    "accept,expected",
    [
        (FHIR, FHIR),
        (f"{FHIR}; fhirVersion=4.0", FHIR),
        (f"{JSON};q=0.5, {FHIR}", FHIR),
        (f"{FHIR};q=0.5, {JSON}", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html", JSON),
        ("", JSON),
        (";q=,/", JSON),
    ],
)
async def test_the_form_is_what_the_caller_prefers(dmp: Whole, accept: str, expected: str) -> None:
    """FHIR if it is preferred, else plain JSON; caches are told that it depends."""
    answer = await dmp.http.get(dmp.path("/journal"), headers=dmp.headers(HOLDER, Accept=accept))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, expected)
    assert answer.headers["Vary"] == "accept"
    assert ("entry" if expected == FHIR else "entries") in answer.json()


async def test_the_page_says_where_it_stands(dmp: Whole) -> None:
    """Its own address as it was asked for, also without parameters."""
    answer = await dmp.http.get(dmp.path("/journal"), headers=dmp.headers(HOLDER, Accept=FHIR))
    assert answer.json()["link"] == [{"relation": "self", "url": dmp.path("/journal")}]


async def test_the_example_is_what_the_schema_says(dmp: Whole) -> None:
    """The page shown in the description of the service is one that it could answer."""
    document = (await dmp.http.get("/schema/openapi.json")).json()
    operation = document["paths"]["/v1/dossiers/{dossier}/journal"]["get"]
    content = operation["responses"]["200"]["content"][JSON]
    (example,) = content["examples"].values()
    validator = jsonschema.Draft202012Validator(content["schema"] | {"components": document["components"]})
    validator.validate(example["value"])
    assert {"fr", "en"} == set(example["value"]["entries"][0]["text"])
