"""The figures."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.types import ASGIApp

from api.answers import JsonAnswer
from api.figures import month_of, view
from api.openapi import Documented
from api.requests import Call
from api.schemas import statistics as wire
from api.services.disclosure import THRESHOLD
from api.services.statistics import StatisticsService
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_EXAMPLE = {
    "threshold": THRESHOLD,
    "dossiers": {"created": 594300, "fed": 355300, "documents_each": 7.0},
    "openings": [
        {
            "month": "2025-12",
            "total": 174,
            "by_opener": {
                "insurance_fund": None,
                "health_facility": None,
                "professional": 42,
                "person": 60,
                "pharmacy": 41,
            },
            "by_department": {"22": 36, "37": 22},
        }
    ],
    "emergencies": [{"month": "2025-12", "total": 36, "by_mode": {"break_glass": 24, "centre_15": 12}}],
    "pharmacies": [{"year": 2025, "openings": [{"finess": "220000020", "count": 143}]}],
}


@get(
    "/v1/statistics",
    opt={"scope": Scope.OPERATE},
    tags=["Figures"],
    summary="Figures",
    documented=Documented(
        "Whole months, and pharmacies by whole years, that are over.",
        answer=wire.Statistics,
        answer_examples={"one month": _EXAMPLE},
    ),
)
async def statistics(
    request: Call,
    begin: Annotated[str | None, QueryParameter(name="from", description="A month, `2026-01`, included.")] = None,
    end: Annotated[str | None, QueryParameter(name="to", description="A month, `2026-12`, included.")] = None,
) -> ASGIApp:
    """Dossiers opened, accesses in an emergency, and what there is; no person in them.

    A day in `from` or `to` stands for its month. Counts under 11 are withheld, with as many others as keep them from
    being computed; what is withheld does not depend on what is asked for. A year's pharmacies come with its December.
    """
    service: StatisticsService = request.app.state["statistics"]
    return JsonAnswer(_encode(view(await service.figures(month_of(begin), month_of(end)))))
