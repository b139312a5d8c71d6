"""The matrix as one page for printing and for the reviewer's file: no script, nothing from elsewhere.

Colours help; a sign and the rule's name say the same without them.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from models.decisions import Decision
from models.reference import CATEGORIES, DOCUMENT_TYPES
from models.vocabulary import Category, Mode
from policy.reasons import ALLOW, Reason
from policy.review.matrix.askers import Called, Words
from policy.review.matrix.cells import ASSUMED, ASSUMED_SIGN, NOT_APPLICABLE, SUSPENDED, TYPES, Answer
from policy.review.matrix.circumstances import CIRCUMSTANCES, Changes
from policy.review.matrix.content import Content
from policy.review.matrix.merging import MergedCell, Section, sections

_PAGE = Path(__file__).with_name("page.html")

_MODES = {
    Mode.NORMAL: Words("Mode normal", "Mode normal"),
    Mode.BREAK_GLASS: Words("Mode break-glass", "Bris de glace"),
    Mode.CENTRE_15: Words("Mode centre 15", "Centre 15"),
}

_Closed = tuple[Category, tuple[str, ...]]


class _Notes:
    """Numbers for the types that are closed in partial cells; equal ones have one number."""

    def __init__(self) -> None:
        self._numbers: dict[_Closed, int] = {}

    def number(self, category: Category, closed: tuple[str, ...]) -> int:
        return self._numbers.setdefault((category, closed), len(self._numbers) + 1)

    def section(self) -> str:
        """What the numbers stand for."""
        if not self._numbers:
            return ""
        items = "\n".join(_note(number, *closed) for closed, number in self._numbers.items())
        title = Words("Which types make a cell partial", "Types qui rendent une case partielle")
        return f"<section>\n<h2>{_both(title)}</h2>\n<ol>\n{items}\n</ol>\n</section>"


def page(content: Content) -> str:
    """The page, complete."""
    notes = _Notes()
    modes = "\n".join(_mode(mode, sections(table), notes) for mode, table in content.tables.items())
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        action=escape(content.action.value),
        revision=escape(content.revision),
        statuses=_statuses(content),
        signs=_signs(),
        modes=modes,
        circumstances=_circumstances(content.changes),
        rules="\n".join(_rule(content.register.reasons[rule]) for rule in content.rules),
        notes=notes.section(),
    )


def _mode(mode: Mode, some: Iterable[Section], notes: _Notes) -> str:
    words = _MODES[mode]
    heads = "".join(
        f'<th scope="col">{escape(category.value.replace("_", " "))}'
        f'<span lang="fr">{escape(CATEGORIES[category])}</span><span>{_counted(len(types))}</span></th>'
        for category, types in TYPES.items()
    )
    return (
        f'<section>\n<h2>{_both(words)}</h2>\n<table class="grid">\n'
        f"<caption>{escape(words.en)}: who, and the categories of documents</caption>\n"
        f"{_head(heads, len(TYPES))}\n"
        f"{''.join(_section(each, notes) for each in some)}</table>\n</section>"
    )


def _head(heads: str, count: int) -> str:
    """The columns, and the row that a printer repeats on each page."""
    who = '<th scope="col">Who <span lang="fr">Qui</span></th>'
    return f'<colgroup><col class="who">{"<col>" * count}</colgroup>\n<thead><tr>{who}{heads}</tr></thead>'


def _section(section: Section, notes: _Notes) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_who(row.called)}</th>'
        f"{''.join(_cell(category, each, notes) for category, each in row.cells.items())}</tr>\n"
        for row in section.rows
    )
    tie = f'<tr class="tie"><th scope="rowgroup" colspan="{len(TYPES) + 1}">{_both(section.tie)}</th></tr>'
    return f"<tbody>\n{tie}\n{rows}</tbody>\n"


def _who(called: Called) -> str:
    names = (", ".join(name.en for name in called.names), ", ".join(name.fr for name in called.names))
    return _both(Words(*names))


def _cell(category: Category, merged: MergedCell, notes: _Notes) -> str:
    """Sign, rule that gives, rule that refuses; of a partial cell also how many, and the note that tells which."""
    cell = merged.cell
    allowing, refusing = (" or ".join(map(escape, rules)) for rules in (merged.permissions, merged.refusals))
    assumed = f'<abbr title="{ASSUMED}">{ASSUMED_SIGN}</abbr>' if cell.assumed else ""
    if cell.answer is not Answer.PARTIAL:
        return _answered(cell.answer, f"{assumed} {allowing or refusing}")
    number = notes.number(category, cell.closed)
    note = f'<sup><a href="#note-{number}">{number}</a></sup>'
    counts = f"{assumed} {cell.open} of {len(cell.types)} {note}"
    return _answered(cell.answer, f"{counts}<small>{allowing}</small><small>else {refusing}</small>")


def _answered(answer: Answer, told: str) -> str:
    return f'<td class="{answer}">{_sign(answer)}{told}</td>'


def _sign(answer: Answer) -> str:
    return f'<b role="img" aria-label="{answer}">{answer.sign}</b>'


def _circumstances(every: Iterable[Changes]) -> str:
    heads = "".join(f'<th scope="col">{_both(each.words)}</th>' for each in CIRCUMSTANCES)
    rows = "\n".join(
        f'<tr><th scope="row">{_both(each.persona.words)}</th>'
        f"{''.join(_changed(each.decisions.get(circumstance.key)) for circumstance in CIRCUMSTANCES)}</tr>"
        for each in every
    )
    return (
        '<section class="whole">\n'
        f"<h2>{_both(Words('What changes the answer', 'Ce qui change la réponse'))}</h2>\n"
        '<table class="grid">\n'
        "<caption>One circumstance at a time, for a document of a type that is open to the persona</caption>\n"
        f"{_head(heads, len(CIRCUMSTANCES))}\n<tbody>\n{rows}\n</tbody></table>\n</section>"
    )


def _changed(decision: Decision | None) -> str:
    if decision is None:
        return f'<td class="none"><b role="img" aria-label="does not apply">{NOT_APPLICABLE}</b></td>'
    return _answered(Answer.YES if decision.allowed else Answer.NO, f" {escape(decision.rule)}")


def _rule(reason: Reason) -> str:
    answer = Answer.YES if reason.effect == ALLOW else Answer.NO
    return (
        f'<tr><th scope="row"><code>{escape(reason.rule)}</code></th>'
        f'<td class="sign {answer}">{answer.sign} {escape(reason.effect)}</td>'
        f'<td lang="fr">{escape(reason.fr)}</td><td>{escape(reason.en)}</td></tr>'
    )


def _note(number: int, category: Category, closed: tuple[str, ...]) -> str:
    """The types that are closed, or those that are open where these are fewer."""
    every = TYPES[category]
    open_ones = tuple(code for code in every if code not in closed)
    few, word = (closed, "closed") if len(closed) <= len(open_ones) else (open_ones, "open")
    types = "; ".join(
        f'<code>{escape(code)}</code> <span lang="fr">{escape(DOCUMENT_TYPES[code].label_fr)}</span>' for code in few
    )
    head = f"{escape(category.value.replace('_', ' '))}, {len(few)} of {len(every)} {word}"
    return f'<li id="note-{number}">{head}: {types}</li>'


def _statuses(content: Content) -> str:
    counts = ", ".join(f"{count} {escape(status)}" for status, count in sorted(content.statuses.items()))
    told = (
        f"{counts} rows. A cell with {ASSUMED_SIGN} rests on {ASSUMED} rows, placeholders to be held against the law."
    )
    if content.suspended:
        scopes = "; ".join(f"{escape(profession)} {escape(scope)}" for profession, scope in content.suspended)
        told += f" Rows that are {SUSPENDED} do not count: {scopes}."
    return told


def _signs() -> str:
    words = {Answer.YES: "yes", Answer.PARTIAL: "yes for some document types of the category", Answer.NO: "no"}
    told = " \u00a0 ".join(f"{_sign(answer)} {words[answer]}" for answer in Answer)
    return f"{told} \u00a0 {NOT_APPLICABLE} does not apply"


def _both(words: Words) -> str:
    """English, then French where it is not the same."""
    if words.en == words.fr:
        return escape(words.en)
    return f'{escape(words.en)} <span lang="fr">{escape(words.fr)}</span>'


def _counted(count: int) -> str:
    return f"{count} type{'' if count == 1 else 's'}"
