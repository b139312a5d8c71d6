"""What follows from one arrival: requests, one after the other, each answer checked when it comes."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from loadtests.population import Dossier
from loadtests.questions import Asked
from loadtests.recording import WRONG
from loadtests.users.process import MOST_PERSONS, PERSONS, PLAN, RECORDING, clock, is_warm

Check = Callable[[Any], str | None]
"""What is wrong with an answer; None if nothing is."""

Headers = Mapping[str, str]

_SUCCESS = range(200, 300)


class VisitEndedError(Exception):
    """An answer failed and is counted: what would have followed is left out."""


class Visit:
    """Due at an instant of the clock: so is its first request. A later one is due when it can be asked."""

    def __init__(self, persona: str, client: Any, due: float) -> None:
        self._persona = persona
        self._client = client
        self._due: float | None = due

    def ask(self, asked: Asked, *, dry_run: bool = False) -> None:
        """One question to the decision point."""

        def check(answer: Any) -> str | None:
            return None if answer["decision"] is asked.expected else f"the decision is not {asked.expected}"

        self.exchange("decision", "POST", "/access/v1/evaluation", check, body=asked.body(dry_run=dry_run))

    def person(self, dossier: Dossier) -> str:
        """The holder's pseudonym, asked for once."""
        if dossier.number not in PERSONS:
            answer = self.exchange("identity", "POST", "/v1/identities", _has("person"), body={"ins": dossier.ins})
            if len(PERSONS) >= MOST_PERSONS:
                PERSONS.clear()
            PERSONS[dossier.number] = str(answer["person"])
        return PERSONS[dossier.number]

    def exchange(
        self,
        endpoint: str,
        method: str,
        path: str,
        check: Check,
        *,
        body: Any = None,
        headers: Headers | None = None,
    ) -> Any:
        """The JSON of an answer that is right. Raises VisitEndedError."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        data = json.dumps(body, separators=(",", ":")) if body is not None else None
        return self.send(endpoint, method, path, check, read=json.loads, data=data, headers=sent | dict(headers or {}))

    def send(
        self,
        endpoint: str,
        method: str,
        path: str,
        check: Check,
        *,
        read: Callable[[bytes], Any],
        headers: Headers,
        data: str | bytes | None = None,
        key: str = PLAN.key,
    ) -> Any:
        """What `read` makes of the body of an answer that is right. Raises VisitEndedError."""
        due = self._begin()
        with self._client.request(
            method,
            path,
            name=f"{self._persona}: {endpoint}",
            headers={"Authorization": f"Bearer {key}"} | dict(headers),
            data=data,
            catch_response=True,
        ) as response:
            milliseconds = (clock() - due) * 1_000
            response.request_meta["response_time"] = milliseconds
            answer, failure = _judged(response, read, check)
            if failure is None:
                response.success()
            else:
                response.failure(failure)
        RECORDING.answer((self._persona, endpoint), int(time.time()), milliseconds, failure, warm=is_warm())
        if failure is not None:
            raise VisitEndedError
        return answer

    def _begin(self) -> float:
        now = clock()
        if self._due is None:
            return now
        due, self._due = self._due, None
        RECORDING.late[int(time.time())].add((now - due) * 1_000, failed=False)
        return due


def _judged(response: Any, read: Callable[[bytes], Any], check: Check) -> tuple[Any, str | None]:
    if not response.status_code:
        return None, f"no answer ({type(getattr(response, 'error', None)).__name__})"
    if response.status_code not in _SUCCESS:
        return None, f"status {response.status_code}"
    try:
        answer = read(response.content)
        wrong = check(answer)
    except (KeyError, TypeError, ValueError) as error:
        return None, f"{WRONG}it has another form ({type(error).__name__})"
    return answer, None if wrong is None else WRONG + wrong


def _has(name: str) -> Check:
    return lambda answer: None if answer[name] else f"there is no {name}"


def on_behalf_of(kind: str, name: str, **more: str) -> Headers:
    """Who asks: a professional has shown his card."""
    stated = {"DMP-Subject": f"{kind}/{name}"} | {header.replace("_", "-"): text for header, text in more.items()}
    return stated | {"DMP-Authentication": "cps"} if kind == "professional" else stated
