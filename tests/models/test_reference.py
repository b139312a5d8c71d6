"""The reference data: what the files say is what the program knows, and a spoilt file stops it with its line."""

import re
from collections.abc import Callable, Sized
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import pytest

from models import reference
from models.reference import DocumentType, Profession, ReferenceDataError
from models.reference.departments import DEPARTMENTS, department_of
from models.vocabulary import Category, ProfessionKind, Space

SOUND = {
    "categories.csv": "key,label_fr\n" + "".join(f"{category},Libellé\n" for category in Category),
    "document_types.csv": "code,label_fr,category,space\nREMB,Données,reimbursement,reimbursements\n",
    "professions.csv": "key,nos_code,label_fr,kind\nnurse,60,Infirmier,health\n",
}


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[..., Path]:
    def write(**changed: str) -> Path:
        for name, text in SOUND.items():
            tmp_path.joinpath(name).write_text(changed.get(name.removesuffix(".csv"), text), encoding="utf-8")
        return tmp_path

    return write


def test_the_packaged_files_hold_what_the_rules_are_written_on() -> None:
    """113 types of document, 23 professions of which six social, 11 categories, nine spaces all in use."""
    assert len(reference.DOCUMENT_TYPES) == 113
    assert len(reference.PROFESSIONS) == 23
    assert set(reference.CATEGORIES) == set(Category)
    assert {entry.space for entry in reference.DOCUMENT_TYPES.values()} == set(Space)
    assert {entry.category for entry in reference.DOCUMENT_TYPES.values()} == set(Category)
    assert {key for key, entry in reference.PROFESSIONS.items() if entry.kind is ProfessionKind.SOCIAL} == {
        "social_coordinator",
        "social_worker",
        "care_support_worker",
        "social_educator",
        "social_supervisor",
        "social_administrator",
    }


def test_a_document_type_is_found_by_its_code() -> None:
    """The advance directives are a certificate by category, and shown among the personal documents."""
    assert reference.document_type("EXPPAT_3") == DocumentType(
        "EXPPAT_3", "Directives anticipées", Category.CERTIFICATE, Space.PERSONAL
    )


def test_a_label_with_a_comma_is_read_whole() -> None:
    """Quoted cells of the files keep their commas."""
    assert reference.CATEGORIES[Category.CERTIFICATE] == "Certificat, déclaration"


def test_a_profession_is_found_by_its_key() -> None:
    """The key finds a profession, not its NOS code, which several share."""
    assert reference.profession("physician") == Profession("physician", "10", "Médecin", ProfessionKind.HEALTH)
    assert reference.profession("10") is None


@pytest.mark.parametrize("unknown", ["", "exppat_3", " REMB", "nurse", "11488"])
def test_an_unknown_document_type_is_none(unknown: str) -> None:
    """What the reference does not name has no category, whatever it resembles."""
    assert reference.document_type(unknown) is None


@pytest.mark.parametrize("unknown", ["", "Physician", "physician ", "REMB"])
def test_an_unknown_profession_is_none(unknown: str) -> None:
    """What the reference does not name has no kind, whatever it resembles."""
    assert reference.profession(unknown) is None


def test_the_types_by_which_patients_express_their_will() -> None:
    """EXPPAT_1 to EXPPAT_3, all known, are the patient's to deposit (RULES §4.2, holder)."""
    assert frozenset({"EXPPAT_1", "EXPPAT_2", "EXPPAT_3"}) == reference.PATIENT_EXPRESSIONS
    assert set(reference.DOCUMENT_TYPES) >= reference.PATIENT_EXPRESSIONS


def test_the_mappings_are_read_only() -> None:
    """Nobody adds a type or a profession while the program runs."""
    for mapping in (reference.CATEGORIES, reference.DOCUMENT_TYPES, reference.PROFESSIONS):
        assert type(mapping) is MappingProxyType


def test_every_row_of_the_files_is_loaded() -> None:
    """As many entries as lines after the first."""
    tables: dict[str, Sized] = {
        "categories.csv": reference.CATEGORIES,
        "document_types.csv": reference.DOCUMENT_TYPES,
        "professions.csv": reference.PROFESSIONS,
    }
    for name, table in tables.items():
        lines = files(reference).joinpath(name).read_text(encoding="utf-8").splitlines()
        assert len(table) == len(lines) - 1


def test_a_sound_folder_loads(write: Callable[..., Path]) -> None:
    """Any folder with the three files can be loaded."""
    loaded = reference.load(write())
    assert loaded.professions == {"nurse": Profession("nurse", "60", "Infirmier", ProfessionKind.HEALTH)}
    assert loaded.document_types == {
        "REMB": DocumentType("REMB", "Données", Category.REIMBURSEMENT, Space.REIMBURSEMENTS)
    }


TYPES = "code,label_fr,category,space\n"
PROFESSIONS = "key,nos_code,label_fr,kind\n"


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"document_types": TYPES + "A,a,report,reports\nB,b,rapport,reports\n"}, "document_types.csv:3: 'rapport'"),
        ({"document_types": TYPES + "A,a,report,report\n"}, "document_types.csv:2: 'report' is no Space"),
        ({"document_types": TYPES + "A,a,report\n"}, "document_types.csv:2: 3 cells for 4 columns"),
        ({"document_types": TYPES + "A,a,report,reports,x\n"}, "document_types.csv:2: 5 cells for 4 columns"),
        ({"document_types": TYPES + "A,a,report,reports\n\n"}, "document_types.csv:3: 0 cells for 4 columns"),
        ({"document_types": TYPES + "A,a,report,reports\nA,b,imaging,imaging\n"}, "document_types.csv:3: A stands"),
        ({"document_types": TYPES + "A,,report,reports\n"}, "document_types.csv:2: label_fr is empty"),
        ({"document_types": TYPES + "A ,a,report,reports\n"}, "document_types.csv:2: code is empty, has blanks"),
        ({"document_types": TYPES + "A\u200b,a,report,reports\n"}, "document_types.csv:2: code is empty, has blanks"),
        ({"document_types": TYPES + 'A,"a,report,reports\n'}, "document_types.csv:2: unexpected end of data"),
        ({"document_types": "\ufeff" + TYPES + "A,a,report,reports\n"}, "document_types.csv:1: the columns are not"),
        ({"document_types": TYPES}, "document_types.csv: without a single row"),
        ({"document_types": ""}, "document_types.csv:1: the columns are not"),
        ({"professions": PROFESSIONS + "nurse,60,Infirmier,soin\n"}, "professions.csv:2: 'soin' is no ProfessionKind"),
        ({"professions": "key,label_fr,nos_code,kind\n"}, "professions.csv:1: the columns are not key,nos_code"),
        ({"categories": "key,label_fr\nletter,Lettre\n"}, "categories.csv:2: 'letter' is no Category"),
        ({"categories": "key,label_fr\nreport,Compte rendu\n"}, "categories.csv: without summary, imaging"),
    ],
)
def test_a_spoilt_file_is_refused_with_its_line(
    write: Callable[..., Path], changed: dict[str, str], expected: str
) -> None:
    """An unknown word, a missing or doubled row, a stray character: each names the file and the line."""
    with pytest.raises(ReferenceDataError, match="^" + re.escape(expected)):
        reference.load(write(**changed))


@pytest.mark.parametrize("content", [None, b"key,label_fr\nreport,Compte rendu \xe9\n"])
def test_a_file_that_cannot_be_read_is_refused(write: Callable[..., Path], content: bytes | None) -> None:
    """A missing file, or one that is not UTF-8, is refused by its name."""
    folder = write()
    path = folder / "categories.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReferenceDataError, match=r"^categories\.csv: cannot be read as UTF-8 text$"):
        reference.load(folder)


@pytest.mark.parametrize(
    "finess, department",
    [
        ("010005239", "01"),
        ("750100083", "75"),
        ("2A0000154", "2A"),
        ("2B0000020", "2B"),
        ("970100228", "971"),
        ("970211207", "972"),
        ("970300000", "973"),
        ("970408589", "974"),
        ("980500003", "976"),
        ("976000000", "976"),
        ("970500000", None),
        ("980000000", None),
        ("200000000", None),
        ("960000000", None),
        ("000000000", None),
    ],
)
def test_a_finess_begins_with_its_department(finess: str, department: str | None) -> None:
    """Overseas in a way of its own; nothing else is anybody's."""
    assert department_of(finess) == department
    assert department is None or department in DEPARTMENTS
