"""The population is the same for whoever knows its seed, one dossier at a time or thousands together."""

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from statistics import mean
from uuid import UUID

import numpy as np
import pytest

import policy
from loadtests.population import FUND, Dossier, Population
from loadtests.population.directory import HOSPITALS
from loadtests.population.documents import TYPES
from loadtests.population.facts import relations_of
from loadtests.population.numbering import DEPARTMENT_CODES, MOST_DOSSIERS
from loadtests.population.people import NOBODY
from loadtests.profile import AGES, DEPARTMENTS, DOCUMENT_TYPES, POPULATION
from models.identifiers import Ins, parse_organization, parse_rpps
from models.importing.lines import Reader
from models.reference.departments import DEPARTMENTS as REAL_DEPARTMENTS
from policy.habilitations import read_habilitations

SMALL = Population(200, seed=7)
COUNTRY = Population(40_000_000)
SAMPLE = COUNTRY.block(np.arange(0, 40_000_000, 800))
"""50,000 dossiers, spread over the whole."""


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """A run can be repeated: every byte of the import comes from seed and size."""
    for name in ("one", "two"):
        Population(50, seed=7).write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_seed_gives_another_population() -> None:
    """The seed is what a population is drawn from."""
    assert Population(200, seed=8).dossier(0) != SMALL.dossier(0)


def test_a_dossier_is_what_it_always_was() -> None:
    """Databases that were seeded go on being those of their seed."""
    dossier = COUNTRY.dossier(31_415_926)
    assert (dossier.ins[:7], dossier.department, str(dossier.documents[0].id)) == (
        "2870901",
        "01",
        "34d01aba-33f7-4413-910f-7f8188eb28cf",
    )


@pytest.mark.parametrize("first", [0, 8_990, 39_999_000, 64_999_000])
def test_a_block_is_what_its_dossiers_are(first: int) -> None:
    """Whoever computes a thousand together and whoever computes one agree."""
    population = Population(MOST_DOSSIERS)
    block = population.block(np.arange(first, first + 1_000))
    for at in (0, 1, 500, 999):
        alone = population.block(np.array([first + at]))
        of_this = block.documents.owners == at
        together = (
            block.births.ins()[at],
            block.births.days()[at],
            *(block.nurses[at].tolist()),
            *(block.hospitals[at].tolist()),
            *(block.specialists[at].tolist()),
            *(column[at] for column in (block.practitioner, block.granted_pharmacy, block.laboratory, block.guardian)),
            *(column[at] for column in (block.consents, block.refuses_break_glass, block.masked_in_emergency)),
            block.documents.ids()[of_this].tobytes(),
            *(column[of_this].tobytes() for column in (block.documents.created, block.documents.types)),
        )
        one = (
            alone.births.ins()[0],
            alone.births.days()[0],
            *(alone.nurses[0].tolist()),
            *(alone.hospitals[0].tolist()),
            *(alone.specialists[0].tolist()),
            *(column[0] for column in (alone.practitioner, alone.granted_pharmacy, alone.laboratory, alone.guardian)),
            *(column[0] for column in (alone.consents, alone.refuses_break_glass, alone.masked_in_emergency)),
            alone.documents.ids().tobytes(),
            *(column.tobytes() for column in (alone.documents.created, alone.documents.types)),
        )
        assert together == one


def test_a_dossier_is_computed_by_its_number() -> None:
    """Whoever knows n knows the n-th dossier as the import has it."""
    dossier = SMALL.dossier(137)
    facts = [fact for fact in SMALL.facts() if fact.get("dossier_ins") == dossier.ins]
    documents = {UUID(fact["id"]): fact["masked"] for fact in facts if fact["kind"] == "document"}
    relations = {
        (next(kind for kind in ("professional", "organization") if kind in fact), fact["relation"])
        for fact in facts
        if fact["kind"] == "relation"
    }
    assert (documents, relations) == (
        {document.id: document.masked for document in dossier.documents},
        {(party_type, kind) for party_type, _, kind in relations_of(dossier)},
    )


def test_the_number_of_facts_is_told(tmp_path: Path) -> None:
    """What `write` says is the number of lines."""
    lines = SMALL.write(tmp_path / "facts")
    assert lines == len((tmp_path / "facts").read_text().splitlines())


def test_every_fact_can_be_imported() -> None:
    """Shapes, words and control keys are those that `dmp import` takes."""
    reader = Reader(lambda ins: ins.pseudonym(bytes(32)))
    lines = (json.dumps(fact).encode() for fact in SMALL.facts())
    rows = list(chain.from_iterable(reader.rows(number, line) for number, line in enumerate(lines, 1)))
    assert Counter(table for table, _ in rows)["dossier"] == 200


def test_nobody_is_there_twice() -> None:
    """Persons, professionals and documents are told apart by their identifiers."""
    facts = list(SMALL.facts())
    kinds = {"professional", "organization", "staff", "dossier", "document"}
    names = [fact.get("rpps") or fact.get("id") or fact["ins"] for fact in facts if fact["kind"] in kinds]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("same", [0, 17, 8_990])
def test_nobody_shares_an_ins(same: int) -> None:
    """Of all those up to the most who share commune and order, no two share year, month, department and sex."""
    births = Population(MOST_DOSSIERS).block(np.arange(same, MOST_DOSSIERS, 9 * 999)).births
    given = births.ins()
    assert len(np.unique(given)) == len(given) > 7_000


def test_documents_are_told_apart() -> None:
    """Ids are random: none is there twice among 350,000, and all are UUIDs of version 4."""
    ids = SAMPLE.documents.ids().tolist()
    versions = {(UUID(bytes=identity).version, UUID(bytes=identity).variant) for identity in ids[::1000]}
    assert (len(set(ids)), versions) == (len(ids), {(4, "specified in RFC 4122")})


def test_control_keys_are_right() -> None:
    """Every INS, RPPS and FINESS is one that the service takes."""
    insured = [Ins.parse(ins.decode()) for ins in SAMPLE.births.ins()[::10].tolist()]
    professionals = list(COUNTRY.directory.professionals())
    structures = list(COUNTRY.directory.structures())
    told = [parse_rpps(each.rpps) for each in professionals[::100]]
    held = [parse_organization(each.id) for each in structures]
    assert len(insured) > 0 < len(told)
    assert len({each.rpps for each in professionals}) == len(professionals)
    assert len(set(held)) == len(structures)


def test_communes_are_nobodys() -> None:
    """No department has communes from 991 on, nor is there an overseas department that begins so."""
    assert {ins[7:9] for ins in SAMPLE.births.ins().tolist()} == {b"99"}


def test_departments_are_those_that_there_are() -> None:
    """Those overseas are taken together."""
    assert set(DEPARTMENT_CODES) == {code for code in REAL_DEPARTMENTS if not code.startswith("97")} | {"97"}


@pytest.mark.parametrize(
    "figure, share",
    [
        ("dossiers with a treating physician", SAMPLE.practitioner != NOBODY),
        ("dossiers whose holder consents to the care team", SAMPLE.consents),
        ("dossiers with somebody blocked", SAMPLE.specialists[:, 1] != NOBODY),
        ("dossiers with a specialist whom the holder let in", SAMPLE.specialists[:, 0] != NOBODY),
        ("dossiers with a pharmacy that the holder let in", SAMPLE.granted_pharmacy != NOBODY),
        ("dossiers that refuse break-glass", SAMPLE.refuses_break_glass),
        ("documents masked", SAMPLE.documents.masked[SAMPLE.documents.ordinals > 0]),
        ("documents hidden from representatives", SAMPLE.documents.hidden),
    ],
)
def test_a_sample_has_the_share_of_the_profile(figure: str, share: np.ndarray) -> None:
    """Within four standard deviations."""
    expected = POPULATION[figure].value
    assert abs(share.mean() - expected) < 4 * (expected * (1 - expected) / len(share)) ** 0.5


def test_documents_are_few_mostly_and_many_sometimes() -> None:
    """The mean is the profile's; half of the dossiers have three or fewer, some have hundreds."""
    counts = SAMPLE.documents.counts
    assert abs(counts.mean() - POPULATION["documents a dossier, mean"].value) < 0.3
    assert counts.min() == 1
    assert np.median(counts) <= 4
    assert counts.max() > 300


def test_ages_departments_and_types_are_those_of_the_profile() -> None:
    """Each share is within a hundredth of what the sources say."""
    drawn = (
        (np.bincount(SAMPLE.births.age // 5), AGES),
        (np.bincount(SAMPLE.births.department), DEPARTMENTS),
        (np.bincount(SAMPLE.documents.types), DOCUMENT_TYPES),
    )
    for counts, weights in drawn:
        expected = np.array(list(weights.values.values())) / sum(weights.values.values())
        assert abs(counts / counts.sum() - expected).max() < 0.01


def test_few_hospitals_have_many_dossiers() -> None:
    """A tenth of them has half of all."""
    counts = np.sort(np.unique(SAMPLE.hospital, return_counts=True)[1])[::-1]
    assert 0.4 < counts[: COUNTRY.directory.size(HOSPITALS) // 10].sum() / counts.sum() < 0.7


def test_every_type_is_open_to_those_who_ask() -> None:
    """What physicians, nurses and pharmacists are refused is never refused for the type of document."""
    matrix = read_habilitations(Path(policy.__file__).with_name("habilitations.csv"))
    closed = [
        (profession, code)
        for profession in ("physician", "nurse", "pharmacist")
        for code in TYPES
        if not matrix.opens(profession, code)
    ]
    assert closed == []


def test_the_stranger_is_tied_to_nothing() -> None:
    """A refusal to him cannot come from a tie of another kind."""
    tied = [number for number in range(200) if SMALL.dossier(number).stranger in _parties(SMALL.dossier(number))]
    assert tied == []


def test_authors_are_none_whom_a_mask_concerns() -> None:
    """An author sees his masked document: so none is a nurse's, a specialist's or a pharmacist's."""
    dossiers = [SMALL.dossier(number) for number in range(200)]
    others = [
        document.author
        for dossier in dossiers
        for document in dossier.documents
        if document.author
        not in {
            ("professional", dossier.treating_physician),
            ("organization", dossier.usual_hospital),
            ("organization", dossier.laboratory),
            ("organization", dossier.usual_pharmacy),
            ("organization", FUND),
            ("person", dossier.ins),
        }
    ]
    assert others == []


def test_representatives_are_adults_and_children_are_young() -> None:
    """Whoever is said to represent somebody is one of the population, of age, and not the child himself."""
    dossiers = [SMALL.dossier(number) for number in range(200)]
    children = [each for each in dossiers if each.representative is not None]
    parents = [SMALL.dossier(each.representative) for each in children if each.representative is not None]
    assert mean(child.born.year for child in children) > 2009 < min(child.born.year for child in children) + 1
    assert max(parent.born.year for parent in parents) <= 2007


def test_colleagues_exercise_where_they_are_said_to() -> None:
    """Whoever asks for one of a hospital or a pharmacy gets one whom the directory has there."""
    exercise = {each.rpps: each.organization for each in SMALL.directory.professionals()}
    for number in range(50):
        dossier = SMALL.dossier(number)
        for hospital in dossier.hospitals:
            assert exercise[SMALL.hospital_physician(hospital, number)] == hospital
            assert exercise[SMALL.hospital_nurse(hospital, number)] == hospital
        assert exercise[SMALL.pharmacist(dossier.usual_pharmacy, number)] == dossier.usual_pharmacy


@pytest.mark.parametrize("dossiers", [0, -1, MOST_DOSSIERS + 1])
def test_sizes_without_sense_are_refused(dossiers: int) -> None:
    """There are as many dossiers as numbers tell apart."""
    with pytest.raises(ValueError, match="a population has 1 to"):
        Population(dossiers)


def _parties(dossier: Dossier) -> set[str]:
    return {party for _, party, _ in relations_of(dossier)}
