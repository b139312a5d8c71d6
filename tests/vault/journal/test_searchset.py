"""Pages of the journal as FHIR R4 Bundles."""

from tests.vault.journal.entries import DOSSIER, an_entry
from tests.vault.journal.fhir_r4 import hold_bundle_to_r4
from vault.journal.fhir import audit_event
from vault.journal.searchset import searchset

HERE = f"/v1/dossiers/{DOSSIER}/journal"


def test_a_page_is_a_searchset() -> None:
    """Entries in their order, each an AuditEvent that tells its number, and the address of the next page."""
    read, refused = an_entry(), an_entry(allowed=False, rule="masked")
    bundle = searchset([(8, refused), (5, read)], {"self": HERE, "next": f"{HERE}?after=5"})
    hold_bundle_to_r4(bundle)
    assert bundle["link"] == [{"relation": "self", "url": HERE}, {"relation": "next", "url": f"{HERE}?after=5"}]
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == [f"{DOSSIER}-8", f"{DOSSIER}-5"]
    assert [entry["search"] for entry in bundle["entry"]] == [{"mode": "match"}] * 2
    assert bundle["entry"][1]["resource"] == audit_event(read) | {"id": f"{DOSSIER}-5"}


def test_an_entry_has_the_same_address_on_every_page() -> None:
    """Readers recognise what they have read already."""
    first, again = (searchset([(number, an_entry())], {"self": HERE})["entry"][0]["fullUrl"] for number in (7, 7))
    other = searchset([(8, an_entry())], {"self": HERE})["entry"][0]["fullUrl"]
    assert first == again
    assert first != other


def test_a_page_without_entries() -> None:
    """Nothing to show, or nothing but what was erased: FHIR has no empty lists."""
    bundle = searchset([], {"self": HERE})
    hold_bundle_to_r4(bundle)
    assert "entry" not in bundle
