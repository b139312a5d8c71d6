"""What is asked of the database and written to it.

`hot` brings what decisions read; the other modules are SQLAlchemy Core, and each function of theirs that writes takes
the connection of a transaction that its caller began.
"""

from models.queries.homes import Homes
from models.queries.hot import (
    Shelf,
    fetch_apart,
    fetch_case,
    fetch_cases,
    fetch_shelf,
    fetch_shelves,
)
from models.queries.listing import (
    ALL_DOCUMENTS,
    Position,
    Sought,
    case_at,
    fetch_listing,
    fetch_sought,
    position_of,
)

__all__ = [
    "ALL_DOCUMENTS",
    "Homes",
    "Position",
    "Shelf",
    "Sought",
    "case_at",
    "fetch_apart",
    "fetch_case",
    "fetch_cases",
    "fetch_listing",
    "fetch_shelf",
    "fetch_shelves",
    "fetch_sought",
    "position_of",
]
