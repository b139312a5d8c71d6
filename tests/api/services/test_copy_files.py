"""The page and the bundle of a copy, made of records."""

import json
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest
from fhir.resources.R4B.bundle import Bundle

from api.services.copies import wording
from api.services.copies.bundle import encode_bundle
from api.services.copies.pages import halves, told
from api.services.manifest import encode_manifest
from tests.api.services.records import AT, DOSSIER, HOSPITAL, a_document, a_record, every_kind
from tests.vault.journal.entries import an_entry

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Read(HTMLParser):
    """A page as a browser reads it: its elements, and whether each was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data


def page_of(*documents: Any, lines: bytes = b"", **changes: Any) -> Read:
    before, after = halves(a_record(*documents, **changes))
    return Read((before + lines + after).decode())


def test_the_page_links_every_file() -> None:
    """By a relative address; nothing on it is fetched from anywhere, and nothing runs."""
    documents = every_kind()
    page = page_of(*documents)
    addresses = [address for _, told_ in page.elements if (address := told_.get("href"))]
    files = {unquote(address) for address in addresses if not address.startswith("#")}
    others = {"dossier.pdf", "manifest.json", "bundle.json", "SHA256SUMS", "journal.jsonl"}
    assert files == {each.path for each in documents if each.path} | others
    assert {address[1:] for address in addresses if address.startswith("#")} <= {
        told_["id"] for _, told_ in page.elements if "id" in told_
    }
    assert {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in page.elements} == set()
    assert [told_["src"] for _, told_ in page.elements if "src" in told_] == []


def test_the_page_can_be_listened_to() -> None:
    """It says its language and its title; tables have headers with a scope, sections a name, headings no gap."""
    page = page_of(*every_kind())
    tags = [tag for tag, _ in page.elements]
    assert dict(page.elements)["html"] == {"lang": "fr"}
    assert {"title", "main", "header", "footer", "nav", "caption"} <= set(tags)
    assert {told_.get("scope") for tag, told_ in page.elements if tag == "th"} == {"col"}
    assert all("aria-labelledby" in told_ for tag, told_ in page.elements if tag == "section")
    levels = [int(tag[1]) for tag in tags if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    "words",
    [
        "Directives anticipées en vigueur\u00a0:",
        "n’est pas en vigueur",
        "contesté, puis maintenu",
        "Réponse\u00a0: Vérifié.",
        "Ce n’est <b>pas</b> mon genou.",
        "archivé",
        "CHU de l’Île-de-France",
        "5,0\u00a0Gio",
        "version 2",
        "<script>alert(1)</script>",
        "Historique de remboursement",
        "ne s’ouvre pas",
        "1er\u00a0octobre\u00a0",
    ],
)
def test_the_page_says(words: str) -> None:
    """What is in force, contested, answered, archived, missing; what others wrote is text and nothing else."""
    assert words in page_of(*every_kind(), a_document(14)).text


def test_a_page_without_documents_or_journal() -> None:
    """It says so, and links no journal."""
    page = page_of(journal=None)
    assert "Aucun document." in page.text
    assert "journal.jsonl" not in page.text


def test_an_entry_is_a_sentence_with_its_moment() -> None:
    """In Paris; one that was erased has neither."""
    line = Read(told(an_entry(reason="<i>urgent</i>", mode="break_glass"), {}).decode())
    assert line.elements[1] == ("time", {"datetime": "2026-11-02T09:30:15Z"})
    assert line.text.startswith("2\u00a0novembre\u00a02026 à 10\u00a0h\u00a030Une personne")
    assert "«\u00a0<i>urgent</i>\u00a0»" in line.text
    assert [tag for tag, _ in Read(told(None, {}).decode()).elements] == ["li"]


def bundle_of(*documents: Any) -> dict[str, Any]:
    """Held to FHIR: R4B has for these resources what R4 has."""
    data = encode_bundle(a_record(*documents))
    Bundle.model_validate_json(data)
    bundle: dict[str, Any] = json.loads(data)
    return bundle


def test_the_bundle_is_fhir() -> None:
    """Of every kind of document, and of none."""
    assert len(bundle_of(*every_kind())["entry"]) == 10
    assert "entry" not in bundle_of()


def test_a_document_is_a_document_reference() -> None:
    """Its file by a relative URL; author and patient by their identifiers in the French systems."""
    document = a_document(3, author=every_kind()[2].author, masked=True)
    (entry,) = bundle_of(document)["entry"]
    resource = entry["resource"]
    assert entry["fullUrl"] == resource["masterIdentifier"]["value"] == document.id.urn
    assert resource["content"][0]["attachment"] == {
        "contentType": "application/pdf",
        "url": "documents/reports/L%E2%80%99%C3%A9t%C3%A9%203.pdf",
        "size": 3_000,
        "title": document.title,
        "creation": "2026-10-12T12:00:00Z",
    }
    assert resource["author"][0]["identifier"] == {"system": "https://finess.esante.gouv.fr", "value": HOSPITAL}
    assert resource["subject"]["identifier"]["value"] == DOSSIER.urn
    assert resource["type"]["coding"][0]["system"] == "http://loinc.org"
    assert [each["coding"][0]["code"] for each in resource["securityLabel"]] == ["N", "MASQUE_PS"]


def test_what_is_past_and_what_is_archived_says_so() -> None:
    """And what replaced it says that it did."""
    entries = {each["resource"]["id"]: each["resource"] for each in bundle_of(*every_kind())["entry"]}
    by_number = {int(identity.replace("-", ""), 16): resource for identity, resource in entries.items()}
    assert by_number[5]["status"] == "superseded"
    assert by_number[4]["relatesTo"] == [{"code": "replaces", "target": {"reference": every_kind()[4].id.urn}}]
    assert [number for number, each in by_number.items() if "extension" in each] == [6]
    assert [number for number, each in by_number.items() if "url" not in each["content"][0]["attachment"]] == [7, 8]
    assert "size" not in by_number[9]["content"][0]["attachment"]  # more than R4's unsignedInt holds
    assert by_number[1]["author"][0]["type"] == "Patient"
    assert by_number[1]["type"]["coding"][0]["system"] == "urn:oid:1.2.250.1.213.1.1.4.12"


def test_the_same_record_has_the_same_bytes() -> None:
    """A copy that was broken off goes on in the same files."""
    record = a_record(*every_kind())
    for write in (encode_bundle, encode_manifest, halves):
        assert write(record) == write(record)


@pytest.mark.parametrize(
    "number,words",
    [(0, "0 octet"), (1, "1 octet"), (1_023, "1023 octets"), (1_536, "1,5 Kio"), (5 * 2**40, "5120,0 Gio")],
)
def test_sizes_are_told_in_the_unit_that_people_read(number: int, words: str) -> None:
    """With a comma, and a space that does not break."""
    assert wording.size(number) == words.replace(" ", "\u00a0")


def test_dates_are_told_in_paris() -> None:
    """Late in the evening in UTC it is the next day there."""
    late = AT.replace(month=6, day=30, hour=23)
    assert (wording.day(late), wording.short_day(late)) == ("1er\u00a0juillet\u00a02026", "01/07/2026")
