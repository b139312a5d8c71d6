"""Every key is replaced while the service answers, and the old ones are destroyed."""

import json
import re
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from click.testing import CliRunner

from api.cli.main import dmp
from tests.journeys.databases import rows
from tests.journeys.people import HOSPITAL, NURSE_RPPS, TREATING
from tests.journeys.processes import Stack, serving
from tests.journeys.service import Record, Service, ask, connection, question, scan, started

CALLERS = 3
AGAIN = 20
OLD = re.compile(r"(dossier|journal|index|rows|signing)/1")
EVERYTHING = (
    ("rotate", "master"),
    ("rotate", "shard"),
    ("rotate", "rows"),
    ("rotate", "signing"),
    ("rotate", "dossier", "--all"),
    ("rewrap",),
)


class Caller:
    """Opens dossiers, deposits, reads and asks without a pause; remembers what was promised, and what failed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.kept: list[tuple[Record, str, bytes]] = []

    def call(self, stop: threading.Event) -> int:
        """Until told to stop; how many turns that were. Raises AssertionError at the first wrong answer."""
        turns = 0
        with self.service.caller(self.service.key) as http:
            while not stop.is_set():
                self._turn(http)
                turns += 1
        return turns

    def _turn(self, http: httpx.Client) -> None:
        record = Service(self.service.stack, self.service.server, self.service.key, http).opened()
        content = scan(secrets.token_bytes(100))
        document = record.deposited(HOSPITAL, content)
        self.kept.append((record, document, content))
        for each in {0, len(self.kept) // 2, len(self.kept) - 1}:
            self.read(http, each)
        asked = question(HOSPITAL, "document:deposit", record.resource, properties={"document_type": "11488-4"})
        answer = http.post("/access/v1/evaluation", json=asked)
        assert answer.status_code == 200, answer.text

    def read(self, http: httpx.Client, number: int) -> None:
        record, document, content = self.kept[number]
        answer = ask(http, "GET", f"/v1/documents/{document}/content", record.holder)
        assert (answer.status_code, answer.content) == (200, content), answer.text
        listed = ask(http, "GET", record.path("/documents"), record.holder)
        assert listed.status_code == 200, listed.text
        assert [line["title"] for line in listed.json()["documents"]] == ["Compte rendu"]

    def read_again(self, http: httpx.Client) -> None:
        """Some of all that was ever deposited, the first and the last among them."""
        last = len(self.kept) - 1
        for number in sorted({last * part // AGAIN for part in range(AGAIN + 1)}):
            self.read(http, number)


@contextmanager
def called(service: Service) -> Iterator[list[Caller]]:
    """Callers at work for as long as the block lasts; none of them may be refused anything."""
    stop, callers = threading.Event(), [Caller(service) for _ in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as threads:
        futures: list[Future[int]] = [threads.submit(caller.call, stop) for caller in callers]
        try:
            yield callers
        finally:
            stop.set()
        assert all(future.result() > 0 for future in futures)


class Told:
    """One dossier with all that stands under its key: a document with a title, a contest, a letter, an answer kept."""

    def __init__(self, service: Service) -> None:
        self.record = service.opened()
        self.record.declare_treating_physician()
        self.answer = self.record.deposit(HOSPITAL, b"once", key="k").json()
        self.document = str(self.answer["id"])
        contest = self.record.about("POST", f"{self.document}/contest", self.record.holder, {"reason": "Non"})
        assert contest.status_code == 204, contest.text
        letter = {"to": NURSE_RPPS, "subject": "Votre avis", "body": "Qu'en pensez-vous ?"}
        sent = self.record.ask("POST", "/messages", TREATING, letter)
        assert sent.status_code == 201, sent.text
        self.letter = sent.json()["id"]

    def holds(self, service: Service) -> None:
        """Everything reads, and the deposit that is sent again gets the answer that it got."""
        record = Record(service, self.record.ins, self.record.id)
        assert record.deposit(HOSPITAL, b"once", key="k").json() == self.answer
        sheet = record.about("GET", self.document, record.holder).json()
        assert (sheet["title"], sheet["contested"]["reason"]) == ("Compte rendu", "Non")
        letter = ask(service.http, "GET", f"/v1/messages/{self.letter}", TREATING).json()
        assert (letter["subject"], letter["body"]) == ("Votre avis", "Qu'en pensez-vous ?")


def keys(stack: Stack, *arguments: str) -> str:
    """`dmp keys ...`, which succeeds; in this process, which is not the service's."""
    done = CliRunner().invoke(dmp, ["keys", *arguments], env={**stack.variables, "DMP_HOME": str(stack.home)})
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def test_every_key_is_replaced_while_the_service_answers(fresh_stack: Stack) -> None:
    """Nobody is refused anything; the old keys are gone; all that was ever deposited reads, after a restart too."""
    with started(fresh_stack) as service:
        told = Told(service)
        with called(service) as callers:
            for command in EVERYTHING:
                keys(fresh_stack, *command)
            keys(fresh_stack, "destroy", "--replaced")
        for caller in callers:
            caller.read_again(service.http)
        told.holds(service)
    named = {value for row in rows(fresh_stack, "shard_key") for value in row if isinstance(value, str)}
    assert [name for name in named if OLD.fullmatch(name)] == []
    trees = json.loads(keys(fresh_stack, "status", "--json"))["trees"]
    assert [tree["outdated"] for tree in trees.values()] == [0] * len(trees)
    states = {name: {master["state"] for master in tree["masters"]} for name, tree in trees.items()}
    assert all(of_tree == {"primary", "destroyed"} for of_tree in states.values()), states
    with serving(fresh_stack) as server, connection(server.address, service.key) as http:
        told.holds(Service(fresh_stack, server, service.key, http))
        for caller in callers:
            caller.read_again(http)
        verified = fresh_stack.dmp("journal", "verify")
        assert verified.returncode == 0, verified.stderr
