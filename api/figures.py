"""How figures are asked for and told, over HTTP and in a shell alike."""

import re

from api.errors import MalformedRequestError
from api.schemas import statistics as wire
from api.services.disclosure import THRESHOLD
from api.services.statistics import Figures, Month

_MONTH = re.compile(r"(?P<year>[12][0-9]{3})-(?P<month>0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?")


def month_of(text: str | None) -> Month | None:
    """A month, of which a day may be told. Raises MalformedRequestError."""
    if not text:
        return None
    found = _MONTH.fullmatch(text)
    if found is None:
        raise MalformedRequestError("The parameters from and to are months, such as 2026-01.")
    return Month(int(found["year"]), int(found["month"]))


def view(figures: Figures) -> wire.Statistics:
    """Figures as they travel."""
    held = figures.dossiers
    return wire.Statistics(
        THRESHOLD,
        wire.HeldDossiers(held.created, held.fed, held.documents_each),
        [
            wire.MonthOfOpenings(
                str(month),
                each.by_opener.total,
                dict(each.by_opener.cells),
                {name: count for name, count in each.by_department.cells.items() if count is not None},
            )
            for month, each in figures.openings.items()
        ],
        [wire.MonthOfEmergencies(str(month), row.total, dict(row.cells)) for month, row in figures.emergencies.items()],
        [
            wire.YearOfPharmacies(year, [wire.PharmacyOpenings(finess, count) for finess, count in told.items()])
            for year, told in figures.pharmacies.items()
        ],
    )
