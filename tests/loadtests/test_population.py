"""The population is the same for whoever knows its seed."""

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from uuid import UUID

import pytest

from loadtests.population import Population
from models.importing.lines import Reader
from models.vocabulary import RelationKind

SMALL = Population(200, seed=7)


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """A run can be repeated: every byte of the import comes from seed and size."""
    for name in ("one", "two"):
        Population(50, seed=7).write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_seed_gives_another_population() -> None:
    """The seed is what a population is drawn from."""
    assert Population(200, seed=8).dossier(0) != SMALL.dossier(0)


def test_a_dossier_is_computed_by_its_number() -> None:
    """Whoever knows n knows the n-th dossier as the import has it."""
    dossier = SMALL.dossier(137)
    facts = [fact for fact in SMALL.facts() if fact.get("dossier_ins") == dossier.ins]
    documents = {UUID(fact["id"]): fact["masked"] for fact in facts if fact["kind"] == "document"}
    nurses = {fact["professional"] for fact in facts if fact.get("relation") == RelationKind.CARE_TEAM}
    assert (documents, nurses) == (
        {document.id: document.masked for document in dossier.documents},
        set(dossier.nurses),
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
    names = [fact.get("rpps") or fact.get("id") or fact["ins"] for fact in facts if fact["kind"] != "relation"]
    assert len(set(names)) == len(names)


def test_the_stranger_is_tied_to_nothing() -> None:
    """A refusal to him cannot come from a tie of another kind."""
    tied = [
        number
        for number in range(200)
        if (each := SMALL.dossier(number)).stranger in {each.treating_physician, each.blocked, *each.nurses}
    ]
    assert tied == []


@pytest.mark.parametrize("dossiers", [0, -1, 999 * 990 + 1])
def test_sizes_without_sense_are_refused(dossiers: int) -> None:
    """There are as many dossiers as communes and orders tell apart."""
    with pytest.raises(ValueError, match="a population has 1 to"):
        Population(dossiers)
