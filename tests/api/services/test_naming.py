"""Names of files: recognized by people, harmless to file systems, one for each document."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.services.copies.naming import Names

PDF = "application/pdf"


def named(title: str, content_type: str = PDF) -> str:
    return Names().give("reports", title, content_type)


@pytest.mark.parametrize(
    "title,name",
    [
        ("Bilan sanguin d’octobre", "Bilan sanguin d’octobre.pdf"),
        ("Cœur, œil & Noël", "Cœur, œil & Noël.pdf"),
        ("scan.pdf", "scan.pdf"),
        ("SCAN.PDF", "SCAN.pdf"),
        ("../../etc/passwd", "-..-etc-passwd.pdf"),
        ("C:\\autoexec", "C-autoexec.pdf"),
        ('a/b\\c:d*e?f"g<h>i|j', "a-b-c-d-e-f-g-h-i-j.pdf"),
        ("  deux\t mots \n", "deux mots.pdf"),
        ("CON", "_CON.pdf"),
        ("nul.tout", "_nul.tout.pdf"),
        ("lpt¹", "_lpt¹.pdf"),
        ("console", "console.pdf"),
        ("...", "document.pdf"),
        ("\u202e\u200f\x00\x1b", "document.pdf"),
        ("facture\u202efdp.exe", "facturefdp.exe.pdf"),
        ("e\u0301chographie", "échographie.pdf"),
        ("point.", "point.pdf"),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    """As it was written, but for what leads elsewhere, hides what the file is, or is no name on some system."""
    assert named(title) == f"documents/reports/{name}"


@pytest.mark.parametrize(
    "content_type,extension", [("text/plain", "txt"), ("application/dicom", "dcm"), ("application/x-unheard-of", "bin")]
)
def test_the_extension_is_that_of_the_content(content_type: str, extension: str) -> None:
    """Whatever the title says."""
    assert named("a.exe", content_type) == f"documents/reports/a.exe.{extension}"


def test_each_document_has_its_own_name() -> None:
    """Also where a file system does not tell upper from lower case; other spaces are other folders."""
    names = Names()
    given_ = [names.give("reports", title, PDF) for title in ("Été", "été", "E\u0301te\u0301", "Été (2)")]
    assert given_ == [
        "documents/reports/Été.pdf",
        "documents/reports/été (2).pdf",
        "documents/reports/Été (3).pdf",
        "documents/reports/Été (2) (2).pdf",
    ]
    assert names.give("imaging", "Été", PDF) == "documents/imaging/Été.pdf"


@given(st.text(max_size=400))
def test_any_title_becomes_a_name(title: str) -> None:
    """A visible one, of a bounded length, in its folder."""
    folder, _, name = named(title).rpartition("/")
    assert folder == "documents/reports"
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 170
    assert name[0] not in ". "
    assert not {unicodedata.category(each) for each in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set(name) & set('<>:"/\\|?*')


def test_a_long_title_is_cut() -> None:
    """Between characters, however many bytes these have."""
    assert named("é" * 300) == f"documents/reports/{'é' * 80}.pdf"
    assert named("漢" * 300) == f"documents/reports/{'漢' * 53}.pdf"
