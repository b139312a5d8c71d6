"""The matrix for machines: one record for each mode, asker and category, nothing merged."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from policy.review.matrix.content import Content

COLUMNS = ("mode", "who", "tie", "category", "answer", "rule", "open", "types", "other_rule", "other_types", "assumed")
"""`rule` decides for the category; `open` of its `types` are open. Where types differ, `other_rule` decides for
`other_types`: in a partial answer these are the types that are closed. `assumed`: rests on placeholders of the matrix.
"""


def records(content: Content) -> Iterator[dict[str, Any]]:
    """One for each mode, asker and category."""
    for mode, table in content.tables.items():
        for row in table:
            for category, cell in row.cells.items():
                deciding, *others = cell.rulings
                yield {
                    "mode": mode.value,
                    "who": row.asker.who,
                    "tie": row.asker.tie,
                    "category": category.value,
                    "answer": cell.answer.value,
                    "rule": deciding.rule,
                    "open": cell.open,
                    "types": len(cell.types),
                    "other_rule": others[0].rule if others else None,
                    "other_types": list(others[0].types) if others else [],
                    "assumed": cell.assumed,
                }


def spreadsheet(content: Content) -> str:
    """The records as CSV, with a header."""
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records(content):
        codes, assumed = " ".join(record["other_types"]), "yes" if record["assumed"] else "no"
        writer.writerow(record | {"other_types": codes, "assumed": assumed})
    return text.getvalue()
