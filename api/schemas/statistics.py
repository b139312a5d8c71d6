"""What travels about the figures."""

from msgspec import Struct


class HeldDossiers(Struct, frozen=True):
    """Dossiers that there are, and those with a document, in whole hundreds, rounded down; null below one hundred."""

    created: int | None
    fed: int | None
    documents_each: float | None


class MonthOfOpenings(Struct, frozen=True):
    """Dossiers opened in a month; null where the count is withheld, as are those of departments that are not named."""

    month: str
    total: int | None
    by_opener: dict[str, int | None]
    by_department: dict[str, int]


class MonthOfEmergencies(Struct, frozen=True):
    """Accesses in an emergency mode in a month; null where the count is withheld."""

    month: str
    total: int | None
    by_mode: dict[str, int | None]


class PharmacyOpenings(Struct, frozen=True):
    """Dossiers opened by a pharmacy."""

    finess: str
    count: int


class YearOfPharmacies(Struct, frozen=True):
    """Dossiers opened by pharmacies in a calendar year that is over; those whose count is withheld are not named."""

    year: int
    openings: list[PharmacyOpenings]


class Statistics(Struct, frozen=True):
    """Figures of whole months; counts under `threshold` are withheld, and what they could be computed from."""

    threshold: int
    dossiers: HeldDossiers
    openings: list[MonthOfOpenings]
    emergencies: list[MonthOfEmergencies]
    pharmacies: list[YearOfPharmacies]
