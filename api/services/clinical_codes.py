"""Codes as documents write them: which system a code is of, and which substance a package holds.

What is not recognized is no code: a label remains a label.
"""

import re
from collections.abc import Iterable, Mapping

from api.services.clinical_facts import Code
from models.reference.medicines import MEDICINES
from models.vocabulary import CodeSystem

_SHAPES: Mapping[CodeSystem, re.Pattern[str]] = {
    CodeSystem.CIP13: re.compile(r"34009[0-9]{8}"),
    CodeSystem.CCAM: re.compile(r"[A-Z]{4}[0-9]{3}"),
    CodeSystem.LPP: re.compile(r"[0-9]{7}"),
    CodeSystem.NGAP: re.compile(r"[A-Z]{1,5}"),
    CodeSystem.ATC: re.compile(r"[A-Z](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?"),
    CodeSystem.ICD10: re.compile(r"[A-Z][0-9]{2}(?:\.?[0-9A-Z+]{1,4})?"),
}
_REIMBURSED = (CodeSystem.CIP13, CodeSystem.CCAM, CodeSystem.LPP, CodeSystem.NGAP)

# FHIR's own address where it has one, the OID of the CI-SIS, the address at the French terminology server.
_FHIR: Mapping[str, CodeSystem] = {
    "http://www.whocc.no/atc": CodeSystem.ATC,
    "urn:oid:2.16.840.1.113883.6.73": CodeSystem.ATC,
    "https://smt.esante.gouv.fr/terminologie-atc": CodeSystem.ATC,
    "urn:oid:1.2.250.1.213.2.3.2": CodeSystem.CIP13,
    "https://smt.esante.gouv.fr/terminologie-cip_ucd": CodeSystem.CIP13,
    "https://smt.esante.gouv.fr/terminologie-bdpm": CodeSystem.CIP13,
    "http://hl7.org/fhir/sid/icd-10": CodeSystem.ICD10,
    "urn:oid:2.16.840.1.113883.6.3": CodeSystem.ICD10,
    "https://smt.esante.gouv.fr/terminologie-cim-10": CodeSystem.ICD10,
}


def fhir_code(system: str | None, value: str | None) -> Code | None:
    """A code as FHIR writes it; None for systems of which nothing is made here, or a value that is no code of it."""
    known = _FHIR.get((system or "").rstrip("/"))
    return None if known is None or value is None else _code(known, value.strip().upper())


def reimbursed_code(value: str) -> Code | None:
    """A code of the fund's feed, which does not say its system: the four that it has are told by their shapes."""
    return next((code for system in _REIMBURSED if (code := _code(system, value))), None)


def with_substances(codes: Iterable[Code]) -> frozenset[Code]:
    """These, and the substance of each package that the table of medicines knows."""
    given = frozenset(codes)
    known = (MEDICINES.get(code.value) for code in given if code.system is CodeSystem.CIP13)
    return given | {Code(CodeSystem.ATC, medicine.atc) for medicine in known if medicine}


def _code(system: CodeSystem, value: str) -> Code | None:
    return Code(system, value) if _SHAPES[system].fullmatch(value) else None
