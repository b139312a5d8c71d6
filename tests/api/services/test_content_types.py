"""Contents are held to what their type says, however they are cut into pieces."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ContentError, ContentTypeError, OverlongError
from api.services.content_types import CONTENT_TYPES, content_type_of
from api.services.inspecting import inspected

PDF, CDA, XML, TEXT, JSON_TYPE = (
    "application/pdf",
    "application/cda+xml",
    "text/xml",
    "text/plain",
    "application/json",
)
JPEG, PNG, DICOM, FHIR = "image/jpeg", "image/png", "application/dicom", "application/fhir+json"
CLINICAL_DOCUMENT = b'<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id/>%s'
VACCINATION = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"text": "Grippe"},
    "patient": {"display": "-"},
    "occurrenceDateTime": "2026-10-01",
}


async def passes(written: str, content: bytes, size: int = 1 << 16) -> bool:
    """Whether all of it passes, in pieces of a size, as it came."""

    async def pieces() -> AsyncIterator[bytes]:
        for position in range(0, len(content), size):
            yield content[position : position + size]

    try:
        passed = b"".join([piece async for piece in inspected(content_type_of(written), pieces())])
    except ContentError as error:
        return error.reason != "content-mismatch"
    return passed == content


@pytest.mark.parametrize(
    "content_type, content",
    [
        (PDF, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        (CDA, CLINICAL_DOCUMENT % b"</ClinicalDocument>"),
        (CDA, b'<cda:ClinicalDocument xmlns:cda="urn:hl7-org:v3"/>'),
        (XML, CLINICAL_DOCUMENT % b"</ClinicalDocument>\n"),
        (XML, '\ufeff<?xml-stylesheet type="text/xsl" href="cda.xsl"?><été>à&amp;&#233;</été>'.encode()),
        ("application/xml", b"<a/>"),
        (JPEG, b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        (PNG, b"\x89PNG\r\n\x1a\n\x00"),
        (DICOM, bytes(128) + b"DICM\x02\x00"),
        (DICOM, b"II*\x00" * 32 + b"DICM"),
        (TEXT, b""),
        (TEXT, "Température : 38,5 °C 🌡\r\n".encode()),
        (JSON_TYPE, b' {"a": [1, 2.5e3, "\xc3\xa9", null, true]} '),
        (JSON_TYPE, b'"text"'),
        (FHIR, json.dumps(VACCINATION).encode()),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
async def test_what_is_as_its_type_says_passes(content_type: str, content: bytes, size: int) -> None:
    """Byte for byte, in pieces of any size."""
    assert await passes(content_type, content, size)


@pytest.mark.parametrize(
    "content_type, content",
    [
        (PDF, b""),
        (PDF, b"%PDF"),
        (PDF, b" %PDF-1.7"),
        (PDF, b"PK\x03\x04"),
        (PDF, b"<html>%PDF-</html>"),
        (JPEG, b"\xff\xd8\xfe"),
        (JPEG, b"\x89PNG\r\n\x1a\n"),
        (PNG, b"\x89PNG\n\x1a\n"),
        (DICOM, b"DICM"),
        (DICOM, bytes(132)),
        (DICOM, bytes(127) + b"DICM\0"),
        (TEXT, b"a\0b"),
        (TEXT, b"\xe9t\xe9"),
        (TEXT, b"cut \xc3"),
        (TEXT, "utf-16".encode("utf-16")),
        (TEXT, b"\xed\xa0\x80"),
        (XML, b""),
        (XML, b" "),
        (XML, b"no markup"),
        (XML, b"<a>"),
        (XML, b"<a></b>"),
        (XML, b"<a/><a/>"),
        (XML, b"<p:a/>"),
        (XML, b"<a>\xe9</a>"),
        (XML, "<a/>".encode("utf-16")),
        (XML, b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>'),
        (XML, b"<!DOCTYPE html><html/>"),
        (XML, b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'),
        (XML, b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'),
        (XML, b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'),
        (XML, b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]><a/>'),
        (XML, b"<a>&undeclared;</a>"),
        (CDA, b"<ClinicalDocument/>"),
        (CDA, b'<Bundle xmlns="urn:hl7-org:v3"/>'),
        (CDA, CLINICAL_DOCUMENT % b""),
        (JSON_TYPE, b""),
        (JSON_TYPE, b"{"),
        (JSON_TYPE, b"{'a': 1}"),
        (JSON_TYPE, b"[1] [2]"),
        (JSON_TYPE, b'"\xff"'),
        (JSON_TYPE, b"[" * 100_000 + b"]" * 100_000),
        (FHIR, b"{}"),
        (FHIR, b'{"resourceType": "Patient"}'),
        (FHIR, json.dumps(VACCINATION | {"occurrenceDateTime": "in autumn"}).encode()),
        (FHIR, json.dumps(VACCINATION | {"remark": "-"}).encode()),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 16])
async def test_what_is_not_as_its_type_says_does_not(content_type: str, content: bytes, size: int) -> None:
    """Another kind of file, cut short, in another encoding; of XML also whatever reaches beyond the document."""
    assert not await passes(content_type, content, size)


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" * 501 + b"</a>" * 501,
        b"<a>" + b"".join(b"<n%d/>" % number for number in range(20_001)) + b"</a>",
        b"<a>" + b"".join(b'<n xmlns:p%d="u"/>' % number for number in range(20_001)) + b"</a>",
        b'<a b="' + b"x" * (3 << 20) + b'"/>',
    ],
    ids=["depth", "names", "prefixes", "an endless token"],
)
async def test_xml_that_would_fill_the_memory_does_not_pass(content: bytes) -> None:
    """Well-formed as it is: what a reader has to remember of a document is bounded, however long it may be."""
    assert not await passes(XML, content)


async def test_a_long_text_in_xml_is_nothing_to_remember() -> None:
    """A scanned report in base64, as CDA carries it."""
    assert await passes(XML, b"<a>" + b"QUJD" * (1 << 20) + b"</a>")


@pytest.mark.parametrize("name", CONTENT_TYPES)
@given(content=st.binary())
async def test_bytes_that_are_anything_break_nothing(name: str, content: bytes) -> None:
    """They pass or they do not."""
    assert await passes(name, content) in {True, False}


@pytest.mark.parametrize("name, size", [("text/plain", 10), ("application/json", 5), ("application/fhir+json", 1)])
async def test_each_type_has_its_length(name: str, size: int) -> None:
    """The longest passes the limit, and a byte more is told with the limit."""
    seen = 0

    async def pieces(more: bytes) -> AsyncIterator[bytes]:
        for _ in range(size):
            yield b" " * (1 << 20)
        yield more

    async def take() -> None:
        nonlocal seen
        async for piece in inspected(kind, pieces(b" ")):
            seen += len(piece)

    kind = content_type_of(name)
    with pytest.raises(OverlongError, match=rf"A {name.replace('+', '.')} has at most {size} MiB") as caught:
        await take()
    assert (caught.value.reason, seen) == ("too-large", kind.limit)


@pytest.mark.parametrize(
    "written, name",
    [
        ("text/plain", "text/plain"),
        ("Text/Plain", "text/plain"),
        ("text/plain;charset=utf-8", "text/plain"),
        ('text/plain; charset="UTF-8"', "text/plain"),
        ("application/fhir+json; charset=utf-8", "application/fhir+json"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_a_type_is_known_however_it_is_written(written: str, name: str) -> None:
    """In either case; of text it may be said that it is UTF-8, which it is always."""
    assert content_type_of(written).name == name


@pytest.mark.parametrize(
    "written",
    [
        "text/html",
        "application/octet-stream",
        "image/svg+xml",
        "text/plain; charset=iso-8859-1",
        "text/plain; format=flowed",
        "application/pdf; charset=utf-8",
        "",
    ],
)
def test_other_types_are_not_taken(written: str) -> None:
    """Nor another charset; the sentence says what is taken, and does not repeat what was given."""
    with pytest.raises(ContentTypeError) as caught:
        content_type_of(written)
    assert caught.value.reason == "content-type"
    assert "charset" in caught.value.sentence or ", ".join(CONTENT_TYPES) in caught.value.sentence
