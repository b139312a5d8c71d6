"""What is asked of the database and written to it.

`hot` brings what decisions read; the other modules are SQLAlchemy Core, and each function of theirs that writes takes
the connection of a transaction that its caller began.
"""

from models.queries.homes import Homes
from models.queries.hot import (
    Position,
    Shelf,
    Sought,
    fetch_apart,
    fetch_case,
    fetch_cases,
    fetch_listing,
    fetch_shelves,
    fetch_sought,
    position_of,
)

__all__ = [
    "Homes",
    "Position",
    "Shelf",
    "Sought",
    "fetch_apart",
    "fetch_case",
    "fetch_cases",
    "fetch_listing",
    "fetch_shelves",
    "fetch_sought",
    "position_of",
]
