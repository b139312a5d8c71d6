"""Patients and treating physicians are told by a real service, which may be killed while it tells."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.doubles.receiver import KEY, SECRET, Receiver, answering, in_a_thread, receiving
from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL, STRANGER, TREATING_RPPS, Json
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Service, connection, started

BREAKING = STRANGER.breaking_the_glass()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """On loopback, in a thread of its own."""
    with in_a_thread(receiving) as made:
        yield made


@pytest.fixture
def stack(fresh_stack: Stack, receiver: Receiver, tmp_path: Path) -> Stack:
    """Each stack in turn, which tells the receiver."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    told = {"DMP_NOTIFY_URL": receiver.url, "DMP_NOTIFY_SECRET_FILE": str(secret)}
    made = replace(fresh_stack, variables={**fresh_stack.variables, **told})
    made.dmp("init").check_returncode()
    return made


def break_the_glass(service: Service) -> str:
    """The dossier of somebody whom a stranger has read in an emergency."""
    record = service.opened()
    record.declare_treating_physician()
    document = record.deposited(HOSPITAL)
    assert record.read(document, BREAKING).status_code == 200
    return record.id


def figures(http: httpx.Client) -> dict[str, str]:
    lines = http.get("/metrics").text.splitlines()
    found = (line.split(" ") for line in lines if line.startswith("dmp_notifications_"))
    return {name.split("{")[0].removeprefix("dmp_notifications_"): value for name, value in found}


def waiting(stack: Stack, *options: str) -> list[str]:
    """What the operator's command lists, the count first."""
    run = stack.dmp("notifications", "list", *options)
    run.check_returncode()
    return run.stdout.splitlines()


def test_an_emergency_is_told_once_by_several_workers(stack: Stack, receiver: Receiver) -> None:
    """To the patient and to the treating physician, signed; then nothing waits."""
    with started(stack, "--workers", "2") as service:
        dossiers = {break_the_glass(service) for _ in range(5)}
        until(lambda: not rows(stack, "notification"), lambda: f"{len(receiver.told)} told")
        assert waiting(stack) == ["0 waiting, 0 dead"]
    patients = [told.says for told in receiver.told if told.says["obligation"] == "notify_patient"]
    physicians = [told.says for told in receiver.told if told.says["obligation"] == "notify_treating_physicians"]
    assert {each["dossier"] for each in patients} == {each["dossier"] for each in physicians} == dossiers
    assert (len(patients), len(physicians)) == (5, 5)
    assert all(each["to"] == [{"type": "person", "id": each["dossier"]}] for each in patients)
    assert all(each["to"] == [{"type": "professional", "id": TREATING_RPPS}] for each in physicians)
    assert all(told.is_signed_by(KEY) for told in receiver.told)


def test_a_service_killed_while_it_tells_tells_again(stack: Stack, receiver: Receiver) -> None:
    """Under the same ids: whether the receiver had taken it, nobody could know."""
    receiver.answers.extend([None, None])
    with started(stack) as service:
        break_the_glass(service)
        until(lambda: len(receiver.told) == 2)
        service.server.send(signal.SIGKILL)
        service.server.wait()
    ids = {told.identity for told in receiver.told}
    listed = waiting(stack)
    assert listed[0] == "2 waiting, 0 dead"
    assert {line.split(":")[0] for line in listed[1:]} == ids
    run = stack.dmp("notifications", "retry", *ids)
    assert (run.returncode, run.stdout) == (0, "2 due now\n")
    with serving(stack):
        until(lambda: not rows(stack, "notification"))
    assert sorted(told.identity for told in receiver.told) == sorted([*ids, *ids])


def test_what_cannot_be_delivered_is_seen(stack: Stack, receiver: Receiver) -> None:
    """In the figures, in readiness, and by the operator, who has it tried again."""
    receiver.answers.extend([answering(503, Retry_After="3600")] * 2)
    with started(stack) as service:
        break_the_glass(service)
        until(lambda: len(receiver.told) == 2)
        until(lambda: all("answered 503" in line for line in waiting(stack)[1:]))
        assert service.http.get("/health/ready").json()["checks"]["notifications"]["delivered"] is True
        assert stack.dmp("notifications", "retry").stdout == "0 due now\n"
        first = waiting(stack, "--limit", "1")
        assert first[-1] == "and 1 more"
        identity = first[1].split(":")[0]
        assert stack.dmp("notifications", "retry", identity).stdout == "1 due now\n"
        until(lambda: len(rows(stack, "notification")) == 1)
        assert [told.identity for told in receiver.told].count(identity) == 2
    unknown = stack.dmp("notifications", "retry", identity)
    assert (unknown.returncode, unknown.stderr) == (
        1,
        f"dmp: there is no notification {identity}: it was delivered, never was, or its time has not come\n",
    )
    assert waiting(stack, "--dead") == ["1 waiting, 0 dead"]


def test_without_a_receiver_everything_waits(fresh_stack: Stack) -> None:
    """And is seen to wait."""
    fresh_stack.dmp("init").check_returncode()
    with started(fresh_stack) as service:
        break_the_glass(service)
        assert len(rows(fresh_stack, "notification")) == 2
    with serving(fresh_stack) as server, connection(server.address, service.key) as http:
        until(lambda: figures(http) == {"waiting": "2.0", "dead": "0.0"})
        told: Json = http.get("/health/ready").json()["checks"]["notifications"]
    assert told == {"ok": True, "delivered": False, "waiting": 2, "dead": 0}


def test_a_service_does_not_start_with_a_secret_that_others_may_read(stack: Stack) -> None:
    """It says which setting is wrong."""
    Path(stack.variables["DMP_NOTIFY_SECRET_FILE"]).chmod(0o644)
    run = stack.dmp("serve", "--port", "1")
    assert run.returncode != 0
    assert "DMP_NOTIFY_SECRET_FILE may be read by others: its mode must be 0600" in run.stderr + run.stdout
