"""Packages of medicine and known interactions: what the files say, and how strictly they are read."""

from importlib.resources import files
from pathlib import Path

import pytest

from models import reference
from models.reference import ReferenceDataError, interactions, medicines
from models.vocabulary import InteractionLevel

MEDICINES = "cip13,atc,label,source,year\n"
MEDICINE = "3400935955838,N02BE01,Doliprane,BDPM,2026\n"
INTERACTIONS = "atc_a,label_a,atc_b,label_b,level,source,year\n"
INTERACTION = "M04AC01,Colchicine,J01FA09,Clarithromycine,contraindicated,ANSM,2020\n"


def test_every_row_of_the_files_is_loaded() -> None:
    """As many entries as lines after the first; all four levels are in use, and each row says who and when."""
    for name, table in (("medicines", medicines.MEDICINES), ("interactions", interactions.INTERACTIONS)):
        lines = files(reference).joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert len(table) == len(lines) - 1
    assert {each.level for each in interactions.INTERACTIONS.values()} == set(InteractionLevel)
    assert {each.source for each in medicines.MEDICINES.values()} == {"BDPM"}


def test_the_coverage_is_of_the_file() -> None:
    """What is told beside every answer: pairs, codes, and from which year."""
    assert interactions.coverage_of(interactions.INTERACTIONS) == interactions.COVERAGE
    assert interactions.COVERAGE.pairs == len(interactions.INTERACTIONS)
    assert interactions.COVERAGE.sources == (("ANSM, Thesaurus des interactions médicamenteuses", 2020),)


@pytest.mark.parametrize(
    "rows, message",
    [
        (MEDICINE.replace("5838", "5839"), "2: cip13 is no CIP13"),
        (MEDICINE.replace("34009", "34008"), "2: cip13 is no CIP13"),
        (MEDICINE.replace("N02BE01", "N02BE"), "2: atc is no ATC code of level 5"),
        (MEDICINE.replace("2026", "26"), "2: year is no year"),
        (MEDICINE.replace("BDPM", ""), "2: source is empty"),
        (MEDICINE * 2, "3: 3400935955838 stands here for the second time"),
        ("", " without a single row"),
    ],
)
def test_medicines_are_loaded_strictly(tmp_path: Path, rows: str, message: str) -> None:
    """Whatever is not exactly as expected is refused with file and line; a CIP13 has its key."""
    (tmp_path / "medicines.csv").write_text(MEDICINES + rows, encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=rf"^medicines\.csv:{message}"):
        medicines.load(tmp_path)


@pytest.mark.parametrize(
    "rows, message",
    [
        (INTERACTION.replace("M04AC01", "M04A"), "2: atc_a is no ATC code of level 4 or 5"),
        (INTERACTION.replace("J01FA09", "J01FA0"), "2: atc_b is no ATC code of level 4 or 5"),
        (INTERACTION.replace("J01FA09", "M04AC"), "2: atc_a and atc_b are not two"),
        (INTERACTION.replace("M04AC01", "J01FA09"), "2: atc_a and atc_b are not two"),
        (INTERACTION.replace("contraindicated", "forbidden"), "2: 'forbidden' is no InteractionLevel"),
        (INTERACTION.replace("2020", "1920"), "2: year is no year"),
        (INTERACTION.replace("ANSM", ""), "2: source is empty"),
        (INTERACTION + "J01FA09,a,M04AC01,b,precaution,ANSM,2020\n", "3: J01FA09 and M04AC01 stands here for the"),
    ],
)
def test_interactions_are_loaded_strictly(tmp_path: Path, rows: str, message: str) -> None:
    """Whatever is not exactly as expected is refused with file and line, a pair the other way round too."""
    (tmp_path / "interactions.csv").write_text(INTERACTIONS + rows, encoding="utf-8")
    with pytest.raises(ReferenceDataError, match=rf"^interactions\.csv:{message}"):
        interactions.load(tmp_path)
