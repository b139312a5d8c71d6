"""The rules in force, and their replacement."""

import os
import signal

import msgspec
from litestar import Controller, get, post
from litestar.types import ASGIApp

from api.answers import JsonAnswer
from api.openapi import Documented
from api.requests import Call, caller_of
from api.schemas.journal import PolicyLoaded
from api.services.judging import Judging
from api.services.rules import Rules
from api.services.swaps import Occasion
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode


class PolicyController(Controller):
    """What is in force."""

    path = "/v1/policy"
    opt = {"scope": Scope.POLICY}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Policy"]  # noqa: RUF012 - likewise

    @get(summary="In force", documented=Documented("The rule set.", answer=PolicyLoaded))
    async def in_force(self, request: Call) -> ASGIApp:
        """The digest of the rule set, and since when it is in force here."""
        return _answer(request.app.state["rules"])

    @post(
        "/reload",
        status_code=200,
        summary="Reload",
        documented=Documented("The rule set, now in force.", answer=PolicyLoaded),
    )
    async def reload(self, request: Call) -> ASGIApp:
        """Load the policy folder again, or see which bundle is published. If it is refused (422), the old one stays."""
        rules: Rules = request.app.state["rules"]
        judging: Judging = request.app.state["judging"]
        await rules.reload(Occasion.of_caller(caller_of(request)), judging.now())
        if request.app.state["is_one_of_several"]:
            os.kill(os.getppid(), signal.SIGHUP)  # the supervisor tells the other workers
        return _answer(rules)


def _answer(rules: Rules) -> JsonAnswer:
    return JsonAnswer(_encode(PolicyLoaded(rules.engine.revision, rules.loaded_at, rules.version)))
