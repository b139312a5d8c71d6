"""Rules that two reviewers signed, published once and followed by every service."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.services.signed_rules import PUBLISHED, READ_AT_MOST
from models.facts import Reference
from policy.bundles.form import Bundle
from tests.journeys.databases import no_journal, swaps
from tests.journeys.people import HOSPITAL, NURSE, Json
from tests.journeys.processes import Stack, serving, until
from tests.journeys.service import Record, Service, connection, started
from tests.policy.bundles.reviewers import LEGAL, packaged, signed, stricter, trust_file
from tests.servers.processes import free_port
from vault.locations import store_from_url

PACKAGED, STRICT = packaged().revision, stricter().revision
REFUSED = (422, "urn:problem-type:dmp:policy")


@pytest.fixture
def stack(fresh_stack: Stack, tmp_path: Path) -> Stack:
    """Each stack in turn, in signed mode."""
    signing = {"DMP_POLICY_TRUST": str(trust_file(tmp_path)), "DMP_POLICY_POLL_SECONDS": "1"}
    made = replace(fresh_stack, variables={**fresh_stack.variables, **signing})
    made.dmp("init").check_returncode()
    return made


def publish(stack: Stack, bundle: Bundle) -> tuple[int, str]:
    """By the operator's command: its status, and its last line."""
    file = stack.home / "bundle"
    file.write_bytes(bundle.encode())
    run = stack.dmp("policy", "publish", str(file))
    return run.returncode, (run.stdout + run.stderr).splitlines()[-1]


def overwrite(stack: Stack, data: bytes) -> None:
    """As whoever holds the object store could."""

    async def post() -> None:
        store = store_from_url(stack.settings.vault_url)
        present = await store.read_notice(PUBLISHED, READ_AT_MOST)
        await store.post_notice(PUBLISHED, data, None if present is None else present.tag)
        await store.close()

    asyncio.run(post())


def policy(http: httpx.Client) -> Json:
    """What readiness says of the rules; the service must be ready."""
    answer = http.get("/health/ready")
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()["checks"]["policy"]
    return told


def in_force(http: httpx.Client) -> tuple[int, str]:
    told = http.get("/v1/policy").json()
    return told["version"], told["revision"]


def reload(http: httpx.Client) -> tuple[int, str | None]:
    answer = http.post("/v1/policy/reload")
    return answer.status_code, answer.json().get("type")


def may_read(record: Record, document: str, http: httpx.Client) -> bool:
    return http.get(f"/v1/documents/{document}/content", headers=NURSE.headers()).is_success


@contextmanager
def another(service: Service) -> Iterator[httpx.Client]:
    """One more service on the same database and object store."""
    with serving(service.stack) as server, connection(server.address, service.key) as http:
        yield http


def test_services_follow_what_reviewers_signed(stack: Stack) -> None:
    """From no rules at all to old rules that come back; what nobody signed, and what is older, changes nothing."""
    refusal = stack.dmp("serve", "--port", str(free_port()))
    assert (refusal.returncode, refusal.stderr.splitlines()[-1]) == (1, "dmp: no policy bundle is published")
    assert publish(stack, signed(LEGAL, version=1)) == (1, "dmp: 1 of 2 reviewers have signed")
    said = f"published: version 1, revision {PACKAGED}, signed by legal.office and security"
    assert publish(stack, signed(version=1)) == (0, said)

    with started(stack) as service:
        record = service.opened()
        record.grant()
        document = record.deposited(HOSPITAL)
        one = service.http
        with another(service) as two:
            assert [in_force(each) for each in (one, two)] == [(1, PACKAGED)] * 2
            assert [may_read(record, document, each) for each in (one, two)] == [True] * 2

            assert publish(stack, signed(version=2, bundle=stricter(2)))[0] == 0
            assert reload(one) == (200, None)
            assert in_force(one) == (2, STRICT)
            until(lambda: in_force(two) == (2, STRICT))
            assert [may_read(record, document, each) for each in (one, two)] == [False] * 2

            assert publish(stack, signed(version=1))[0] == 1
            for data, reason in (
                (signed(version=1).encode(), "rolled-back"),
                (signed(LEGAL, version=3).encode(), "signatures"),
                (signed(version=2).encode(), "forked"),
                (b"{}", "malformed"),
            ):
                overwrite(stack, data)
                assert reload(one) == REFUSED
                until(lambda reason=reason: policy(two).get("refused") == reason)  # type: ignore[misc]  # read now
                for each in (one, two):
                    told = policy(each)
                    assert (told["ok"], told["stale"], told["refused"]) == (True, True, reason)
                    assert (told["version"], told["revision"]) == (2, STRICT)
                    assert not may_read(record, document, each)
            assert 'dmp_policy_refusals_total{reason="rolled-back"} 1.0' in one.get("/metrics").text

        with another(service) as two:
            assert (in_force(two), policy(two)["stale"]) == ((2, STRICT), True)
            assert publish(stack, signed(version=3))[0] == 0
            for each in (one, two):
                until(lambda each=each: in_force(each) == (3, PACKAGED))  # type: ignore[misc]  # read now
                assert policy(each)["stale"] is False
                assert may_read(record, document, each)

        assert "policy_refused" in service.server.said()
        written = swaps(stack)
        assert [(entry.change["version"], entry.change["previous"], entry.revision) for entry in written] == [
            ("1", None, PACKAGED),
            ("2", PACKAGED, STRICT),
            ("3", STRICT, PACKAGED),
        ]
        assert written[0].subject == Reference("service", "start")
        assert {entry.change["reviewers"] for entry in written} == {"legal.office security"}
    assert "entries verified" in stack.dmp("journal", "verify").stdout


def test_rules_that_cannot_be_written_down_do_not_decide(stack: Stack) -> None:
    """While the journal takes nothing the old rules stay; it takes something, and the new ones are in force."""
    assert publish(stack, signed(version=1))[0] == 0
    with started(stack) as service:
        with no_journal(stack):
            assert publish(stack, signed(version=2, bundle=stricter(2)))[0] == 0
            assert reload(service.http) == (503, "urn:problem-type:dmp:journal")
            service.server.send(signal.SIGHUP)
            until(lambda: "policy_not_reloaded" in service.server.said())
            until(lambda: "policy_not_polled" in service.server.said())
            assert in_force(service.http) == (1, PACKAGED)
        until(lambda: in_force(service.http) == (2, STRICT))
    assert [entry.change["version"] for entry in swaps(stack)] == ["1", "2"]


def test_several_workers_follow_and_write_once(stack: Stack) -> None:
    """Each polls by itself."""
    assert publish(stack, signed(version=1))[0] == 0
    with started(stack, "--workers", "2") as service:
        assert publish(stack, signed(version=2, bundle=stricter(2)))[0] == 0

        def is_followed() -> bool:
            """Asked over a new connection each time, so that any worker may answer."""
            found = set()
            for _ in range(12):
                with service.caller(service.key) as http:
                    found.add(in_force(http))
            return found == {(2, STRICT)}

        until(is_followed)
    assert [entry.change["version"] for entry in swaps(stack)] == ["1", "2"]
