"""The print of a record: drawn and read back."""

import re
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]  # published without types
import pytest

from api.services.copies.printing import printed
from models.reference import DOCUMENT_TYPES
from tests.api.services.records import AT, TITLE, a_document, a_record, every_kind

MARGIN = 18 / 25.4 * 72
"""In points."""


def pages_of(data: bytes) -> list[str]:
    """The text of each page, as a reader copies it."""
    document = pypdfium2.PdfDocument(data)
    texts = [re.sub(r"\s+", " ", page.get_textpage().get_text_range()) for page in document]
    document.close()
    return texts


def inked(data: bytes) -> Iterator[tuple[float, float, float]]:
    """How much of each page is not white, and how near its ink comes to the left and right edges, in points."""
    document = pypdfium2.PdfDocument(data)
    for page in document:
        image = page.render(scale=1, grayscale=True)
        rows = memoryview(image.buffer).cast("B")
        dark = [
            column
            for start in range(0, image.height * image.stride, image.stride)
            for column in range(image.width)
            if rows[start + column] < 250
        ]
        yield len(dark) / (image.width * image.height), min(dark), image.width - max(dark)
    document.close()


def test_what_was_written_is_read_back() -> None:
    """Accents, œ, guillemets, apostrophes; what is to be known of each document, and who has access."""
    text = " ".join(pages_of(printed(a_record(*every_kind()))))
    for words in (
        "Dossier médical partagé",
        TITLE.replace("\u00a0", " "),
        "12 mai 1960",
        "15 octobre 2026 à 14 h 00",
        "Historique de remboursement (1)",
        "Directives anticipées en vigueur",
        "contesté, puis maintenu",
        "remplacé par une version plus récente",
        "archivé",
        "masqué aux professionnels de santé",
        "ne s’ouvre pas",
        "sans fichier",
        "Médecin, RPPS 10001234565",
        "CHU de l’Île-de-France, n° 750000028",
        "Titulaire du dossier",
        "depuis le 15 octobre 2026, jusqu’au 14 novembre 2026",
        "accès bloqué",
        "personne aidante",
    ):
        assert words in text


def test_characters_that_the_font_lacks_are_seen_to_be_missing() -> None:
    """Nobody takes what stands for them for what was written; markup is text."""
    text = " ".join(pages_of(printed(a_record(*every_kind()))))
    assert "Éléments : Ω◊◊◊◊ ◊◊ <script>alert(1)</script>" in text
    assert "Le signe ◊ remplace un caractère" in text
    assert "◊" not in " ".join(pages_of(printed(a_record(a_document()))))


def test_pages_are_numbered_and_none_is_empty_or_overflows() -> None:
    """However long the list; long words and titles stay in their column."""
    types = list(DOCUMENT_TYPES)
    documents = [
        a_document(number, types[number % len(types)], title=("x" * 300, TITLE)[number % 2]) for number in range(1, 150)
    ]
    data = printed(a_record(*documents))
    pages = pages_of(data)
    assert len(pages) > 5
    for number, text in enumerate(pages, 1):
        assert f"page {number} / {len(pages)}" in text
    for share, left, right in inked(data):
        assert share > 0.01
        assert min(left, right) >= MARGIN - 2


def test_a_record_without_documents_is_one_page() -> None:
    """Nor does it say who has access to somebody who may not know."""
    (text,) = pages_of(printed(a_record(accesses=None)))
    assert "Total 0" in text
    assert "Qui a accès" not in text


def test_a_record_that_nobody_else_sees_says_so() -> None:
    """An empty table would say nothing."""
    record = a_record()
    assert record.accesses is not None
    (text,) = pages_of(printed(a_record(accesses=type(record.accesses)((), ()))))
    assert "Personne, en dehors de la personne titulaire." in text


@pytest.mark.parametrize("number", [0, 30])
def test_the_same_record_has_the_same_bytes(number: int) -> None:
    """A copy that was broken off goes on in the same file."""
    record = a_record(*(a_document(each) for each in range(1, number + 1)))
    assert printed(record) == printed(record)
    assert record.at == AT


@pytest.mark.long
def test_a_long_list_needs_little_more_than_its_pages() -> None:
    """Thousands of documents are laid out a few at a time."""
    import tracemalloc  # noqa: PLC0415  # slows down whatever runs while it is there

    record = a_record(*(a_document(number) for number in range(1, 2_001)))
    tracemalloc.start()
    data = printed(record)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(data) + 4 * 1024 * 1024
