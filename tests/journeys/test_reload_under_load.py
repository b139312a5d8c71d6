"""The rules are replaced again and again while several clients ask at full speed."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from threading import Event

import httpx
import pytest

from policy.loader import PACKAGED
from tests.journeys.people import HOSPITAL, NURSE, TREATING, Json
from tests.journeys.processes import Stack
from tests.journeys.service import Record, Service, question, started

WHAT_IFS = 3
"""Clients whose questions are dry runs; one more asks in earnest, and is journaled."""

ITEMS = 24
CHANGES = (
    ("rules/70-care.csv", "of_care, normal & granted, allow", "of_care, normal & granted & patient_present, allow"),
    ("rules/80-obligations.csv", "p2, alert_withheld, professional,", "p2, alert_withheld, physician,"),
    ("habilitations.csv", "nurse,imaging,allow", "nurse,imaging,deny"),
)
"""What makes the other rule set of the packaged one: a condition, an obligation, a row of the matrix."""


class Folder:
    """A policy folder that holds one or the other of two rule sets."""

    def __init__(self, path: Path) -> None:
        shutil.copytree(PACKAGED, path, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.path = path
        self._texts: list[list[tuple[Path, str]]] = [[], []]
        for name, old, new in CHANGES:
            text = (path / name).read_text(encoding="utf-8")
            assert text.count(old) == 1
            self._texts[0].append((path / name, text))
            self._texts[1].append((path / name, text.replace(old, new)))

    def hold(self, which: int) -> None:
        for file, text in self._texts[which]:
            file.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or a batch, and the whole answer of either rule set."""

    address: str
    body: Json
    answers: tuple[Json, Json]

    def ask(self, http: httpx.Client) -> int:
        """Which rule set answered, all of it."""
        answer = http.post(self.address, json=self.body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told in self.answers
        return self.answers.index(told)

    @property
    def size(self) -> int:
        """How many decisions an answer holds."""
        return len(self.body.get("evaluations", [self.body]))


def questions(record: Record, *, dry_run: bool) -> list[tuple[str, Json]]:
    """One by one, and all of them several times in a batch."""
    report = record.deposited(HOSPITAL)
    imaging = record.deposited(HOSPITAL, document_type="18748-4")
    withheld = record.deposited(HOSPITAL, withheld=True)
    asked = [
        question(who, "document:read", ("document", document), explain=True, dry_run=dry_run)
        for document in (report, imaging, withheld)
        for who in (NURSE, NURSE.with_patient(), TREATING, record.holder)
    ]
    batch = {"evaluations": list(islice(cycle(asked), ITEMS))}
    return [*(("/access/v1/evaluation", each) for each in asked), ("/access/v1/evaluations", batch)]


def learnt(service: Service, folder: Folder, asked: list[tuple[str, Json]]) -> list[Asked]:
    """The questions with the answers that each rule set gives while nothing else happens."""
    answers: list[list[Json]] = []
    for which in (0, 1):
        folder.hold(which)
        service.http.post("/v1/policy/reload").raise_for_status()
        answers.append([service.http.post(address, json=body).raise_for_status().json() for address, body in asked])
    return [Asked(*each, both) for each, both in zip(asked, zip(*answers, strict=True), strict=True)]


def asking(service: Service, asked: list[Asked], stop: Event) -> Counter[int]:
    """Ask without a pause until told to stop; how many decisions came from each rule set."""
    seen: Counter[int] = Counter()
    with service.caller(service.key) as http:
        for each in cycle(asked):
            if stop.is_set():
                return seen
            seen[each.ask(http)] += each.size
    raise AssertionError("there is nothing to ask")


def swap(service: Service, folder: Folder, probe: Asked, swaps: int) -> None:
    """Put one rule set and the other in force in turn; what is asked after a swap is answered by the new one."""
    revisions = [answer["context"]["revision"] for answer in probe.answers]
    for number in range(swaps):
        folder.hold(number % 2)
        answer = service.http.post("/v1/policy/reload")
        assert (answer.status_code, answer.json()["revision"]) == (200, revisions[number % 2])
        assert probe.ask(service.http) == number % 2


def check_journal(record: Record, batch: Asked) -> int:
    """Each entry of a batch names one rule set and holds that one's answers; how many there were."""
    answers = [answer["evaluations"] for answer in batch.answers]
    revisions = [answer[0]["context"]["revision"] for answer in answers]
    entries = [entry for entry in record.trace() if "items" in entry]
    for entry in entries:
        by_its_rules = answers[revisions.index(entry["revision"])]
        expected = [
            (answer["decision"], answer["context"]["rule"])
            for asked, answer in zip(batch.body["evaluations"], by_its_rules, strict=True)
            if asked["subject"]["id"] == entry["subject"]["id"]
            and asked["context"].get("patient_present", False) == entry.get("patient_present", False)
        ]
        assert [(item["decision"], item["rule"]) for item in entry["items"]] == expected
    assert {entry["revision"] for entry in entries} == set(revisions)
    return len(entries)


@pytest.mark.parametrize("swaps", [10, pytest.param(100, marks=pytest.mark.long)])
def test_every_answer_is_of_one_rule_set(fresh_stack: Stack, tmp_path: Path, swaps: int) -> None:
    """No request fails; each answer, a whole batch, each entry of the journal is the old rules' or the new ones'."""
    folder = Folder(tmp_path / "policy")
    stack = replace(fresh_stack, variables={**fresh_stack.variables, "DMP_POLICY_DIR": str(folder.path)})
    with started(stack) as service, ThreadPoolExecutor(WHAT_IFS + 1) as clients:
        record = service.opened()
        record.declare_treating_physician()
        record.grant()
        what_ifs, in_earnest = questions(record, dry_run=True), questions(record, dry_run=False)
        for address, body in in_earnest:
            service.http.post(address, json=body).raise_for_status()  # from now on each of them has read something
        asked, written = learnt(service, folder, what_ifs), learnt(service, folder, in_earnest)
        assert all(each.answers[0] != each.answers[1] for each in (*asked, *written))
        stop = Event()
        running = [clients.submit(asking, service, each, stop) for each in (*[asked] * WHAT_IFS, written)]
        try:
            swap(service, folder, asked[0], swaps)
        finally:
            stop.set()
        seen = sum((each.result() for each in running), Counter[int]())
        assert min(seen[0], seen[1]) > swaps
        entries = check_journal(record, written[-1])
    figures = f"{seen[0]:,} and {seen[1]:,} decisions of either rule set in {swaps} swaps, {entries} entries of batches"
    print(f"reload under load, {stack.name}: {figures}, no mixture, no failure")  # noqa: T201 - what the test counts
