"""The fund is asked by a real service, which may be killed while it asks."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.fund import Fund, knowing
from tests.doubles.receiver import SECRET, in_a_thread
from tests.journeys.databases import rows
from tests.journeys.people import FUND, TREATING_RPPS, Json
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Record, connection, started


@pytest.fixture
def fund() -> Iterator[Fund]:
    """On loopback, in a thread of its own."""
    with in_a_thread(knowing) as made:
        yield made


@pytest.fixture
def stack(fresh_stack: Stack, fund: Fund, tmp_path: Path) -> Stack:
    """Each stack in turn, which asks the fund."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    told = {
        "DMP_FUND_URL": fund.url,
        "DMP_FUND_SECRET_FILE": str(secret),
        "DMP_FUND_ORGANIZATION": FUND.subject.partition("/")[2],
    }
    made = replace(fresh_stack, variables={**fresh_stack.variables, **told})
    made.dmp("init").check_returncode()
    return made


def physicians(record: Record) -> list[str]:
    accesses: list[Json] = record.ask("GET", "/accesses", record.holder).json()["accesses"]
    return [each["id"] for each in accesses if each["access"] == "treating_physician"]


@pytest.mark.long
def test_a_service_killed_while_it_asks_asks_again(stack: Stack, fund: Fund) -> None:
    """What the fund knows then enters once; neither the log nor the operator's list says of whom."""
    fund.answers.append(None)
    with started(stack) as service:
        record = service.unopened()
        fund.knows["treating_physicians", record.ins] = [
            {"id": "t-1", "ins": record.ins, "professional": TREATING_RPPS}
        ]
        body = {"ins": record.ins, "born": "1985-05-12"}
        answer = service.http.post("/v1/dossiers", json=body, headers=record.holder.headers())
        assert answer.status_code == 201
        until(lambda: len(fund.told) == 1)
        service.server.send(signal.SIGKILL)
        service.server.wait()
        said = service.server.said()
    listed = stack.dmp("inquiries", "list").stdout.splitlines()
    assert listed[0] == "1 waiting, 0 given up"
    assert stack.dmp("inquiries", "retry", record.id).stdout == "dossiers to be asked about now: 1\n"
    with serving(stack, "--workers", "2") as server, connection(server.address, service.key) as http:
        until(lambda: not rows(stack, "inquiry"), lambda: f"{len(fund.told)} told")
        again = replace(record, service=replace(service, http=http, server=server))
        assert physicians(again) == [TREATING_RPPS]
        assert http.get("/health/ready").json()["checks"]["inquiries"]["asked"] is True
        said += server.said()
    assert [told["question"] for told in fund.asked] == ["treating_physicians", "treating_physicians", "reimbursements"]
    assert fund.told[0].identity == fund.told[1].identity
    assert record.ins not in said + "\n".join(listed)
