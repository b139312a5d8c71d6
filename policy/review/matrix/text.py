"""The matrix on a terminal of 80 columns: a sign for each cell, and beneath it which rule each sign stands for."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from textwrap import wrap

from models.reference import CATEGORIES
from models.vocabulary import Category, Mode
from policy.review.matrix.cells import ASSUMED, ASSUMED_SIGN, NOT_APPLICABLE, SUSPENDED, TYPES, Answer
from policy.review.matrix.circumstances import CIRCUMSTANCES, Changes
from policy.review.matrix.content import Content
from policy.review.matrix.merging import MergedCell, MergedRow, sections

_LABEL = 24
_COLUMN = 5
_NOTES = 55
_INDENT = "  "
_HEADINGS = {
    Category.REPORT: "rep",
    Category.SUMMARY: "sum",
    Category.IMAGING: "ima",
    Category.PRESCRIPTION: "pre",
    Category.DISPENSATION: "dis",
    Category.CARE_PLAN: "pla",
    Category.ADMINISTERED_TREATMENT: "tre",
    Category.CERTIFICATE: "cer",
    Category.REIMBURSEMENT: "rei",
    Category.PATIENT_DOCUMENT: "pat",
    Category.ADMINISTRATIVE: "adm",
}
_MODES = {
    Mode.NORMAL: "MODE NORMAL",
    Mode.BREAK_GLASS: "MODE BREAK-GLASS",
    Mode.CENTRE_15: "MODE CENTRE 15",
}

_Deciding = dict[str, tuple[str, ...]]
"""Under a column's heading, the rules that decide there."""


def lines(content: Content) -> Iterator[str]:
    """All of it."""
    yield f"Who may do {content.action} in an open dossier, to a current document of somebody"
    yield "else that nothing hides, with a strong authentication and a reason where needed."
    yield f"Rule set {content.revision}"
    yield ""
    yield f"{Answer.YES.sign} yes   {Answer.NO.sign} no   {Answer.PARTIAL.sign}7 yes for 7 of the types"
    for category, types in TYPES.items():
        yield f"{_HEADINGS[category]}  {_plain(category):<24}{_counted(len(types), 'type'):<10}{CATEGORIES[category]}"
    for mode, table in content.tables.items():
        yield ""
        yield from _block([_MODES[mode]], _HEADINGS.values(), [])
        for section in sections(table):
            yield f"{section.tie.en}:"
            for row in section.rows:
                yield from _merged(row)
    yield ""
    yield from _circumstances(content.changes)
    yield ""
    yield from _foot(content)


def _merged(row: MergedRow) -> Iterator[str]:
    opening = {_HEADINGS[category]: each.permissions for category, each in row.cells.items()}
    closing = {_HEADINGS[category]: each.refusals for category, each in row.cells.items()}
    notes = [*_deciding(Answer.YES, opening), *_deciding(Answer.NO, closing)]
    names = ", ".join(name.en for name in row.called.names)
    label = wrap(names, _LABEL, initial_indent=_INDENT, subsequent_indent=2 * _INDENT)
    yield from _block(label, (_sign(each) for each in row.cells.values()), notes)


def _sign(merged_cell: MergedCell) -> str:
    cell = merged_cell.cell
    count = str(cell.open) if cell.answer is Answer.PARTIAL else ""
    return f"{cell.answer.sign}{count}{ASSUMED_SIGN if cell.assumed else ''}"


def _circumstances(every: Iterable[Changes]) -> Iterator[str]:
    yield "What changes the answer, for a document of a type that is open to the persona"
    for circumstance in CIRCUMSTANCES:
        yield f"{circumstance.heading}  {circumstance.words.en}"
    yield ""
    yield from _block(["PERSONA"], (circumstance.heading for circumstance in CIRCUMSTANCES), [])
    for each in every:
        signs = []
        deciding: dict[Answer, _Deciding] = {Answer.YES: {}, Answer.NO: {}}
        for circumstance in CIRCUMSTANCES:
            decision = each.decisions.get(circumstance.key)
            if decision is None:
                signs.append(NOT_APPLICABLE)
                continue
            answer = Answer.YES if decision.allowed else Answer.NO
            signs.append(answer.sign)
            deciding[answer][circumstance.heading] = (decision.rule,)
        notes = [note for answer, rules in deciding.items() for note in _deciding(answer, rules)]
        yield from _block([each.persona.words.en], signs, notes)


def _deciding(answer: Answer, rules: _Deciding) -> list[str]:
    """Which rule gives this answer: where it depends on the column, in which, as long as no column has several."""
    columns: dict[str, list[str]] = {}
    for heading, some in rules.items():
        for rule in some:
            columns.setdefault(rule, []).append(heading)
    if len(columns) > 1 and all(len(some) <= 1 for some in rules.values()):
        return [f"{answer.sign} {rule}: {' '.join(some)}" for rule, some in columns.items()]
    return [f"{answer.sign} {' or '.join(columns)}"] if columns else []


def _block(label: list[str], cells: Iterable[str], notes: list[str]) -> Iterator[str]:
    """A row: what it is about at the left, its cells and what explains them at the right."""
    right = ["".join(f"{cell:<{_COLUMN}}" for cell in cells), *_packed(notes)]
    for about, told in zip_longest(label, right, fillvalue=""):
        yield f"{about:<{_LABEL}} {told}".rstrip()


def _packed(notes: list[str]) -> list[str]:
    """Notes side by side where they fit."""
    packed: list[str] = []
    for note in notes:
        if packed and len(packed[-1]) + len(note) + 3 <= _NOTES:
            packed[-1] += f"   {note}"
        else:
            packed += wrap(note, _NOTES, subsequent_indent=_INDENT, break_on_hyphens=False)
    return packed


def _foot(content: Content) -> Iterator[str]:
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(content.statuses.items()))
    yield f"{ASSUMED_SIGN} rests on rows of the habilitation matrix that are placeholders ({ASSUMED})."
    yield f"Its rows: {statuses}; {SUSPENDED} ones do not count."
    yield "Which types make a partial cell: --csv and --html tell."


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
