"""`dossier.pdf`: the record's summary, who has access to it, and the list of its documents, to be printed.

Lists are laid out some rows at a time, so that a long one needs no more memory than its finished pages.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from itertools import islice
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    ActionFlowable,
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from api.schemas.exports import ExportedDocument
from api.services.copies import wording
from api.services.copies.record import Accesses, Record
from api.services.copies.wording import Directory
from models.facts import Reference
from models.vocabulary import SubjectType

_REGULAR, _BOLD = "Vera", "VeraBd"
_INK, _SOFT, _ACCENT, _BAND, _LINE = (
    HexColor(each) for each in ("#1b1f24", "#4a5560", "#0b4f9e", "#eef3f8", "#c9d1d9")
)
_WIDTH, _HEIGHT = A4
_MARGIN = 18 * mm
_INNER = _WIDTH - 2 * _MARGIN
_HEAD, _FOOT = 16 * mm, 16 * mm
_COLUMNS = (22 * mm, 72 * mm, 42 * mm, 38 * mm)
_TITLES = ("Date", "Document", "Auteur", "À savoir")
_ROWS = 25
"""So many are laid out at once."""

_TOTAL = "pages"
_SUMMARY, _LIST = "summary", "list"
_SUBSTITUTES = {"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2011": "-", "\u2010": "-", "\t": " ", "\n": " ", "\r": " "}
_MISSING = "\u25ca"
"""What stands for a character that the font does not have: a lozenge, which nobody takes for what was written."""

_ABOUT_MISSING = (
    f"Le signe {_MISSING} remplace un caractère que cette impression ne sait pas montrer\u00a0: "
    "la page index.html le montre."
)

_TABLE = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
)


def printed(record: Record) -> bytes:
    """The file; the same record has the same bytes. Never on two threads at once."""
    written = BytesIO()
    story: list[Flowable] = []
    story.append(_More(story, _flowables(record)))
    _Document(written, record).build(story)
    return written.getvalue()


def _font(name: str) -> frozenset[int]:
    """Registers a font that the library brings; which characters it has."""
    font = TTFont(name, f"{name}.ttf")
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


_CHARACTERS = _font(_REGULAR) & _font(_BOLD)


def _style(name: str, font: str, size: float, color: Color, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.4, textColor=color, **more)


_H1 = _style("h1", _BOLD, 20, _ACCENT, spaceAfter=3 * mm)
_H2 = _style("h2", _BOLD, 13, _ACCENT, spaceBefore=6 * mm, spaceAfter=2 * mm)
_TEXT = _style("text", _REGULAR, 9, _INK)
_STRONG = _style("strong", _BOLD, 9, _INK)
_NOTE = _style("note", _REGULAR, 8, _SOFT)
_MARK = _style("mark", _BOLD, 7.5, _INK, spaceAfter=1.5)


def _shown(text: str) -> str:
    """The text in characters that the font has."""
    spaced = (_SUBSTITUTES.get(each, each) for each in text)
    return "".join(each if ord(each) in _CHARACTERS else _MISSING for each in spaced)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_shown(text)), style)


class _More(ActionFlowable):
    """Stands at the end of what is laid out, and puts the next of it in its place; after the last, the total."""

    def __init__(self, story: list[Flowable], batches: Iterator[list[Flowable]]) -> None:
        super().__init__()
        self._story = story
        self._batches = batches

    def apply(self, doc: BaseDocTemplate) -> None:
        if (batch := next(self._batches, None)) is not None:
            self._story += [*batch, self]
            return
        canvas = doc.canv
        canvas.beginForm(_TOTAL, 0, -2, 30, 10)
        canvas.setFillColor(_SOFT)
        canvas.setFont(_REGULAR, 8)
        canvas.drawString(0, 0, str(canvas.getPageNumber()))
        canvas.endForm()


class _Document(BaseDocTemplate):
    """The pages, their heads and feet. How many there are is known at the end: a form that all of them refer to."""

    def __init__(self, file: BytesIO, record: Record) -> None:
        super().__init__(
            file,
            pagesize=A4,
            title="Copie du dossier médical partagé",
            author="DMP",
            lang="fr-FR",
            invariant=1,
        )
        self._about = f"Dossier {record.dossier.id}, copie du {wording.day(record.at)}"
        height = _HEIGHT - 2 * _MARGIN - _FOOT
        plain = Frame(_MARGIN, _MARGIN + _FOOT, _INNER, height, 0, 0, 0, 0)
        below_head = Frame(_MARGIN, _MARGIN + _FOOT, _INNER, height - _HEAD, 0, 0, 0, 0)
        self.addPageTemplates(
            [
                PageTemplate(_SUMMARY, [plain], onPage=self._foot),
                PageTemplate(_LIST, [below_head], onPage=self._head_and_foot),
            ]
        )

    def _foot(self, canvas: Canvas, _: object) -> None:
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, _MARGIN + _FOOT / 2, _WIDTH - _MARGIN, _MARGIN + _FOOT / 2)
        canvas.setFillColor(_SOFT)
        canvas.setFont(_REGULAR, 8)
        canvas.drawString(_MARGIN, _MARGIN, _shown(self._about))
        canvas.drawRightString(_WIDTH - _MARGIN - 22, _MARGIN, f"page {canvas.getPageNumber()} /")
        canvas.translate(_WIDTH - _MARGIN - 19, _MARGIN)
        canvas.doForm(_TOTAL)
        canvas.restoreState()

    def _head_and_foot(self, canvas: Canvas, document: object) -> None:
        self._foot(canvas, document)
        canvas.saveState()
        top = _HEIGHT - _MARGIN - 7 * mm
        canvas.setFillColor(_BAND)
        canvas.rect(_MARGIN, top, _INNER, 7 * mm, stroke=0, fill=1)
        canvas.setFillColor(_INK)
        canvas.setFont(_BOLD, 8)
        left = _MARGIN
        for title, width in zip(_TITLES, _COLUMNS, strict=True):
            canvas.drawString(left + 4, top + 2.4 * mm, title)
            left += width
        canvas.restoreState()


def _flowables(record: Record) -> Iterator[list[Flowable]]:
    yield _summary(record)
    if record.accesses is not None:
        yield from _accesses(record.accesses, record.directory)
    spaces = wording.by_space(record.documents)
    if spaces:
        yield [NextPageTemplate(_LIST), PageBreak()]
    for space, held in spaces.items():
        yield [CondPageBreak(40 * mm), _paragraph(f"{wording.SPACES[space]} ({len(held)})", _H2)]
        rows = (_document_row(each, record.directory) for each in held)
        while some := list(islice(rows, _ROWS)):
            yield [Table(some, _COLUMNS, style=_TABLE)]


def _summary(record: Record) -> list[Flowable]:
    dossier, spaces = record.dossier, wording.by_space(record.documents)
    told = [
        ("Numéro du dossier", str(dossier.id)),
        ("État", wording.STATES[dossier.state]),
        *([("Date de naissance", wording.day(dossier.born))] if dossier.born else []),
        ("Copie demandée le", wording.moment(record.at)),
        ("Équipe de soins", "accès consenti" if dossier.care_team_consent else "accès non consenti"),
        ("Bris de glace", "refusé" if dossier.refuses_break_glass else "accepté"),
        ("Centre 15", "refusé" if dossier.refuses_centre_15 else "accepté"),
        ("Documents masqués, en urgence", "montrés" if dossier.masked_in_emergency else "non montrés"),
    ]
    counts = [(label, str(len(spaces.get(space, ())))) for space, label in wording.SPACES.items()]
    counts.append(("Total", str(len(record.documents))))
    flowables: list[Flowable] = [
        _paragraph("Dossier médical partagé", _H1),
        _paragraph("Ce que la personne qui a demandé cette copie peut lire, et rien d’autre.", _NOTE),
        Spacer(0, 4 * mm),
        _pairs(told),
        _paragraph("Documents par espace", _H2),
        _pairs_in_two(counts),
    ]
    in_force = [each for each in record.documents if each.in_force]
    contested = [each for each in record.documents if each.contested]
    if in_force or contested:
        flowables.append(_paragraph("À savoir", _H2))
    flowables += [_paragraph(f"Directives anticipées en vigueur\u00a0: {_named(each)}", _TEXT) for each in in_force]
    flowables += [_paragraph(f"Contesté\u00a0: {_named(each)}", _TEXT) for each in contested[:_ROWS]]
    if len(contested) > _ROWS:
        flowables.append(_paragraph(f"et {len(contested) - _ROWS} autres, marqués dans la liste", _TEXT))
    if any(_MISSING in _shown(each.title) for each in record.documents):
        flowables += [Spacer(0, 3 * mm), _paragraph(_ABOUT_MISSING, _NOTE)]
    return flowables


def _named(document: ExportedDocument) -> str:
    return f"{document.title or document.label}, {wording.day(document.created_at)}"


def _pairs(told: Sequence[tuple[str, str]]) -> Table:
    rows = [[_paragraph(name, _NOTE), _paragraph(value, _STRONG)] for name, value in told]
    return Table(rows, (60 * mm, _INNER - 60 * mm), style=_TABLE)


def _pairs_in_two(told: Sequence[tuple[str, str]]) -> Table:
    """An even number of pairs, the first half beside the second."""
    half, quarter = len(told) // 2, _INNER / 4
    rows = [
        [cell for name, value in pairs for cell in (_paragraph(name, _NOTE), _paragraph(value, _STRONG))]
        for pairs in zip(told[:half], told[half:], strict=True)
    ]
    return Table(rows, (quarter * 1.4, quarter * 0.6) * 2, style=_TABLE)


def _accesses(accesses: Accesses, directory: Directory) -> Iterator[list[Flowable]]:
    yield [CondPageBreak(40 * mm), _paragraph("Qui a accès au dossier, ou en est écarté", _H2)]
    rows = (
        (directory.told(each.party), wording.RELATIONS[each.kind], _period(each.since, each.until))
        for each in accesses.relations
    )
    people = (
        (
            directory.told(Reference(SubjectType.PERSON, str(each.person))),
            wording.REPRESENTATIONS[each.kind],
            _period(None, each.until),
        )
        for each in accesses.representations
    )
    everyone, some = iter((*rows, *people)), list[tuple[str, str, str]]()
    nobody = True
    while some := list(islice(everyone, _ROWS)):
        nobody = False
        yield [Table([_access_row(each) for each in some], (84 * mm, 40 * mm, 50 * mm), style=_TABLE)]
    if nobody:
        yield [_paragraph("Personne, en dehors de la personne titulaire.", _TEXT)]


def _access_row(told: tuple[str, str, str]) -> list[Paragraph]:
    return [_paragraph(told[0], _TEXT), _paragraph(told[1], _MARK), _paragraph(told[2], _NOTE)]


def _period(since: datetime | None, until: datetime | None) -> str:
    begins = f"depuis le {wording.day(since)}" if since else ""
    ends = f"jusqu’au {wording.day(until)}" if until else ""
    return ", ".join(part for part in (begins, ends) if part)


def _document_row(document: ExportedDocument, directory: Directory) -> list[Any]:
    author = Reference(document.author.type, document.author.id)
    about = document.label if document.version == 1 else f"{document.label}, version {document.version}"
    return [
        _paragraph(wording.short_day(document.created_at), _TEXT),
        [_paragraph(document.title or document.label, _STRONG), _paragraph(about, _NOTE)],
        _paragraph(directory.told(author), _TEXT),
        [_paragraph(f"• {mark}", _MARK) for mark in wording.marks(document)],
    ]
