"""The documents of a copy as other software reads them: a FHIR R4 Bundle of DocumentReference, files by relative URL.

After the French guide PDSm 3.1 (https://interop.esante.gouv.fr/ig/fhir/pdsm) where it goes beyond R4: that a document
is archived, and how its visibility is called. No profile is claimed: PDSm asks for contained resources with names,
which this service does not know. Attachment.hash is left out: in R4 it is SHA-1, and the SHA-256 of each file is in
`SHA256SUMS`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import msgspec

from api.schemas.exports import ExportedDocument
from api.services.copies.record import Record
from api.services.copies.wording import SPACES, iso
from models.facts import Reference
from models.reference import CATEGORIES, DOCUMENT_TYPES
from models.vocabulary import DocumentStatus, Space
from vault.journal.elements import identified, named, string

Json = dict[str, Any]

_LOINC = "http://loinc.org"
_OTHER_TYPES = "urn:oid:1.2.250.1.213.1.1.4.12"
"""TRE_A05-TypeDocComplementaire: the types of document that LOINC does not have."""

_VISIBILITY = "urn:oid:1.2.250.1.213.1.1.4.13"
"""TRE_A07-StatusVisibiliteDocument."""

_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
_LARGEST_SIZE = 2**31 - 1
"""An unsignedInt of R4 holds no more (https://hl7.org/fhir/R4/datatypes.html#unsignedInt)."""


def encode_bundle(record: Record) -> bytes:
    """The file."""
    dossier, documents = record.dossier.id, record.documents
    versions = {(each.series, each.version): each.id for each in documents}
    entries = [
        {"fullUrl": each.id.urn, "resource": _resource(dossier, each, versions.get((each.series, each.version - 1)))}
        for each in documents
    ]
    bundle: Json = {
        "resourceType": "Bundle",
        "identifier": identified(str(uuid5(dossier, iso(record.at)))),
        "type": "collection",
        "timestamp": iso(record.at),
    }
    return msgspec.json.format(msgspec.json.encode(bundle | ({"entry": entries} if entries else {})), indent=2)


def _resource(dossier: UUID, document: ExportedDocument, replaced: UUID | None) -> Json:
    """A document; `replaced` is the version before, if it is in the copy."""
    superseded = document.status == DocumentStatus.SUPERSEDED
    resource: Json = {
        "resourceType": "DocumentReference",
        "id": str(document.id),
        "masterIdentifier": identified(str(document.id)),
        "status": DocumentStatus.SUPERSEDED.value if superseded else DocumentStatus.CURRENT.value,
        "type": {"coding": [_type(document.document_type)], "text": document.label},
        "category": [{"text": words} for words in _categories(document)],
        "subject": {"type": "Patient", "identifier": identified(str(dossier))},
        "date": iso(document.deposited_at or document.created_at),
        "author": [_author(dossier, document)],
        "securityLabel": [{"coding": [coding]} for coding in _labels(document)],
        "content": [{"attachment": _attachment(document)}],
    }
    if document.status == DocumentStatus.ARCHIVED:
        resource["extension"] = [{"url": _ARCHIVED, "valueBoolean": True}]
    if replaced is not None:
        resource["relatesTo"] = [{"code": "replaces", "target": {"reference": replaced.urn}}]
    return resource


def _type(code: str) -> Mapping[str, str]:
    system = _LOINC if code[0].isdecimal() else _OTHER_TYPES
    return {"system": system, "code": code, "display": DOCUMENT_TYPES[code].label_fr}


def _categories(document: ExportedDocument) -> tuple[str, str]:
    return CATEGORIES[DOCUMENT_TYPES[document.document_type].category], SPACES[Space(document.space)]


def _author(dossier: UUID, document: ExportedDocument) -> Json:
    author = document.author
    if author.id == str(dossier):
        return {"type": "Patient", "identifier": identified(author.id)}
    return named(Reference(author.type, author.id))


def _labels(document: ExportedDocument) -> list[Json]:
    labels: list[Json] = [{"system": _CONFIDENTIALITY, "code": "N", "display": "normal"}]
    if document.masked:
        labels.append({"system": _VISIBILITY, "code": "MASQUE_PS"})
    if document.hidden_from_representatives:
        labels.append({"system": _VISIBILITY, "code": "INVISIBLE_REPRESENTANTS_LEGAUX"})
    return labels


def _attachment(document: ExportedDocument) -> Json:
    """The file; of a document without one, its title alone."""
    attachment: Json = {**string("title", document.title or document.label), "creation": iso(document.created_at)}
    if document.path is None:
        return attachment
    attachment |= {"contentType": document.content_type, "url": quote(document.path)}
    if document.size is not None and document.size <= _LARGEST_SIZE:
        attachment["size"] = document.size
    return attachment
