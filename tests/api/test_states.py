"""Who closes, reopens, suspends and erases a dossier; a representative until the holder comes of age."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from models.queries.dossiers import set_state
from models.vocabulary import DossierState
from tests.api.whole import CHILD_INS, FUND, HOSPITAL, INS, NURSE, OTHER_INS, TREATING, Json, Whole

HOLDER, PARENT, CAREGIVER = "holder", "parent", "caregiver"
OTHERS = (CAREGIVER, TREATING, f"professional/{NURSE}", f"organization/{HOSPITAL}")
EVERYBODY = (HOLDER, PARENT, f"organization/{FUND}", *OTHERS)
ACTIONS = {"close": "closed", "reopen": "open", "suspend": "suspended", "erase": None}
NOBODY = "not-permitted"
CLOSED = "dossier-closed"

# What differs from the refusal by which everybody else is kept off in that state.
FAMILY = (HOLDER, PARENT)
THE_FUND = (f"organization/{FUND}",)
DONE = {
    ("open", "close"): (FAMILY, 200),
    ("open", "reopen"): ((*FAMILY, *THE_FUND), 409),
    ("open", "suspend"): (THE_FUND, 200),
    ("open", "erase"): (FAMILY, 204),
    ("closed", "reopen"): (FAMILY, 200),
    ("closed", "erase"): (FAMILY, 204),
    ("suspended", "reopen"): (THE_FUND, 200),
    ("suspended", "erase"): (FAMILY, 204),
}

CHILD: tuple[Json, ...] = (
    {"kind": "dossier", "ins": CHILD_INS, "state": "open", "born": "2008-10-20"},
    {"kind": "representation", "dossier_ins": CHILD_INS, "person_ins": OTHER_INS, "as": "legal_representative"},
    {"kind": "representation", "dossier_ins": CHILD_INS, "person_ins": INS, "as": "caregiver"},
    {
        "kind": "relation",
        "dossier_ins": CHILD_INS,
        "professional": TREATING.removeprefix("professional/"),
        "relation": "treating_physician",
    },
)
BIRTHDAY = datetime(2026, 10, 19, 22, tzinfo=UTC)  # midnight in Paris


def subject(dmp: Whole, who: str) -> str:
    people = {HOLDER: CHILD_INS, PARENT: OTHER_INS, CAREGIVER: INS}
    return f"person/{dmp.id_of(people[who])}" if who in people else who


async def ask(dmp: Whole, who: str, action: str) -> httpx.Response:
    state, headers = ACTIONS[action], dmp.headers(subject(dmp, who))
    if state is None:
        return await dmp.http.delete(dmp.path("", CHILD_INS), headers=headers)
    return await dmp.http.put(dmp.path("/state", CHILD_INS), json={"state": state}, headers=headers)


@pytest.mark.parametrize("state", ["open", "closed", "suspended"])
async def test_each_by_whom_the_rules_say(dmp: Whole, state: str) -> None:
    """Holder and a minor's representative close, reopen what is closed, and erase; the fund suspends and reopens."""
    identity = UUID(dmp.id_of(CHILD_INS))
    refusal = (403, NOBODY if state == "open" else CLOSED)
    await dmp.learn(*CHILD)
    for action in ACTIONS:
        able, status = DONE.get((state, action), ((), 0))
        for who in EVERYBODY:
            async with dmp.database.begin() as connection:
                await set_state(connection, identity, DossierState(state), dmp.clock.now)
            answer = await ask(dmp, who, action)
            told = (answer.status_code, answer.json().get("reason") if answer.status_code == 403 else None)
            if answer.status_code == 204:
                await dmp.learn(*CHILD)
            assert (action, who, told) == (action, who, (status, None) if who in able else refusal)


async def test_closing_keeps_everything_and_shows_the_holders_rights_alone(dmp: Whole) -> None:
    """Export and journal stay his; documents come back when he reopens."""
    document = await dmp.deposit()
    holder = dmp.headers(HOLDER)
    reading = f"/v1/documents/{document}/content"
    assert (await dmp.http.put(dmp.path("/state"), json={"state": "closed"}, headers=holder)).status_code == 200
    for path, status in (
        (reading, 403),
        (dmp.path(""), 403),
        (dmp.path("/documents"), 403),
        (dmp.path("/journal"), 200),
    ):
        assert (path, (await dmp.http.get(path, headers=holder)).status_code) == (path, status)
    assert (await dmp.http.post(dmp.path("/exports"), headers=holder)).status_code in {200, 201, 202}
    assert (await dmp.http.put(dmp.path("/state"), json={"state": "open"}, headers=holder)).status_code == 200
    assert (await dmp.http.get(reading, headers=holder)).content == b"content"


class TestComingOfAge:
    """Eighteen years, in France."""

    async def may(self, dmp: Whole, who: str, action: str = "document:list") -> bool:
        question = {
            "subject": dict(zip(("type", "id"), subject(dmp, who).split("/"), strict=True)),
            "action": {"name": action},
            "resource": {"type": "dossier", "id": dmp.id_of(CHILD_INS)},
            "context": {"dry_run": True},
        }
        answer = await dmp.http.post("/access/v1/evaluation", json=question)
        allowed: bool = answer.json()["decision"]
        read = await dmp.http.get(dmp.path("", CHILD_INS), headers=dmp.headers(subject(dmp, who)))
        assert action != "document:list" or read.is_success == allowed
        return allowed

    async def test_the_representatives_right_ends_at_the_birthday(self, dmp: Whole) -> None:
        """At midnight in Paris, without anyone acting; the holder's own right, and a caregiver's, do not."""
        await dmp.learn(*CHILD)
        dmp.clock.now = BIRTHDAY - timedelta(seconds=1)
        assert [await self.may(dmp, who) for who in (HOLDER, PARENT, CAREGIVER)] == [True, True, True]
        dmp.clock.now = BIRTHDAY
        assert [await self.may(dmp, who) for who in (HOLDER, PARENT, CAREGIVER)] == [True, False, True]
        for action in ACTIONS:
            answer = await ask(dmp, PARENT, action)
            assert (answer.status_code, answer.json()["reason"]) == (403, "unknown-subject")
        assert (await ask(dmp, HOLDER, "close")).status_code == 200

    async def test_a_protected_adult_keeps_his_representative(self, dmp: Whole) -> None:
        """Whatever his age, until the representation itself ends."""
        until = BIRTHDAY + timedelta(days=30)
        protected, representation = CHILD[0] | {"protected": True}, CHILD[1] | {"until": until.isoformat()}
        await dmp.learn(protected, representation)
        for at, allowed in ((BIRTHDAY, True), (until - timedelta(seconds=1), True), (until, False)):
            dmp.clock.now = at
            assert await self.may(dmp, PARENT) == allowed
