"""Two instances on one PostgreSQL, under load: one is killed and started again, and the other never notices."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from pathlib import Path
from random import Random
from threading import Event

import pytest

from api.cli import clients, setting_up
from loadtests import questions
from loadtests.drawing import Source
from loadtests.population import Dossier, Population
from loadtests.questions import Asked
from models.vocabulary import Scope
from tests.journeys.databases import entries
from tests.journeys.instances import Connection, Instance, running
from tests.journeys.operators import said, settings_of
from tests.journeys.processes import Stack, until
from tests.loadtests.homes import populate

POPULATION = Population(300, seed=3)
CONNECTIONS = 8
"""To each instance, that ask; besides those by which holders block somebody."""

QUESTIONS = 400
HOLDERS = 6
AHEAD = 100
"""Answers of an instance between one event and the next: whoever is killed is in the middle of something."""

Told = tuple[bool, str, str]
"""A decision, who asked, and about what."""


@pytest.fixture
def stack(tmp_path: Path, migrated_postgresql_url: str, common: Mapping[str, str]) -> Stack:
    """PostgreSQL with the population in it."""
    made = Stack("instances", tmp_path / "home", {**common, "DMP_DATABASE_URL": migrated_postgresql_url})
    setting_up.initialise(made.settings)
    populate(made.settings, POPULATION)
    return made


@dataclass(frozen=True, slots=True)
class Holder:
    """A patient, and a question of the treating physician whom he blocks and lets in again."""

    person: str
    asked: Asked

    @property
    def access(self) -> str:
        return f"/v1/dossiers/{self.person}/accesses/professional/{self.asked.subject[1]}"


@dataclass(slots=True)
class Load:
    """What is asked of the instances until they are told to stop, and what they answered."""

    instances: Sequence[Instance]
    key: str
    asked: Sequence[Asked]
    holders: Sequence[Holder]
    written: dict[str, Told] = field(default_factory=dict)
    """By the request's id: the answers that were written down before they came."""

    changes: int = 0
    """Blocks that were written and taken back."""

    stop: Event = field(default_factory=Event)

    def ask(self, instance: Instance, number: int) -> None:
        """One question after the other over one connection, dry and in earnest in turn."""
        turns = zip(cycle(self.asked[number * 20 :]), cycle((True, False)))
        with closing(Connection(instance, self.key, f"asks-{number}-{instance.port}")) as connection:
            for asked, dry_run in turns:
                if self.stop.is_set():
                    return
                self._decide(connection, asked, asked.expected, dry_run=dry_run)

    def block(self, number: int) -> None:
        """What one instance has written is in force at the other as soon as it is answered, and at itself."""
        holders = self.holders[number :: len(self.instances)]
        with ExitStack() as stack:
            named = ((each, f"blocks-{number}-{each.port}") for each in self.instances)
            lines = [stack.enter_context(closing(Connection(each, self.key, name))) for each, name in named]
            for turn in count():
                if self.stop.is_set():
                    return
                through, other = lines[turn % 2], lines[1 - turn % 2]
                self._change(through, other, holders[turn % len(holders)])

    def _change(self, through: Connection, other: Connection, holder: Holder) -> None:
        for blocked in (True, False):
            self._write(through, other, holder, blocked=blocked)
            for connection, dry_run in ((other, True), (through, False), (other, False), (through, True)):
                self._decide(connection, holder.asked, not blocked, dry_run=dry_run)
        self.changes += 1

    def _write(self, through: Connection, other: Connection, holder: Holder, *, blocked: bool) -> None:
        """Through the other if the answer is lost: whether it was written before is not known then."""
        on_behalf = {"DMP-Subject": f"person/{holder.person}"}
        method, body, right = ("PUT", {"access": "blocked"}, 200) if blocked else ("DELETE", None, 204)
        for connection in cycle((through, other)):
            answer = connection.send(method, holder.access, body, on_behalf)
            if answer is not None:
                assert answer.status == right, answer
                self.written[answer.request] = (True, holder.person, holder.person)
                return

    def _decide(self, connection: Connection, asked: Asked, expected: bool, *, dry_run: bool) -> None:
        answer = connection.send("POST", "/access/v1/evaluation", asked.body(dry_run=dry_run))
        if answer is None:
            return
        assert answer.status == 200, answer
        assert json.loads(answer.body)["decision"] is expected, asked
        if not dry_run:
            self.written[answer.request] = (expected, asked.subject[1], str(asked.document.id))


@contextmanager
def under_load(load: Load) -> Iterator[Callable[..., None]]:
    """Gives what waits until instances have answered so many more questions; a wrong answer fails the block."""
    with ThreadPoolExecutor((CONNECTIONS + 1) * len(load.instances)) as threads:
        running = [threads.submit(load.block, number) for number in range(len(load.instances))]
        for number in range(CONNECTIONS):
            running += [threads.submit(load.ask, each, number) for each in load.instances]

        def until_answered(*instances: Instance) -> None:
            wanted = [(each, each.answers + AHEAD) for each in instances]
            until(lambda: all(each.answers >= most for each, most in wanted) or any(each.done() for each in running))

        try:
            yield until_answered
        finally:
            load.stop.set()
        for each in running:
            each.result()


def loaded(stack: Stack, instances: Sequence[Instance]) -> Load:
    """Questions of everybody, and holders whom these are not about."""
    key = clients.add(stack.settings, "load", [scope.value for scope in (Scope.DECIDE, Scope.DOSSIERS)], (), None)
    holders: list[Holder] = []
    with closing(Connection(instances[0], key, "identities")) as connection:
        for dossier, physician in islice(with_treating_physicians(), HOLDERS):
            answer = connection.send("POST", "/v1/identities", {"ins": dossier.ins})
            assert answer is not None
            question = Asked(("professional", physician), dossier.documents[0], expected=True)
            holders.append(Holder(json.loads(answer.body)["person"], question))
    apart = {
        document.id for dossier, _ in islice(with_treating_physicians(), HOLDERS) for document in dossier.documents
    }
    source = Source(POPULATION, Random(1), ahead=100)
    asked = [each for _ in range(QUESTIONS) if (each := questions.anybody(source)).document.id not in apart]
    return Load(instances, key, asked, holders)


def with_treating_physicians() -> Iterator[tuple[Dossier, str]]:
    for number in range(POPULATION.dossiers):
        dossier = POPULATION.dossier(number)
        if dossier.treating_physician:
            yield dossier, dossier.treating_physician


def check_journal(stack: Stack, written: Mapping[str, Told]) -> int:
    """It verifies, holds every answer that came as it was given, and nothing twice; how many entries there are."""
    found = entries(stack)
    times = Counter(entry.request_id for entry in found)
    assert [name for name, each in times.items() if each > 1] == []
    told = {entry.request_id: (entry.allowed, entry.subject.id, entry.resource.id) for entry in found}
    assert written == {name: told.get(name) for name in written}
    code, _, error = said(settings_of(stack), "verify")
    assert (code, error) == (0, "")
    return len(found)


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.long)])
def test_one_of_two_instances_is_killed(stack: Stack, kills: int) -> None:
    """No wrong answer; lost are only connections to it that were open, or refused while it was down."""
    with running(stack, 2) as instances:
        load = loaded(stack, instances)
        with under_load(load) as until_answered:
            for kill in range(kills):
                killed, other = instances[kill % 2], instances[1 - kill % 2]
                until_answered(*instances)
                killed.kill()
                until_answered(other)
                killed.start()
                until_answered(*instances)
        assert [instance.unexplained() for instance in instances] == [[], []]
        assert load.changes > kills
    lost = sum(len(instance.losses) for instance in instances)
    written = check_journal(stack, load.written)
    answers = sum(instance.answers for instance in instances)
    print(f"{kills} kills: {answers:,} right answers, {lost} connections lost or refused, {written:,} entries")  # noqa: T201 - what the test counts
