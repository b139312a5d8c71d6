"""A laboratory's software deposits the results of a morning in one request."""

import json
from collections.abc import Sequence
from typing import Any

from loadtests.forms import CONTENT_TYPE, Deposit, form
from loadtests.profile import VISITS
from loadtests.users.depositing import content, wrong_receipt
from loadtests.users.persona import Persona, visit
from loadtests.users.visit import Visit, on_behalf_of

_BATCH = int(VISITS["documents of a laboratory's batch"].value)


class Laboratory(Persona):
    """Every result of a batch must be kept as it was sent."""

    persona = "laboratory"

    @visit()
    def deposit_batch(self, visit: Visit) -> None:
        dossiers = [self.source.anywhere() for _ in range(_BATCH)]
        persons = [visit.person(dossier) for dossier in dossiers]
        deposits = [Deposit("11502-2", content(self.source.random), person) for person in persons]
        visit.send(
            "batch of deposits",
            "POST",
            "/v1/documents",
            lambda lines: _wrong(lines, deposits),
            read=lambda body: [json.loads(line) for line in body.splitlines()],
            headers={"Content-Type": CONTENT_TYPE} | dict(on_behalf_of("organization", dossiers[0].laboratory)),
            data=form(deposits),
        )


def _wrong(lines: Sequence[Any], deposits: Sequence[Deposit]) -> str | None:
    if [line.get("ok") for line in lines] != [True] * len(deposits):
        return "not every document is said to be kept"
    each = (wrong_receipt(line, deposit.content) for line, deposit in zip(lines, deposits, strict=True))
    return next((wrong for wrong in each if wrong), None)
