"""Every row is listed once, with its source."""

from policy.loader import PACKAGED
from policy.review.listing import list_rules
from policy.ruleset import RuleSet


def test_every_row_is_listed_with_its_source(rules: RuleSet) -> None:
    """For machines; the table for people stands in the guide."""
    listing = list_rules(PACKAGED)
    rows = [row for chapter in listing.data().values() for row in chapter]
    assert listing.passed
    assert sorted(row["row"] for row in rows) == sorted(row.id for row in (*rules.rules, *rules.duties))
    assert [row["row"] for row in rows if not row["source"]] == []


def test_rows_stand_in_order_of_precedence() -> None:
    """The row that decides first stands first."""
    refusals, permissions, obligations = list_rules(PACKAGED).data().values()
    assert (refusals[0]["row"], permissions[0]["row"]) == ("prohibited-party", "holder")
    assert {row["consequence"] for row in obligations} == {"any_rule", "own-trace"}


def test_the_table_for_people() -> None:
    """A title, a head and a line for each row; what an obligation is for stands where others have their source."""
    lines = list(list_rules(PACKAGED).lines())
    assert [line for line in lines if line.startswith("**")] == [
        "**Refusals, in order of precedence**",
        "**Permissions, in order of precedence**",
        "**Obligations**",
    ]
    assert [line for line in lines if line.startswith("| row")] == [
        "| row | who | what | when | source |",
        "| row | who | what | when | source |",
        "| row | who | what | when | for |",
    ]
    assert "| `prohibited-party` | prohibited_party | anything | `always` | L1111-18; seed 002 |" in lines
