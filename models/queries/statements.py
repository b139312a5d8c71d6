"""The hot statement: everything stored that bears on some questions, by look-ups in primary keys alone.

One text for both engines. What no question needs is left out and stands as NULL in its place, so that rows always
have the same columns. A professional with several relations or organizations has several rows, one per combination.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

_Item = TypeVar("_Item")


class Keys(NamedTuple):
    """What one question looks up; None where it has no such thing, or only a malformed one, which nothing matches."""

    professional: str | None = None
    organization: str | None = None
    staff: str | None = None
    person: UUID | None = None
    place: UUID | None = None
    document: UUID | None = None
    message: UUID | None = None
    dossier: UUID | None = None


Needs = frozenset[str]  # names of `Keys`

_TEXTS = {"professional", "organization", "staff"}

# Columns by the table that they come from, in the order of a row, which begins with the question's number.
_COLUMNS = {
    "p": ("profession", "samu_regulator", "person"),
    "o": ("id", "kind"),
    "e": ("organization",),
    "d": (
        "id",
        "state",
        "born",
        "protected",
        "care_team_consent",
        "refuses_break_glass",
        "refuses_centre_15",
        "masked_in_emergency",
    ),
    "t": (
        "id",
        "document_type",
        "author_type",
        "author_id",
        "created_at",
        "masked",
        "withheld_until",
        "hidden_from_representatives",
        "status",
    ),
    "m": ("sender", "addressee"),
    "h": ("professional",),
    "own": ("kind", "since", "until"),
    "theirs": ("kind", "since", "until"),
    "r": ("kind", "until"),
}


def _columns_of(alias: str) -> slice:
    before = 1
    for name, columns in _COLUMNS.items():
        if name == alias:
            return slice(before, before + len(columns))
        before += len(columns)
    raise KeyError(alias)


PROFESSIONAL = _columns_of("p")
ORGANIZATION = _columns_of("o")
EXERCISE = _columns_of("e").start
DOSSIER = _columns_of("d")
DOCUMENT = _columns_of("t")
MESSAGE = _columns_of("m")
HAS_READ = _columns_of("h").start
OWN_RELATION = _columns_of("own")
THEIR_RELATION = _columns_of("theirs")
REPRESENTATION = _columns_of("r")


@lru_cache(maxsize=512)
def facts_statement(needs: Needs, questions: int) -> str:
    """Rows for so many questions, each beginning with its question's number, counted from 0."""
    names = names_of(needs)
    joins = _joins(needs)
    values = ", ".join(_parameters(names, number) for number in range(questions))
    selected = ", ".join(
        f"{alias}.{column}" if alias in joins else f"NULL AS {alias}_{column}"
        for alias, columns in _COLUMNS.items()
        for column in columns
    )
    joined = " ".join(f"LEFT JOIN {table} AS {alias} ON {on}" for alias, (table, on) in joins.items())
    return f"WITH q({', '.join(('ix', *names))}) AS (VALUES {values}) SELECT q.ix, {selected} FROM q {joined}"  # noqa: S608  # our own names only, values are parameters


class Page(NamedTuple):
    """What narrows and orders a listing: each is a parameter or several, of which the values come with the question."""

    types: int = 0
    after: bool = False
    oldest_first: bool = False
    author: bool = False
    since: bool = False
    until: bool = False


def listing_statement(needs: Needs, page: Page) -> str:
    """The rows of one question about a dossier, then one row per document of it, in order of time.

    Parameters: those of the question (its document is None), then the dossier, the greatest number of documents, and
    what the page has of these, in this order: the instant and the id to begin after, so many types, the author's type
    and his id in lower case, the instant from which on, the instant before which.
    """
    numbers = count(len(names_of(needs)) + 1)

    def parameter(kind: str) -> str:
        return f"${next(numbers)}::{kind}"

    conditions, limit = [f"dossier = {parameter('uuid')}", "status <> 'deleted'"], parameter("bigint")
    if page.after:
        beyond = ">" if page.oldest_first else "<"
        conditions.append(f"(created_at, id) {beyond} ({parameter('timestamptz')}, {parameter('uuid')})")
    if page.types:
        conditions.append(f"document_type IN ({', '.join(parameter('text') for _ in range(page.types))})")
    if page.author:  # a pseudonym is the same in upper case (RFC 9562, section 4)
        conditions.append(f"author_type = {parameter('text')} AND lower(author_id) = {parameter('text')}")
    if page.since:
        conditions.append(f"created_at >= {parameter('timestamptz')}")
    if page.until:
        conditions.append(f"created_at < {parameter('timestamptz')}")
    selected = ", ".join(
        f"t.{column}" if alias == "t" else "NULL" for alias, columns in _COLUMNS.items() for column in columns
    )
    order = "ASC" if page.oldest_first else "DESC"
    found = (
        f"SELECT {', '.join(_COLUMNS['t'])} FROM document WHERE {' AND '.join(conditions)} "  # noqa: S608  # our own names only, values are parameters
        f"ORDER BY created_at {order}, id {order} LIMIT {limit}"
    )
    return f"{facts_statement(needs, 1)} UNION ALL SELECT 1, {selected} FROM ({found}) AS t"  # noqa: S608  # as above


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
        joins["e"] = ("exercise", "e.professional = q.professional")
    if "staff" in needs:
        joins["s"] = ("staff", "s.id = q.staff")
    if organization := _either(needs, {"organization": "q.organization", "staff": "s.organization"}):
        joins["o"] = ("organization", f"o.id = {organization}")
    if "place" in needs:
        joins["w"] = ("place", "w.id = q.place")
    if dossier := _either(needs, {"dossier": "q.dossier", "place": "w.dossier"}):
        joins |= _joins_of_dossier(needs, dossier)
    return joins


def _joins_of_dossier(needs: Needs, dossier: str) -> dict[str, tuple[str, str]]:
    joins = {"d": ("dossier", f"d.id = {dossier}")}
    if "document" in needs:
        joins["t"] = ("document", f"t.dossier = {dossier} AND t.id = q.document")
    if "message" in needs:
        joins["m"] = ("message", f"m.dossier = {dossier} AND m.id = q.message")
    if party := _either(needs, {"professional": "q.professional", "organization": "q.organization"}):
        kind = _either(needs, {"professional": "'professional'", "organization": "'organization'"})
        if {"professional", "organization"} <= needs:
            kind = "CASE WHEN q.professional IS NULL THEN 'organization' ELSE 'professional' END"
        joins["own"] = ("relation", f"own.dossier = {dossier} AND own.party_type = {kind} AND own.party = {party}")
    if "professional" in needs:
        joins["theirs"] = (
            "relation",
            f"theirs.dossier = {dossier} AND theirs.party_type = 'organization' AND theirs.party = e.organization",
        )
        joins["h"] = ("has_read", f"h.dossier = {dossier} AND h.professional = q.professional")
    if "person" in needs:
        joins["r"] = ("representation", f"r.dossier = {dossier} AND r.person = q.person")
    return joins


def _either(needs: Needs, sources: dict[str, str]) -> str:
    """The first of these expressions that is not NULL, of those that this statement has."""
    present = [expression for name, expression in sources.items() if name in needs]
    return f"COALESCE({', '.join(present)})" if len(present) > 1 else "".join(present)


def values_of(needs: Needs, keys: Keys) -> list[Any]:
    return [value for name, value in zip(Keys._fields, keys, strict=True) if name in needs]
