"""The page for the reviewer's file, read as a browser reads it."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from models.vocabulary import Action, Category, Mode
from policy.engine import Engine
from policy.review.matrix.report import matrix_of
from tests.policy.folders import copy_of_the_policy, rewrite

_VOID = {"meta", "col"}
_SIGNS = {"yes": "✓", "partial": "◐", "no": "✗", "none": "–"}
_RULE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass
class Element:
    """A tag with its attributes, and all the text in it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list["Element"]:
        found = [self] if self.tag == tag else []
        return found + [element for child in self.children for element in child.all(tag)]


class Reader(HTMLParser):
    """A page as a tree; every tag that opens must close."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(page)
        self.close()
        assert self._open == [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.texts.append(data)


def read(page: str) -> Element:
    return Reader(page).root


@pytest.fixture(scope="module")
def page(engine: Engine) -> str:
    """The page of the packaged rules."""
    return matrix_of(engine).html()


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    """The same, read."""
    return read(page)


def grids(root: Element) -> list[Element]:
    return [table for table in root.all("table") if table.attributes["class"] == "grid"]


def cells(table: Element, who: str) -> list[list[Element]]:
    """The cells of each row that is called so."""
    rows = [row for row in table.all("tr") if row.children[0].text.startswith(who)]
    return [row.all("td") for row in rows if row.all("td")]


def test_the_page_needs_nothing_else(page: str) -> None:
    """No script, no address, no file, no font from elsewhere."""
    assert re.findall(r"https?:|<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bon\w+=|javascript:", page) == []


def test_the_page_says_its_language_and_its_characters(root: Element) -> None:
    """And which words are French."""
    assert root.all("html")[0].attributes["lang"] == "en"
    assert {"charset": "utf-8"} in [meta.attributes for meta in root.all("meta")]
    french = {span.text for span in root.all("span") if span.attributes.get("lang") == "fr"}
    assert french >= {"Compte rendu", "médecin traitant", "infirmier", "Bris de glace"}


def test_tables_are_told_to_those_who_do_not_see_them(root: Element) -> None:
    """Each has a caption, heads that are repeated on paper, and a scope for each of its heads."""
    tables = root.all("table")
    assert [len(table.all("caption")) for table in tables] == [1] * 5
    assert [len(table.all("thead")) for table in tables] == [1] * 5
    assert {head.attributes.get("scope") for head in root.all("th")} == {"col", "row", "rowgroup"}
    assert [row for row in root.all("tr") if not row.all("th")] == []


def test_there_is_a_table_for_each_mode(root: Element) -> None:
    """With a column for each category, and one of what changes the answer."""
    columns = [len(table.all("thead")[0].all("th")) for table in grids(root)]
    assert columns == [1 + len(Category)] * len(Mode) + [1 + 11]
    assert [heading.text for heading in root.all("h2")][:4] == [
        "Mode normal",
        "Mode break-glass Bris de glace",
        "Mode centre 15 Centre 15",
        "What changes the answer Ce qui change la réponse",
    ]


def test_every_row_is_full(root: Element) -> None:
    """A cell under each head; a tie stands over all of them."""
    for table in grids(root):
        width = len(table.all("thead")[0].all("th"))
        for row in table.all("tr"):
            spanned = sum(int(each.attributes.get("colspan", "1")) for each in row.children)
            assert spanned == width, row.text


def test_every_cell_names_its_rules(root: Element, engine: Engine) -> None:
    """Class, sign and rules say the same; an open cell names permissions, a closed one refusals, a partial one both."""
    effects = {rule: reason.effect for rule, reason in engine.register.reasons.items()}
    for cell in (cell for table in grids(root) for cell in table.all("td")):
        answer, (sign,) = cell.attributes["class"], cell.all("b")
        assert sign.text == _SIGNS[answer]
        named = {word for word in _RULE.findall(cell.text) if word in effects}
        expected = {"yes": {"allow"}, "no": {"deny"}, "partial": {"allow", "deny"}, "none": set()}
        assert {effects[rule] for rule in named} == expected[answer], cell.text


def test_cells_say_what_the_law_says(root: Element) -> None:
    """Some of them, written down from RULES.md and the habilitation matrix."""
    normal, break_glass, centre_15, changes = grids(root)
    assert {cell.text for row in cells(normal, "holder") for cell in row} == {"✓ holder"}
    assert cells(normal, "physician médecin")[0][-1].text == "◐ 11 of 12 1 treating-physician else not-habilitated"
    assert [row[2].text for row in cells(normal, "nurse")] == ["✓ ° care-team", "✓ ° granted"]
    assert {cell.text for row in cells(normal, "every social profession") for cell in row} == {"✗ not-habilitated"}
    assert {cell.text for row in cells(normal, "complementary insurer") for cell in row} == {"✗ prohibited-party"}
    assert cells(break_glass, "nurse")[0][5].text == "✓ break-glass"
    assert {cell.text for row in cells(centre_15, "holder") for cell in row} == {"✗ emergency-scope"}
    assert [cell.text for cell in cells(changes, "nurse breaking the glass")[0]] == [
        "✓ break-glass",
        "✗ masked",
        "✓ break-glass",
        "✓ break-glass",
        "✓ break-glass",
        "✗ blocked",
        "✗ weak-authentication",
        "–",
        "✗ break-glass-refused",
        "✗ reason-required",
        "✗ dossier-closed",
    ]


def test_a_wrong_row_is_seen(tmp_path: Path) -> None:
    """A mask that leaks in emergencies has the sign of a permission."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(folder / "rules" / "40-documents.csv", lambda text: text.replace("!emergency_lifts_mask", "normal"))
    (changes,) = grids(read(matrix_of(Engine.load(folder)).html()))[-1:]
    assert cells(changes, "nurse breaking the glass")[0][1].text == "✓ break-glass"


def test_notes_tell_which_types_are_meant(root: Element) -> None:
    """Each number of a cell has its note; few closed types are named, else the few open ones."""
    notes = {item.attributes["id"]: item.text for item in root.all("li")}
    linked = {link.attributes["href"].removeprefix("#") for link in root.all("a")}
    assert linked == notes.keys()
    told = list(notes.values())
    assert "administrative, 1 of 12 closed: ATTEST-RESID Attestation de résidence" in told
    assert "prescription, 1 of 14 open: PRESC-BIO Prescription d'actes de biologie médicale" in told


def test_a_page_without_partial_cells_has_no_notes(engine: Engine) -> None:
    """Nobody deletes documents of others, whatever their type."""
    root = read(matrix_of(engine, Action.DOCUMENT_DELETE, [Mode.NORMAL]).html())
    assert (root.all("li"), root.all("ol")) == ([], [])
    assert {cell.attributes["class"] for table in grids(root) for cell in table.all("td")} == {"no", "none"}


def test_the_legend_has_the_sentences_of_the_rules(root: Element, engine: Engine) -> None:
    """Of those that decide on the page, in order of precedence, in both languages."""
    words = {word for table in grids(root) for cell in table.all("td") for word in _RULE.findall(cell.text)}
    signs = {"allow": "✓ allow", "deny": "✗ deny"}
    expected = [
        (each.rule, signs[each.effect], each.fr, each.en)
        for each in engine.register.reasons.values()
        if each.rule in words
    ]
    (legend,) = [table for table in root.all("table") if table.attributes["class"] == "legend"]
    told = [tuple(each.text for each in row.children) for row in legend.all("tbody")[0].all("tr")]
    assert told == expected


def test_the_page_says_what_it_rests_on(root: Element, engine: Engine) -> None:
    """The rule set, and the statuses of the habilitation matrix with the rows that do not count."""
    revision, statuses, _ = [each.text for each in root.all("dd")]
    assert revision == engine.revision
    assert statuses.startswith("213 assumed, 51 sourced, 6 suspended rows.")
    assert "do not count: social_coordinator 11488-4;" in statuses


def test_a_matrix_without_suspended_rows_says_nothing_of_them(tmp_path: Path) -> None:
    """There is nothing to say."""
    folder = copy_of_the_policy(tmp_path)
    rewrite(
        folder / "habilitations.csv",
        lambda text: "".join(line for line in text.splitlines(keepends=True) if not line.endswith("suspended\n")),
    )
    _, statuses, _ = [each.text for each in read(matrix_of(Engine.load(folder)).html()).all("dd")]
    assert (statuses.startswith("213 assumed, 51 sourced rows."), "suspended" in statuses) == (True, False)


def test_sentences_are_shown_as_they_are_written(tmp_path: Path) -> None:
    """Whatever characters they hold, nothing of a policy folder becomes part of the page's own code."""
    nasty = "<script>alert('$revision')</script> & <b onclick=x>"
    folder = copy_of_the_policy(tmp_path)
    rewrite(folder / "reasons.csv", lambda text: text.replace("The dossier is yours.", nasty))
    page = matrix_of(Engine.load(folder)).html()
    assert "<script" not in page
    assert nasty in [cell.text for cell in read(page).all("td")]
