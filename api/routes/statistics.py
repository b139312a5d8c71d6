"""The figures."""

import re
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.types import ASGIApp

from api.answers import JsonAnswer
from api.errors import MalformedRequestError
from api.openapi import Documented
from api.requests import Call
from api.schemas import statistics as wire
from api.services.statistics import THRESHOLD, Figures, Month, StatisticsService
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_MONTH = re.compile(r"(?P<year>[12][0-9]{3})-(?P<month>0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?")


@get(
    "/v1/statistics",
    opt={"scope": Scope.OPERATE},
    tags=["Figures"],
    summary="Figures",
    documented=Documented(
        "Whole months that are over.",
        answer=wire.Statistics,
        answer_examples={
            "one month": {
                "threshold": THRESHOLD,
                "openings": [
                    {
                        "month": "2026-09",
                        "total": 174,
                        "by_opener": {
                            "person": 80,
                            "professional": 62,
                            "health_facility": None,
                            "pharmacy": None,
                            "insurance_fund": None,
                            "other": None,
                        },
                    }
                ],
                "documents": [{"month": "2026-09", "total": 1064}],
            }
        },
    ),
)
async def statistics(
    request: Call,
    begin: Annotated[str | None, QueryParameter(name="from", description="A month, `2026-01`, included.")] = None,
    end: Annotated[str | None, QueryParameter(name="to", description="A month, `2026-12`, included.")] = None,
) -> ASGIApp:
    """Dossiers opened and documents deposited, by month; no person in them.

    A day in `from` or `to` stands for its month. Counts under 11 are null, with as many others as keep them from being
    computed.
    """
    service: StatisticsService = request.app.state["statistics"]
    return JsonAnswer(_encode(_view(await service.figures(_month(begin), _month(end)))))


def _month(text: str | None) -> Month | None:
    if not text:
        return None
    found = _MONTH.fullmatch(text)
    if found is None:
        raise MalformedRequestError("The parameters from and to are months, such as 2026-01.")
    return Month(int(found["year"]), int(found["month"]))


def _view(figures: Figures) -> wire.Statistics:
    openings = [wire.MonthOfOpenings(str(month), row.total, dict(row.cells)) for month, row in figures.openings.items()]
    documents = [wire.MonthOfDocuments(str(month), count) for month, count in figures.documents.items()]
    return wire.Statistics(THRESHOLD, openings, documents)
