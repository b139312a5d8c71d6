"""The fund's feeds: newline-delimited JSON in, one result line for each line out, both streamed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from litestar import Controller, post
from litestar.types import ASGIApp

from api.answers import Streamed, begun
from api.ndjson import lines_of, require_ndjson
from api.openapi import Documented
from api.requests import Call, caller_of
from api.schemas import feeds as wire
from api.services.feeds import Feeding
from api.services.reimbursements import ReimbursementFeed
from api.services.treating_physicians import TreatingPhysicianFeed
from models.vocabulary import Scope

_MEDIA_TYPE = "application/x-ndjson"
_HEADERS = ((b"content-type", _MEDIA_TYPE.encode("ascii")),)
_encode_lines = msgspec.json.Encoder().encode_lines
_INS = "215066912300112"
_ANSWERS = {
    "done": {"id": "l-1", "line": 1, "ok": True},
    "refused": {
        "id": "l-2",
        "line": 2,
        "ok": False,
        "reason": "no-dossier",
        "error": "The rules of the DMP refuse this.",
    },
}


class FeedsController(Controller):
    """What the fund knows, entered by itself. The client speaks as the fund that it is tied to."""

    path = "/v1/feeds"
    opt = {"scope": Scope.FEEDS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Feeds"]  # noqa: RUF012 - likewise

    @post(
        "/reimbursements",
        status_code=200,
        summary="Reimbursements",
        documented=Documented(
            "A line for each line.",
            body=wire.ReimbursementLine,
            answer=wire.FeedResult,
            media_type=_MEDIA_TYPE,
            body_media_type=_MEDIA_TYPE,
            body_examples={
                "consultation": {
                    "id": "l-1",
                    "ins": _INS,
                    "care_date": "2026-10-01",
                    "code": "G",
                    "label": "Consultation",
                    "amount": "30.00",
                    "reimbursed": "21.00",
                    "prescriber": "10001234565",
                }
            },
            answer_examples=_ANSWERS,
        ),
    )
    async def reimbursements(self, request: Call) -> ASGIApp:
        """One document of type REMB for each dossier and calendar month, replaced as lines arrive.

        A line stands once, by its id. It is refused alone, with a reason: a rule (`no-dossier`, `dossier-closed`;
        `reimbursement-expired` for care that would be out of view at once), `malformed`, `identifier`, `vocabulary`
        for a code of none, `conflict` for another line under the same id, `seal-broken`.

        Results leave while lines arrive, thousands at a time: read while sending, and do not wait for a result before
        the next line. After a cut, send again from the first line without a result; what stands is answered as done.
        Lines sorted by person enter several times faster than lines that are not.
        """
        require_ndjson(request)
        feed: ReimbursementFeed = request.app.state["reimbursements"]
        actor = await _feeding(request).fund(caller_of(request))
        return Streamed(200, _HEADERS, await begun(_encoded(feed.results(actor, lines_of(request)))))

    @post(
        "/treating-physicians",
        status_code=200,
        summary="Treating physicians",
        documented=Documented(
            "A line for each line.",
            body=wire.TreatingPhysicianLine,
            answer=wire.FeedResult,
            media_type=_MEDIA_TYPE,
            body_media_type=_MEDIA_TYPE,
            body_examples={"declared": {"id": "t-1", "ins": _INS, "professional": "10001234565"}},
            answer_examples=_ANSWERS,
        ),
    )
    async def treating_physicians(self, request: Call) -> ASGIApp:
        """The treating physician declared to the fund becomes the relation of the dossier. A line counts once."""
        require_ndjson(request)
        feed: TreatingPhysicianFeed = request.app.state["treating_physicians"]
        actor = await _feeding(request).fund(caller_of(request))
        return Streamed(200, _HEADERS, await begun(_encoded(feed.results(actor, lines_of(request)))))


def _feeding(request: Call) -> Feeding:
    feeding: Feeding = request.app.state["feeding"]
    return feeding


async def _encoded(results: AsyncGenerator[list[wire.FeedResult]]) -> AsyncGenerator[bytes]:
    async with aclosing(results):
        async for batch in results:
            yield _encode_lines(batch)
