"""The fund feeds what it reimbursed, line by line, sorted by person as it has it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from loadtests.profile import VISITS
from loadtests.users.persona import Persona, visit
from loadtests.users.process import PLAN
from loadtests.users.visit import Visit

_LINES = int(VISITS["lines of the fund's feed"].value)
_LINES_A_PERSON = 5
_DAYS = 300


class Fund(Persona):
    """Every line must be taken. Without a client of the fund's it feeds nothing."""

    persona = "fund"
    abstract = PLAN.fund_key is None

    @visit()
    def feed(self, visit: Visit) -> None:
        lines = [line for _ in range(_LINES // _LINES_A_PERSON) for line in self._lines_of_a_person()]
        visit.send(
            "reimbursements",
            "POST",
            "/v1/feeds/reimbursements",
            lambda results: _wrong(results, lines),
            read=lambda body: [json.loads(result) for result in body.splitlines()],
            headers={"Content-Type": "application/x-ndjson"},
            data="".join(json.dumps(line) + "\n" for line in lines),
            key=PLAN.fund_key or "",
        )

    def _lines_of_a_person(self) -> Sequence[Mapping[str, str]]:
        dossier = self.source.anywhere()
        return [
            {
                "id": str(UUID(int=self.source.random.getrandbits(128), version=4)),
                "ins": dossier.ins,
                "care_date": f"{datetime.now(UTC) - timedelta(days=self.source.random.randrange(_DAYS)):%Y-%m-%d}",
                "code": "G",
                "label": "Consultation",
                "amount": "30.00",
                "reimbursed": "21.00",
            }
            for _ in range(_LINES_A_PERSON)
        ]


def _wrong(results: Sequence[Any], lines: Sequence[Mapping[str, str]]) -> str | None:
    taken = [result["id"] for result in results if result["ok"]]
    return None if taken == [line["id"] for line in lines] else "not every line is said to be taken"
