"""What may be deposited: the content types that are taken, how long each may be, and how bytes are held to them.

A content is looked at while it passes, a piece at a time; JSON alone is held until its end, and is short for that.
"""

import asyncio
import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from api.errors import ContentError, ContentTypeError, MalformedRequestError
from api.services import fhir_validation, xml_checking
from vault.documents import MAX_SIZE

MEBIBYTE = 1024 * 1024
_WRITTEN = re.compile(r"(?P<name>[^;\s]+)(\s*;\s*charset=(?P<charset>\S+))?", re.IGNORECASE)
_CDA = xml_checking.root("urn:hl7-org:v3", "ClinicalDocument")
_any_json = msgspec.json.Decoder(msgspec.Raw)


class Check(Protocol):
    """Looks at one content. Either method raises ContentError as soon as it is not what its type says."""

    def take(self, piece: bytes) -> None:
        """The next bytes."""

    async def finish(self) -> None:
        """There are no more."""


@dataclass(frozen=True, slots=True)
class ContentType:
    """A type that is taken, the most bytes that a content of it has, and what looks at one.

    `begins` is a signature and where it stands, of types that have one.
    """

    name: str
    limit: int
    check: Callable[[], Check]
    is_text: bool = False
    begins: tuple[int, bytes] | None = None


class _Signed:
    """Has the bytes by which its kind is known, where they belong."""

    def __init__(self, name: str, offset: int, signature: bytes) -> None:
        self._name = name
        self._offset, self._signature = offset, signature
        self._head = b""

    def take(self, piece: bytes) -> None:
        """See Check."""
        end = self._offset + len(self._signature)
        if len(self._head) < end:
            self._head += piece[: end - len(self._head)]
            if not self._signature.startswith(self._head[self._offset :]):
                raise _mismatch(f"{self._name}: it does not begin like one")

    async def finish(self) -> None:
        """See Check."""
        if len(self._head) < self._offset + len(self._signature):
            raise _mismatch(f"{self._name}: it is too short for one")


class _Text:
    """UTF-8 without the character NUL."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def take(self, piece: bytes) -> None:
        """See Check."""
        self._decode(piece, final=False)
        if b"\0" in piece:
            raise _mismatch("text: it holds the character NUL")

    async def finish(self) -> None:
        """See Check."""
        self._decode(b"", final=True)

    def _decode(self, piece: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise _mismatch("text in UTF-8") from None


class _Xml(_Text):
    """Well-formed to the end, in UTF-8, without document type or entities, under a root if one is given."""

    def __init__(self, root: str | None = None) -> None:
        super().__init__()
        self._reader = xml_checking.XmlCheck(root)
        self._fault = "XML that is taken: well-formed, in UTF-8, without document type or entities"
        if root is not None:
            self._fault += ", with the root ClinicalDocument of CDA"

    def take(self, piece: bytes) -> None:
        """See Check."""
        super().take(piece)
        try:
            self._reader.take(piece)
        except xml_checking.XmlFault:
            raise _mismatch(self._fault) from None

    async def finish(self) -> None:
        """See Check."""
        await super().finish()
        try:
            self._reader.finish()
        except xml_checking.XmlFault:
            raise _mismatch(self._fault) from None


class _Held:
    """Looked at when it is whole, in a thread."""

    def __init__(self, look: Callable[[bytes], object]) -> None:
        self._look = look
        self._content = bytearray()

    def take(self, piece: bytes) -> None:
        """See Check."""
        self._content += piece

    async def finish(self) -> None:
        """See Check."""
        await asyncio.to_thread(self._look, bytes(self._content))


def _json(content: bytes) -> None:
    try:
        content.decode()
        _any_json.decode(content)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise _mismatch("JSON in UTF-8") from None


def _fhir(content: bytes) -> None:
    try:
        fhir_validation.validated(content)
    except MalformedRequestError as error:
        raise ContentError("content-mismatch", error.sentence) from None


def _signed(name: str, limit: int, what: str, offset: int, signature: bytes) -> ContentType:
    return ContentType(name, limit, lambda: _Signed(what, offset, signature), begins=(offset, signature))


def _mismatch(what: str) -> ContentError:
    return ContentError("content-mismatch", f"The content is no {what}.")


# CDA travels as text/xml in the DMP; application/cda+xml is what HL7 registered for it since (IANA, 2021). Signatures:
# ISO 32000-2 7.5.2, ISO/IEC 10918-1 B.1.1.3, RFC 2083 3.1, DICOM PS3.10 7.1. Only DICOM needs what the vault can hold.
CONTENT_TYPES: Mapping[str, ContentType] = {
    kind.name: kind
    for kind in (
        _signed("application/pdf", 500 * MEBIBYTE, "PDF", 0, b"%PDF-"),
        ContentType("application/cda+xml", 50 * MEBIBYTE, lambda: _Xml(_CDA), is_text=True),
        ContentType("application/xml", 50 * MEBIBYTE, _Xml, is_text=True),
        ContentType("text/xml", 50 * MEBIBYTE, _Xml, is_text=True),
        _signed("image/jpeg", 100 * MEBIBYTE, "JPEG", 0, b"\xff\xd8\xff"),
        _signed("image/png", 100 * MEBIBYTE, "PNG", 0, b"\x89PNG\r\n\x1a\n"),
        _signed("application/dicom", MAX_SIZE, "DICOM file", 128, b"DICM"),
        ContentType("text/plain", 10 * MEBIBYTE, _Text, is_text=True),
        ContentType("application/json", 5 * MEBIBYTE, lambda: _Held(_json), is_text=True),
        ContentType(fhir_validation.CONTENT_TYPE, fhir_validation.MOST_BYTES, lambda: _Held(_fhir), is_text=True),
    )
}


def guess(head: bytes) -> str:
    """The type of a content that begins so, for whoever does not say one: it is then held to it like any other."""
    for kind in CONTENT_TYPES.values():
        if kind.begins and head.startswith(kind.begins[1], kind.begins[0]):
            return kind.name
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"<"):
        return "text/xml"
    if text.startswith((b"{", b"[")):
        return fhir_validation.CONTENT_TYPE if b'"resourceType"' in text else "application/json"
    return "text/plain"


def content_type_of(written: str) -> ContentType:
    """The type that is meant. Of texts, which are UTF-8, `charset=utf-8` may be said. Raises ContentTypeError."""
    read = _WRITTEN.fullmatch(written)
    kind = CONTENT_TYPES.get(read["name"].lower()) if read else None
    if read is None or kind is None:
        raise ContentTypeError("content-type", f"The member content_type is none of {', '.join(CONTENT_TYPES)}.")
    if read["charset"] and not (kind.is_text and read["charset"].strip('"').lower() == "utf-8"):
        raise ContentTypeError("content-type", "The only charset that is taken is utf-8, of types that are text.")
    return kind
