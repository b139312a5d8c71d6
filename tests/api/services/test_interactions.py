"""Known interactions over the same days."""

from datetime import date
from uuid import uuid4

import pytest

from api.services.clinical_facts import Code, Medicine
from api.services.interactions import interacting
from models.vocabulary import Category, CodeSystem

COLCHICINE, CLARITHROMYCIN, WARFARIN, IBUPROFEN = "M04AC01", "J01FA09", "B01AA03", "M01AE01"


def taken(code: str, begins: int, ends: int | None, category: Category = Category.PRESCRIPTION) -> Medicine:
    last = date(2026, 6, ends) if ends else None
    return Medicine(category, frozenset({Code(CodeSystem.ATC, code)}), code, date(2026, 6, begins), last, uuid4())


@pytest.mark.parametrize("category", ["prescription", "dispensation", "administered_treatment", "reimbursement"])
def test_a_known_pair(category: str) -> None:
    """Whatever it stands in, and whichever side comes first; the table's words and the days are told."""
    one, other = taken(COLCHICINE, 1, 20), taken(CLARITHROMYCIN, 10, 30, Category(category))
    for pair in ([one, other], [other, one]):
        (found,) = interacting(pair)
        assert [side.label for side in found.interaction.pair] == ["Colchicine", "Clarithromycine"]
        assert (found.interaction.level, found.interaction.year) == ("contraindicated", 2020)
        assert (found.overlap.begins, found.overlap.ends) == (date(2026, 6, 10), date(2026, 6, 20))
        assert (set(found.overlap.documents), found.overlap.presumed) == ({one.document, other.document}, False)


def test_one_after_the_other() -> None:
    """Is no interaction; an end that is not said is presumed, and told as such."""
    assert interacting([taken(COLCHICINE, 1, 9), taken(CLARITHROMYCIN, 10, 30)]) == []
    (found,) = interacting([taken(COLCHICINE, 1, None), taken(CLARITHROMYCIN, 10, 20)])
    assert (found.overlap.ends, found.overlap.presumed) == (date(2026, 6, 20), True)


def test_a_group_is_every_substance_of_it() -> None:
    """Nitrates are one row of the table; what is not in the table is silence."""
    assert [each.interaction.level for each in interacting([taken("C01DA02", 1, 9), taken("G04BE03", 1, 9)])] == [
        "contraindicated"
    ]
    assert interacting([taken("C01", 1, 9), taken("G04BE03", 1, 9)]) == []
    assert interacting([taken(COLCHICINE, 1, 9), taken(COLCHICINE, 1, 9)]) == []


def test_the_gravest_first() -> None:
    """A prescription and its dispensation are one interaction with the other side."""
    colchicine = [taken(COLCHICINE, 1, 9), taken(COLCHICINE, 1, 9, Category.DISPENSATION)]
    found = interacting([taken(IBUPROFEN, 1, 9), taken(WARFARIN, 1, 9), taken(CLARITHROMYCIN, 5, 9), *colchicine])
    assert [each.interaction.level for each in found] == ["contraindicated", "discouraged"]
    assert len(found[0].overlap.documents) == 3
