"""The copy of a record: how fast it leaves the service, and what that takes of memory.

`python -m tests.benchmarks.record_copy [DOCUMENTS MEBIBYTES] [--minio] [--together N]` prints rate and memory for so
many documents of that size (64 of 16 without), with the service in a process of its own, on the embedded default or on
MinIO, and a client that throws away what it gets; then, with N copies at once, how long another request is kept
waiting. `make bench` holds a small copy to the same documents fetched one by one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.benchmarks.frame import Work, benchmark
from tests.servers.minio import minio
from tests.servers.processes import free_port, running

MEBIBYTE = 1024 * 1024
HOSPITAL, INS = "750000028", "185057800608491"
_FACTS = (
    {"kind": "organization", "id": HOSPITAL, "type": "health_facility", "name": "Hospital"},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1985-05-12"},
)


@dataclass(slots=True)
class Archive:
    """A service with one dossier, and who may do everything there."""

    http: httpx.Client
    process: int
    dossier: str
    documents: list[str] = field(default_factory=list)

    def deposit(self, size: int) -> None:
        told = {
            "document_type": "18748-4",
            "title": f"Examen {len(self.documents)}",
            "content_type": "application/pdf",
            "created_at": "2026-10-01T08:00:00Z",
        }
        content = b"%PDF-1.7\n" + os.urandom(size - 9)
        parts: Mapping[str, tuple[str, bytes | str, str]] = {
            "metadata": ("metadata", json.dumps(told), "application/json"),
            "content": ("content", content, "application/pdf"),
        }
        headers = {"DMP-Subject": f"organization/{HOSPITAL}"}
        answer = self.http.post(f"/v1/dossiers/{self.dossier}/documents", files=parts, headers=headers)
        assert answer.status_code == 201, answer.text
        self.documents.append(answer.json()["id"])

    def ask(self) -> str:
        """Where a copy is fetched."""
        answer = self.http.post(f"/v1/dossiers/{self.dossier}/exports", headers=self.holder)
        return f"/v1/dossiers/{self.dossier}/exports/{quote(answer.raise_for_status().json()['id'])}"

    def fetch(self, path: str) -> int:
        """Fetch and throw away; how many bytes it were."""
        with self.http.stream("GET", path, headers=self.holder) as answer:
            answer.raise_for_status()
            size = sum(len(piece) for piece in answer.iter_raw(MEBIBYTE))
            assert size == int(answer.headers["content-length"])
        return size

    def fetch_documents(self) -> None:
        for document in self.documents:
            self.fetch(f"/v1/documents/{document}/content")

    @property
    def holder(self) -> Mapping[str, str]:
        return {"DMP-Subject": f"person/{self.dossier}"}

    def memory(self, of: str) -> float:
        """`VmRSS` or `VmHWM` of the service in MiB."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{of}:"))
        return int(line.split()[1]) / 1024

    def forget_peak(self) -> None:
        """The peak counts from now on (proc(5), clear_refs)."""
        Path(f"/proc/{self.process}/clear_refs").write_text("5")


@benchmark(
    "HTTP, a copy of 32 MiB in 8 documents", subject="GET .../exports/{export}", reference="GET .../content, 8 times"
)
def small_copy() -> Iterator[tuple[Work, Work]]:
    with archive() as made:
        for _ in range(8):
            made.deposit(4 * MEBIBYTE)
        path = made.ask()
        yield lambda: made.fetch(path), made.fetch_documents


@contextmanager
def archive(variables: Mapping[str, str] | None = None, facts: Iterable[Mapping[str, str]] = ()) -> Iterator[Archive]:
    """A service of its own in a folder of its own; it knows these facts as well."""
    with tempfile.TemporaryDirectory(prefix="dmp-benchmark-") as folder:
        home = Path(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DMP_")}
        environment = kept | {"DMP_HOME": str(home), **(variables or {})}
        (home / "facts.ndjson").write_text("".join(json.dumps(fact) + "\n" for fact in (*_FACTS, *facts)))
        _dmp(environment, "init")
        _dmp(environment, "import", str(home / "facts.ndjson"))
        key = _dmp(environment, "client", "add", "benchmark", "--scope=documents", "--scope=dossiers")
        port = free_port()
        command = [sys.executable, "-m", "api.cli.main", "serve", f"--port={port}"]
        with (
            running(command, log=home / "log", answers=lambda: _answers(port), environment=environment) as server,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=600
            ) as http,
        ):
            answer = http.post("/v1/identities", json={"ins": INS}).raise_for_status()
            yield Archive(http, server.pid, answer.json()["person"])


def _dmp(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "api.cli.main", *arguments]
    done = subprocess.run(  # noqa: S603 - our own command line, with arguments of ours
        command, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").is_success
    except httpx.TransportError:
        return False


def _told(made: Archive, together: int) -> None:
    made.fetch(made.ask())
    made.forget_peak()
    before, path, began = made.memory("VmRSS"), made.ask(), time.perf_counter()
    size = made.fetch(path)
    took = time.perf_counter() - began
    print(f"{size / MEBIBYTE:,.0f} MiB in {took:.1f} s, {size / MEBIBYTE / took:,.0f} MiB a second")
    print(f"memory: {before:,.0f} MiB before, {made.memory('VmHWM'):,.0f} MiB at most")
    if together:
        _told_together(made, together)


def _told_together(made: Archive, together: int) -> None:
    paths = [made.ask() for _ in range(together)]
    made.forget_peak()
    fetching = [threading.Thread(target=made.fetch, args=(path,)) for path in paths]
    began, waits = time.perf_counter(), list[float]()
    for each in fetching:
        each.start()
    while any(each.is_alive() for each in fetching):
        asked = time.perf_counter()
        made.http.get(f"/v1/dossiers/{made.dossier}/documents?limit=5", headers=made.holder).raise_for_status()
        waits.append(time.perf_counter() - asked)
        time.sleep(0.05)
    took, waits = time.perf_counter() - began, sorted(waits)
    print(f"{together} copies at once in {took:.1f} s, {made.memory('VmHWM'):,.0f} MiB at most; meanwhile")
    print(f"{len(waits)} listings, median {waits[len(waits) // 2] * 1e3:.0f} ms, at most {waits[-1] * 1e3:.0f} ms")


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[64, 16])
    parser.add_argument("--minio", action="store_true")
    parser.add_argument("--together", type=int, default=0)
    given = parser.parse_args(words)
    documents, mebibytes = given.sizes
    with ExitStack() as stack:
        variables = {}
        if given.minio:
            variables["DMP_VAULT_URL"] = stack.enter_context(minio()).url("benchmark")
        made = stack.enter_context(archive(variables))
        for _ in range(documents):
            made.deposit(mebibytes * MEBIBYTE)
        _told(made, given.together)


if __name__ == "__main__":
    main(sys.argv[1:])
