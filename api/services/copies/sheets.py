"""The sheets that a record is printed on: font, styles, head and foot.

The font comes with the library. It has the letters of Western Europe; what it lacks is shown to be missing.
"""

from collections.abc import Iterator, Mapping
from html import escape
from io import BytesIO
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
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    TableStyle,
)

_TITLE = "Copie du dossier médical partagé"
_REGULAR, _BOLD = "Vera", "VeraBd"
_INK, _SOFT, _ACCENT, _BAND, _LINE = (
    HexColor(each) for each in ("#1b1f24", "#4a5560", "#0b4f9e", "#eef3f8", "#c9d1d9")
)
_WIDTH, _HEIGHT = A4
_MARGIN = 18 * mm
INNER = _WIDTH - 2 * _MARGIN
_HEAD, _FOOT = 16 * mm, 16 * mm
_TOTAL = "pages"
_SUMMARY, LIST = "summary", "list"
_SUBSTITUTES = {"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2011": "-", "\u2010": "-", "\t": " ", "\n": " ", "\r": " "}
MISSING = "\u25ca"
"""What stands for a character that the font does not have: a lozenge, which nobody takes for what was written."""

TABLE = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
)


def _font(name: str) -> frozenset[int]:
    """Registers a font that the library brings; which characters it has."""
    font = TTFont(name, f"{name}.ttf")
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


_CHARACTERS = _font(_REGULAR) & _font(_BOLD)


def _style(name: str, font: str, size: float, color: Color, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.4, textColor=color, **more)


H1 = _style("h1", _BOLD, 20, _ACCENT, spaceAfter=3 * mm)
H2 = _style("h2", _BOLD, 13, _ACCENT, spaceBefore=6 * mm, spaceAfter=2 * mm)
TEXT = _style("text", _REGULAR, 9, _INK)
STRONG = _style("strong", _BOLD, 9, _INK)
NOTE = _style("note", _REGULAR, 8, _SOFT)
MARK = _style("mark", _BOLD, 7.5, _INK, spaceAfter=1.5)


def shown(text: str) -> str:
    """The text in characters that the font has."""
    spaced = (_SUBSTITUTES.get(each, each) for each in text)
    return "".join(each if ord(each) in _CHARACTERS else MISSING for each in spaced)


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(shown(text)), style)


class More(ActionFlowable):
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


class Sheets(BaseDocTemplate):
    """The pages, their heads and feet. How many there are is known at the end: a form that all of them refer to."""

    def __init__(self, file: BytesIO, about: str, columns: Mapping[str, float]) -> None:
        super().__init__(
            file,
            pagesize=A4,
            title=_TITLE,
            author="DMP",
            lang="fr-FR",
            invariant=1,
        )
        self._about = about
        self._columns = columns
        height = _HEIGHT - 2 * _MARGIN - _FOOT
        plain = Frame(_MARGIN, _MARGIN + _FOOT, INNER, height, 0, 0, 0, 0)
        below_head = Frame(_MARGIN, _MARGIN + _FOOT, INNER, height - _HEAD, 0, 0, 0, 0)
        self.addPageTemplates(
            [
                PageTemplate(_SUMMARY, [plain], onPage=self._foot),
                PageTemplate(LIST, [below_head], onPage=self._head_and_foot),
            ]
        )

    def _foot(self, canvas: Canvas, _: object) -> None:
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, _MARGIN + _FOOT / 2, _WIDTH - _MARGIN, _MARGIN + _FOOT / 2)
        canvas.setFillColor(_SOFT)
        canvas.setFont(_REGULAR, 8)
        canvas.drawString(_MARGIN, _MARGIN, shown(self._about))
        canvas.drawRightString(_WIDTH - _MARGIN - 22, _MARGIN, f"page {canvas.getPageNumber()} /")
        canvas.translate(_WIDTH - _MARGIN - 19, _MARGIN)
        canvas.doForm(_TOTAL)
        canvas.restoreState()

    def _head_and_foot(self, canvas: Canvas, document: object) -> None:
        self._foot(canvas, document)
        canvas.saveState()
        top = _HEIGHT - _MARGIN - 7 * mm
        canvas.setFillColor(_BAND)
        canvas.rect(_MARGIN, top, INNER, 7 * mm, stroke=0, fill=1)
        canvas.setFillColor(_INK)
        canvas.setFont(_BOLD, 8)
        left = _MARGIN
        for title, width in self._columns.items():
            canvas.drawString(left + 4, top + 2.4 * mm, title)
            left += width
        canvas.restoreState()
