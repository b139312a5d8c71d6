"""The hot statement: everything stored that bears on some questions, by look-ups in primary keys alone.

One text for both engines, and one row for each look-up: who asks, the dossier with its sheet, and what lies between.
What no question needs is left out and stands as NULL in its place, so that rows always have the same columns.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from models.database import Shards, asking, called, joining

_Item = TypeVar("_Item")


class Keys(NamedTuple):
    """What one question looks up; None where it has no such thing, or only a malformed one, which nothing matches."""

    professional: str | None = None
    organization: str | None = None
    staff: str | None = None
    dossier: UUID | None = None
    message: UUID | None = None


Needs = frozenset[str]
"""Names of `Keys`; and `documents` where the facts of the dossier's documents are wanted."""

DOCUMENTS = "documents"

_TEXTS = {"professional", "organization", "staff"}
_EXERCISE = "(SELECT string_agg(organization, ' ') FROM {} AS e WHERE e.professional = q.professional)"

# Columns by the table that they come from, in the order of a row, which begins with the look-up's number.
_COLUMNS = {
    "p": ("profession", "samu_regulator", "person"),
    "e": ("organizations",),
    "o": ("id", "kind"),
    "d": (
        "id",
        "state",
        "born",
        "protected",
        "care_team_consent",
        "refuses_break_glass",
        "refuses_centre_15",
        "masked_in_emergency",
        "ties",
    ),
    "t": ("documents",),
    "h": ("professional",),
    "m": ("sender", "addressee"),
}


def _columns_of(alias: str) -> slice:
    before = 1
    for name, columns in _COLUMNS.items():
        if name == alias:
            return slice(before, before + len(columns))
        before += len(columns)
    raise KeyError(alias)


PROFESSIONAL = _columns_of("p")
ORGANIZATIONS = _columns_of("e").start
ORGANIZATION = _columns_of("o")
DOSSIER = slice(_columns_of("d").start, _columns_of("d").stop - 1)
TIES = DOSSIER.stop
SHEET_DOCUMENTS = _columns_of("t").start
HAS_READ = _columns_of("h").start
MESSAGE = _columns_of("m")


@lru_cache(maxsize=512)
def facts_statement(needs: Needs, lookups: int, shards: Shards | None = None) -> str:
    """One row for each look-up, beginning with its number, counted from 0."""
    names = names_of(needs)
    joins = _joins(needs)
    expressions = {alias: f"{alias}.{{}}" for alias in joins}
    if "professional" in needs:
        expressions["e"] = _EXERCISE.format(called("exercise", shards))
    if DOCUMENTS in needs:
        expressions["t"] = "d.{}"
    values = ", ".join(_parameters(names, number) for number in range(lookups))
    selected = ", ".join(
        expressions[alias].format(column) if alias in expressions else f"NULL AS {alias}_{column}"
        for alias, columns in _COLUMNS.items()
        for column in columns
    )
    joined = " ".join(joining("LEFT JOIN", table, alias, on, shards) for alias, (table, on) in joins.items())
    return f"{asking(('ix', *names), values, 'dossier', shards)} SELECT q.ix, {selected} FROM q {joined}"  # noqa: S608  # our own names only, values are parameters


# A bucket's entries are an id and its dossier each. What is found across two of them is another dossier, or none;
# behind what is found at the end there is nothing.
_HOME = (
    "(SELECT encode(substring(w.entries FROM position(uuid_send({id}) IN w.entries) + 16 FOR 16), 'hex')::uuid"
    " FROM whereabouts AS w WHERE w.bucket = {bucket}"
    " AND position(uuid_send({id}) IN w.entries) BETWEEN 1 AND length(w.entries) - 31)"
)


@lru_cache(maxsize=64)
def placed_statement(needs: Needs) -> str:
    """`facts_statement` of one look-up in the dossier of a document: its id in place of the dossier's, its bucket last.

    PostgreSQL's own, where all tables are on one server. Whether the dossier has the document is to be looked at.
    """
    names = names_of(needs)
    given = f"${names.index('dossier') + 1}::uuid"
    return facts_statement(needs, 1).replace(given, _HOME.format(id=given, bucket=f"${len(names) + 1}::integer"))


MOST_NAMED = 512
"""So many ids are named in one statement; of more, all rows of the dossier are read."""


def among(column: str, count: int, first: int) -> str:
    """The condition that a column is one of so many ids, given as parameters from this number on."""
    return f"{column} IN ({', '.join(f'${first + n}::uuid' for n in range(count))})"


def padded(items: Sequence[_Item]) -> list[_Item]:
    """Up to a power of two, with the first again and again: few lengths, hence few statements to prepare."""
    return [*items, *[items[0]] * ((1 << (len(items) - 1).bit_length()) - len(items))] if items else []


def names_of(needs: Needs) -> tuple[str, ...]:
    """The needed fields of `Keys`, in its order, which is that of the parameters."""
    return tuple(name for name in Keys._fields if name in needs)


def _parameters(names: tuple[str, ...], number: int) -> str:
    first = number * len(names) + 1
    placeholders = (f"${first + n}::{'text' if name in _TEXTS else 'uuid'}" for n, name in enumerate(names))
    return f"({', '.join((str(number), *placeholders))})"


def _joins(needs: Needs) -> dict[str, tuple[str, str]]:
    joins: dict[str, tuple[str, str]] = {}
    if "professional" in needs:
        joins["p"] = ("professional", "p.rpps = q.professional")
    if "staff" in needs:
        joins["s"] = ("staff", "s.id = q.staff")
    if organization := _either(needs, {"organization": "q.organization", "staff": "s.organization"}):
        joins["o"] = ("organization", f"o.id = {organization}")
    if "dossier" in needs:
        joins["d"] = ("dossier", "d.id = q.dossier")
        if "professional" in needs:
            joins["h"] = ("has_read", "h.dossier = q.dossier AND h.professional = q.professional")
    if "message" in needs:
        joins["m"] = ("message", "m.dossier = q.dossier AND m.id = q.message")
    return joins


def _either(needs: Needs, sources: dict[str, str]) -> str:
    """The first of these expressions that is not NULL, of those that this statement has."""
    present = [expression for name, expression in sources.items() if name in needs]
    return f"COALESCE({', '.join(present)})" if len(present) > 1 else "".join(present)


def values_of(needs: Needs, keys: Sequence[Keys]) -> list[Any]:
    """The parameters of so many look-ups."""
    places = [place for place, name in enumerate(Keys._fields) if name in needs]
    return [each[place] for each in keys for place in places]
