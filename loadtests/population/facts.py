"""A population as `dmp import` takes it: the directory, then dossier by dossier."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loadtests.population.directory import Directory
from loadtests.population.documents import WITHHELD_UNTIL
from loadtests.population.dossiers import Document, Dossier
from models.vocabulary import RelationKind, RepresentationKind, SubjectType

Fact = Mapping[str, Any]


def directory_facts(directory: Directory) -> Iterator[Fact]:
    """Structures and professionals, and the staff of the former."""
    for structure in directory.structures():
        yield {"kind": "organization", "id": structure.id, "type": structure.kind, "name": structure.name}
    for each in directory.professionals():
        yield {
            "kind": "professional",
            "rpps": each.rpps,
            "profession": each.profession,
            "samu_regulator": each.samu_regulator,
            "organizations": [each.organization] if each.organization else [],
        }
    for identity, hospital in directory.staff():
        yield {"kind": "staff", "id": identity, "organization": hospital}


def dossier_facts(dossier: Dossier, guardian_ins: str | None) -> Iterator[Fact]:
    """The dossier, who is tied to it and its documents; the INS is that of the representative or caregiver, if any."""
    yield {
        "kind": "dossier",
        "ins": dossier.ins,
        "state": "open",
        "born": dossier.born.isoformat(),
        "care_team_consent": dossier.consents,
        "refuses_break_glass": dossier.refuses_break_glass,
        "refuses_centre_15": dossier.refuses_centre_15,
        "masked_in_emergency": dossier.masked_in_emergency,
    }
    for party_type, party, kind in relations_of(dossier):
        yield {"kind": "relation", "dossier_ins": dossier.ins, party_type: party, "relation": kind}
    if guardian_ins is not None:
        child = dossier.representative is not None
        kind = RepresentationKind.LEGAL_REPRESENTATIVE if child else RepresentationKind.CAREGIVER
        yield {"kind": "representation", "dossier_ins": dossier.ins, "person_ins": guardian_ins, "as": kind}
    for document in dossier.documents:
        yield _document_fact(dossier, document)


def relations_of(dossier: Dossier) -> Iterator[tuple[str, str, str]]:
    """Of professionals and organizations: kind of party, party, and kind of relation."""
    professional, organization = SubjectType.PROFESSIONAL.value, SubjectType.ORGANIZATION.value
    for nurse in dossier.nurses:
        yield professional, nurse, RelationKind.CARE_TEAM.value
    for hospital in dossier.hospitals:
        yield organization, hospital, RelationKind.CARE_TEAM.value
    others = (
        (professional, dossier.treating_physician, RelationKind.TREATING_PHYSICIAN),
        (professional, dossier.specialist, RelationKind.GRANTED),
        (professional, dossier.blocked, RelationKind.BLOCKED),
        (organization, dossier.pharmacy, RelationKind.GRANTED),
    )
    yield from ((party_type, party, kind.value) for party_type, party, kind in others if party is not None)


def write(facts: Iterable[Fact], path: Path) -> int:
    """One fact a line (NDJSON); how many."""
    lines = 0
    with path.open("w", encoding="utf-8") as file:
        for lines, fact in enumerate(facts, 1):  # noqa: B007 - counted
            file.write(json.dumps(fact, ensure_ascii=False, separators=(",", ":")) + "\n")
    return lines


def _document_fact(dossier: Dossier, document: Document) -> Fact:
    author_type, author = document.author
    return {
        "kind": "document",
        "id": str(document.id),
        "dossier_ins": dossier.ins,
        "document_type": document.document_type,
        "author": {"type": author_type, "ins" if author_type == SubjectType.PERSON else "id": author},
        "created_at": document.created_at.isoformat(),
        "masked": document.masked,
        "withheld_until": WITHHELD_UNTIL.isoformat() if document.withheld else None,
        "hidden_from_representatives": document.hidden_from_representatives,
    }
