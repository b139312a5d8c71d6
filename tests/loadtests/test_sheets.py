"""Sheets and places of whole blocks are what the service itself would pack."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from uuid import UUID

import numpy as np

from loadtests.population import WITHHELD_UNTIL, Document, Dossier, Population
from loadtests.population.facts import relations_of
from loadtests.population.places import BUCKETS, buckets_of, entries_between
from loadtests.population.rows import whereabouts_rows
from loadtests.population.sheets import PERSON, Ids, pack_documents, pack_ties, ties_of
from models import facts, sheets
from models.identifiers import Ins
from models.sheets import DOCUMENT_SIZE, TIE_SIZE, Filed, Version
from models.vocabulary import RelationKind, RepresentationKind, SubjectType
from models.whereabouts import bucket_of, entries_of

POPULATION = Population(400, seed=3)
SECRET = bytes(32)
BLOCK = POPULATION.block(np.arange(POPULATION.dossiers))


def pseudonym(number: int) -> UUID:
    return Ins.parse(POPULATION.dossier(number).ins).pseudonym(SECRET)


def pseudonyms(numbers: list[int]) -> Ids:
    return np.frombuffer(b"".join(pseudonym(number).bytes for number in numbers), dtype="V16")


HOLDERS = pseudonyms(list(range(POPULATION.dossiers)))


def test_ties_are_packed_as_by_models() -> None:
    """Byte for byte, dossier by dossier."""
    ties = ties_of(BLOCK)
    packed = pack_ties(ties, pseudonyms(ties.parties[ties.kinds == PERSON].tolist()))
    counts = np.bincount(ties.owners, minlength=POPULATION.dossiers)
    assert cut(packed, counts, TIE_SIZE) == [
        sheets.pack_ties(relations(dossier), representations(dossier)) for dossier in dossiers()
    ]


def test_documents_are_packed_as_by_models() -> None:
    """Byte for byte, dossier by dossier."""
    packed = pack_documents(BLOCK, HOLDERS)
    assert cut(packed, BLOCK.documents.counts, DOCUMENT_SIZE) == [
        sheets.pack_documents([filed(dossier, document) for document in dossier.documents]) for dossier in dossiers()
    ]


def test_places_are_those_of_models() -> None:
    """Every document is in the bucket where the service looks for it, with its dossier."""
    found = entries_between([(BLOCK, HOLDERS)], 0, BUCKETS)
    buckets: dict[int, set[bytes]] = {}
    for bucket, entry in zip(found.buckets.tolist(), found.entries.tolist(), strict=True):
        buckets.setdefault(bucket, set()).add(b"".join(entry))
    expected = entries_of(
        (document.id, pseudonym(dossier.number)) for dossier in dossiers() for document in dossier.documents
    )
    assert buckets == {bucket: set(cut(each, [1] * (len(each) // 32), 32)) for bucket, each in expected.items()}


def test_ranges_of_buckets_are_parts_of_the_whole() -> None:
    """What is loaded range by range is what would be loaded at once, and each bucket is one row."""
    edges = [0, 1 << 20, 1 << 23, BUCKETS]
    parts = [
        b"".join(whereabouts_rows(*entries_between([(BLOCK, HOLDERS)], first, end))) for first, end in pairwise(edges)
    ]
    assert b"".join(parts) == b"".join(whereabouts_rows(*entries_between([(BLOCK, HOLDERS)], 0, BUCKETS)))


def test_buckets_of_many_ids_are_those_of_each() -> None:
    """Ids of any kind, not random ones alone."""
    ids = [UUID(int=number) for number in (0, 1, 255, 1 << 64, (1 << 128) - 1, 0x0123456789ABCDEF << 37)]
    packed = np.frombuffer(b"".join(each.bytes for each in ids), dtype="V16")
    assert buckets_of(packed).tolist() == [bucket_of(each) for each in ids]


def dossiers() -> list[Dossier]:
    return [POPULATION.dossier(number) for number in range(POPULATION.dossiers)]


def relations(dossier: Dossier) -> list[facts.Relation]:
    return [
        facts.Relation(facts.Reference(party_type, party), RelationKind(kind))
        for party_type, party, kind in relations_of(dossier)
    ]


def representations(dossier: Dossier) -> list[facts.Representation]:
    kinds = {
        RepresentationKind.LEGAL_REPRESENTATIVE: dossier.representative,
        RepresentationKind.CAREGIVER: dossier.caregiver,
    }
    return [facts.Representation(pseudonym(number), kind) for kind, number in kinds.items() if number is not None]


def filed(dossier: Dossier, document: Document) -> Filed:
    kind, party = document.author
    author = facts.Reference(kind, str(pseudonym(dossier.number)) if kind == SubjectType.PERSON else party)
    withheld = WITHHELD_UNTIL if document.withheld else None
    return Filed(
        facts.Document(
            document.id,
            document.document_type,
            author,
            document.created_at,
            document.masked,
            withheld,
            document.hidden_from_representatives,
        ),
        Version(document.id, 1),
    )


def cut(packed: bytes, counts: Iterable[int], size: int) -> list[bytes]:
    edges = accumulate((count * size for count in counts), initial=0)
    return [packed[begin:end] for begin, end in pairwise(edges)]
