"""What travels about the figures."""

from msgspec import Struct


class MonthOfOpenings(Struct, frozen=True):
    """Dossiers opened in a month, by who opened them; null where the count is withheld."""

    month: str
    total: int | None
    by_opener: dict[str, int | None]


class MonthOfDocuments(Struct, frozen=True):
    """Documents deposited in a month and still kept; null where the count is withheld."""

    month: str
    total: int | None


class Statistics(Struct, frozen=True):
    """Figures of whole months; counts under `threshold` are withheld, and what they could be computed from."""

    threshold: int
    openings: list[MonthOfOpenings]
    documents: list[MonthOfDocuments]
