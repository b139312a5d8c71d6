"""The object store loses nodes in the middle of deposits and reads: one of four, then two; then they come back.

Callers do what they are told: after a 503 the same request again, a deposit with its Idempotency-Key.
"""

import os
import random
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import urllib3
from minio import Minio

from tests.conftest import VERSIONS
from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack, until
from tests.journeys.service import Record, connection, parts, scan, started
from tests.journeys.test_crashes import all_read, nothing_is_left
from tests.servers.cluster import Cluster, cluster
from tests.servers.minio import MinioServer

SIZES = (1_000, 300_000, 3_000_000, 9_000_000)
"""Of contents, in bytes: some travel in one request, the last in two parts."""

AT_ONCE = (*SIZES, *SIZES[:1] * 40)
"""Contents of deposits while two nodes are lost. MinIO refuses the large ones; the others it leaves waiting."""

WORKERS = 2
"""Depositors, and as many readers."""

PATIENT = httpx.Timeout(300)
"""A caller's, so that it is the service that gives up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A deposit, which may have to be asked for more than once."""

    content: bytes = field(repr=False)
    key: str

    @classmethod
    def of(cls, size: int) -> "Wanted":
        return cls(scan(os.urandom(size)), secrets.token_hex(16))

    def ask(self, record: Record, http: httpx.Client) -> str | None:
        """The id of the document, or None where the service says that it cannot at the moment."""
        headers = HOSPITAL.headers() | {"Idempotency-Key": self.key}
        answer = http.post(record.path("/documents"), files=parts(self.content), headers=headers)
        if is_refused_for_now(answer):
            return None
        assert answer.status_code == 201, answer.text
        identity: str = answer.json()["id"]
        return identity


def is_refused_for_now(answer: httpx.Response) -> bool:
    if answer.status_code != 503:
        return False
    told = (answer.headers["content-type"], answer.json()["type"])
    assert told == ("application/problem+json", "urn:problem-type:dmp:unavailable")
    return True


@dataclass(slots=True)
class Traffic:
    """Deposits into one dossier and readings of it. `known` is what was acknowledged; `unfinished` is still wanted."""

    record: Record
    known: dict[str, bytes] = field(default_factory=dict)
    unfinished: list[Wanted] = field(default_factory=list)
    readings: int = 0
    refusals: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Many at once for as long as the block lasts; each ends with the answer that it waits for."""
        self.ending.clear()
        with ThreadPoolExecutor(2 * WORKERS) as threads:
            work: list[Future[None]] = []
            try:
                work = [threads.submit(each) for each in (self._deposit, self._read) for _ in range(WORKERS)]
                yield
            finally:
                self.ending.set()
        for each in work:
            each.result()

    def finish(self) -> None:
        """Ask for what is still wanted until it is there."""
        with self.caller() as http:
            while self.unfinished:
                wanted = self.unfinished.pop()
                until(partial(self._acknowledged, wanted, http))

    def more(self, count: int) -> None:
        """Wait for so many more acknowledged deposits, and readings."""
        deposits, readings = len(self.known) + count, self.readings + count
        until(lambda: len(self.known) >= deposits and self.readings >= readings, lambda: repr(self.refusals))

    def caller(self) -> httpx.Client:
        http = connection(self.record.service.server.address, self.record.service.key)
        http.timeout = PATIENT
        return http

    def _deposit(self) -> None:
        with self.caller() as http:
            while not self.ending.is_set():
                wanted = Wanted.of(random.choice(SIZES))
                while not self._acknowledged(wanted, http):
                    if self.ending.is_set():
                        self.unfinished.append(wanted)
                        return

    def _acknowledged(self, wanted: Wanted, http: httpx.Client) -> bool:
        if (document := wanted.ask(self.record, http)) is None:
            self.refusals += 1
            return False
        self.known[document] = wanted.content
        return True

    def _read(self) -> None:
        with self.caller() as http:
            until(lambda: bool(self.known))
            while not self.ending.is_set():
                document = random.choice(list(self.known))
                self._read_one(document, http)

    def _read_one(self, document: str, http: httpx.Client) -> None:
        try:
            answer = http.get(f"/v1/documents/{document}/content", headers=self.record.holder.headers())
        except httpx.RemoteProtocolError:  # the content was cut off: the caller asks again
            self.refusals += 1
            return
        if is_refused_for_now(answer):
            self.refusals += 1
            return
        assert (answer.status_code, answer.content == self.known[document]) == (200, True)
        self.readings += 1


@pytest.fixture
def store(minio_server: MinioServer, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Four nodes, on four hosts where the machine allows it."""
    with cluster() as made:
        pytestconfig.stash[VERSIONS]["MinIO, distributed:"] = made.told
        assert made.server.version == minio_server.version
        yield made


@pytest.fixture
def stack(store: Cluster, tmp_path: Path, common: dict[str, str], request: pytest.FixtureRequest) -> Stack:
    """The store behind the service, with the database that the test names."""
    variables = {**common, "DMP_VAULT_URL": store.server.url(f"cluster-{secrets.token_hex(8)}")}
    if request.param == "postgresql":
        variables["DMP_DATABASE_URL"] = request.getfixturevalue("migrated_postgresql_url")
    return Stack("cluster", tmp_path / "cluster", variables)


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_nodes_are_lost_one_then_two_and_come_back(store: Cluster, stack: Stack) -> None:
    """One lost: nothing fails for good. Two: reads go on, deposits wait. Back: all that was acknowledged reads."""
    with started(stack) as service:
        traffic = Traffic(service.opened())
        one_is_lost(store, traffic, 6)
        two_are_lost(store, traffic)
        they_come_back(store, traffic)


@pytest.mark.long
@pytest.mark.parametrize("stack", ["postgresql"], indirect=True)
def test_any_two_nodes_may_be_lost_once_those_lost_before_have_caught_up(store: Cluster, stack: Stack) -> None:
    """The same with more deposits; then the two are lost that had never been."""
    with started(stack) as service:
        traffic = Traffic(service.opened())
        one_is_lost(store, traffic, 40)
        two_are_lost(store, traffic)
        they_come_back(store, traffic)
        the_others_are_lost(store, traffic)


def one_is_lost(store: Cluster, traffic: Traffic, deposits: int) -> None:
    """Whoever asks again is served, and nothing is there twice."""
    with traffic.flowing():
        traffic.more(deposits)
        store.lose(1)
        traffic.more(deposits)
    traffic.finish()
    holds(traffic)
    all_read(traffic.record, traffic.known)


def two_are_lost(store: Cluster, traffic: Traffic) -> None:
    """Deposits that were under way and new ones are refused for now; what was acknowledged reads meanwhile."""
    with traffic.flowing():
        traffic.more(2)
        store.lose(2)
    wanted = [Wanted.of(size) for size in AT_ONCE]
    with ThreadPoolExecutor(len(wanted)) as threads, traffic.caller() as http:
        asked = [threads.submit(each.ask, traffic.record, http) for each in wanted]
        all_read(traffic.record, traffic.known)
        assert [each.result() for each in asked] == [None] * len(wanted)
    traffic.unfinished.extend(wanted)
    holds(traffic)


def they_come_back(store: Cluster, traffic: Traffic) -> None:
    """What was refused is deposited, and nothing is left of what was not."""
    store.bring_back()
    all_read(traffic.record, traffic.known)
    traffic.finish()
    until(lambda: is_reconciled(traffic.record.service.stack))
    nothing_is_left(traffic.record.service)
    holds(traffic)
    all_read(traffic.record, traffic.known)


def is_reconciled(stack: Stack) -> bool:
    """Whether all could be removed that was to be: a node that has just come back may refuse it."""
    return stack.dmp("vault", "reconcile", "--older-than", "0").returncode == 0


def the_others_are_lost(store: Cluster, traffic: Traffic) -> None:
    """A node catches up with what was written without it, object by object, as it is read, some more than once."""
    versions = versions_of(store.server, traffic.record.service.stack)
    assert len(versions) == len(traffic.known)

    def lacking() -> list[tuple[str, str]]:
        drives, names = store.server.drives, versions.items()
        parts = {name: [parts_of(drive, name) for drive in drives] for name in versions}
        return [
            (drive.name, name)
            for which, drive in enumerate(drives)
            for name, version in names
            if not has(drive, name, version) or not of_most(parts[name]) <= parts[name][which]
        ]

    def is_whole_once_read() -> bool:
        all_read(traffic.record, traffic.known)
        return not lacking()

    until(is_whole_once_read, lambda: repr(lacking()))
    for node in (3, 4):
        store.lose(node)
    all_read(traffic.record, traffic.known)


def versions_of(server: MinioServer, stack: Stack) -> dict[str, UUID]:
    """Of all objects, by their names."""
    bucket = urlsplit(stack.settings.vault_url).path.strip("/")
    with urllib3.PoolManager() as pool:
        client = Minio(server.address, server.access_key, server.secret_key, secure=False, http_client=pool)
        listed = client.list_objects(bucket, "documents/", recursive=True, include_version=True)
        return {str(each.object_name).removeprefix("documents/"): UUID(each.version_id) for each in listed}


def has(drive: Path, name: str, version: UUID) -> bool:
    """A node that was not there may have another version of it, which a deposit sent before it was refused."""
    return any(version.bytes in found.read_bytes() for found in drive.glob(f"cluster-*/documents/{name}/xl.meta"))


def parts_of(drive: Path, name: str) -> set[str]:
    """What a node has of the bytes of an object that does not stand beside its description."""
    return {f"{part.parent.name}/{part.name}" for part in drive.glob(f"cluster-*/documents/{name}/*/part.*")}


def of_most(parts: list[set[str]]) -> set[str]:
    """What three nodes have: what was deposited, and not what one or two were left with."""
    return {part for each in parts for part in each if sum(part in others for others in parts) > 2}


def holds(traffic: Traffic) -> None:
    """There is what was acknowledged, once, and nothing else."""
    assert documents_of(traffic.record) == set(traffic.known)
    assert len(rows(traffic.record.service.stack, "content")) == len(traffic.known)


def documents_of(record: Record) -> set[str]:
    page = record.ask("GET", "/documents", record.holder, params={"limit": 1000}).raise_for_status().json()
    return {each["id"] for each in page["documents"]}
