"""Who writes to whom, and which refusals close messages."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.correspondence import (
    ABSENT,
    COLLEAGUE,
    MORE,
    PATIENT,
    PROHIBITED,
    SOCIAL,
    STRANGER,
    ask,
    grant,
    listed,
    put,
    read,
    refused,
    send,
    sent,
)
from tests.api.whole import FUND, HOLDER, HOSPITAL, NURSE, OTHER_INS, PHYSICIAN, TREATING, Json, Whole

EMBEDDED = pytest.mark.parametrize("dialect", ["sqlite"])
"""For what does not depend on where facts are stored."""

WEAK = {"DMP-Authentication": ""}
EMERGENCIES = ({"DMP-Mode": "break_glass", "DMP-Reason": "Patient%20inconscient"}, {"DMP-Mode": "centre_15"})


async def test_whatever_closes_the_dossier_closes_its_messages(dmp: Whole) -> None:
    """Closed and suspended dossiers, blocks, weak authentications, emergencies: nothing is sent, nothing is read."""
    letter = await sent(dmp)
    doors = (f"/{letter}", f"/{letter}/thread")
    for stated, rule in ((WEAK, "weak-authentication"), *((each, "emergency-scope") for each in EMERGENCIES)):
        assert await send(dmp, stated=stated) == (403, rule)
        assert {await refused(dmp, door, stated=stated) for door in doors} == {(403, rule)}
    assert await refused(dmp, stated=WEAK) == (403, "weak-authentication")
    for state, who in (("closed", HOLDER), ("suspended", f"organization/{FUND}")):
        await put(dmp, "/state", who, state=state)
        assert await send(dmp) == (403, "dossier-closed")
        assert {await refused(dmp, door) for door in doors} == {(403, "dossier-closed")}
        assert await listed(dmp) == await listed(dmp, "?box=sent", TREATING) == []
        await put(dmp, "/state", who, state="open")
    for rpps in (NURSE, PHYSICIAN):
        await put(dmp, f"/accesses/professional/{rpps}", access="blocked")
    assert await send(dmp) == (403, "blocked")
    assert {await refused(dmp, door) for door in doors} == {(403, "blocked")}
    assert await listed(dmp) == await listed(dmp, "?box=sent", TREATING) == []


@EMBEDDED
async def test_nobody_corresponds_about_himself(dmp: Whole) -> None:
    """With a professional's access: he neither sends nor reads, even what somebody wrote to him."""
    await dmp.learn(*MORE)
    letter, himself = await sent(dmp, PATIENT), f"professional/{PATIENT}"
    await grant(dmp, PATIENT)
    assert await send(dmp, who=himself) == (403, "self-consultation")
    assert await refused(dmp, f"/{letter}", himself) == (403, "self-consultation")
    assert await listed(dmp, who=himself) == []


@EMBEDDED
async def test_a_message_goes_to_another_health_professional(dmp: Whole) -> None:
    """Of the directory, whatever ties him to the dossier; each refusal says why."""
    await dmp.learn(*MORE)
    nobody = (400, "The addressee is no health professional of the directory.")
    assert await send(dmp, SOCIAL) == await send(dmp, ABSENT) == nobody
    assert await send(dmp, PHYSICIAN) == (400, "A message goes to somebody else than its sender.")
    assert await send(dmp, "10000000034") == (400, "An identifier of the request is not one.")
    assert (await send(dmp, STRANGER))[0] == 201


@EMBEDDED
async def test_a_reply_goes_to_the_other_party(dmp: Whole) -> None:
    """Of a message of the same dossier that its sender may read; what he may not read is told like what is not."""
    await dmp.learn(*MORE)
    first, aside = await sent(dmp), await sent(dmp, STRANGER)
    await grant(dmp)
    elsewhere = (400, "A reply goes to the other party of the message that it answers.")
    unread = (400, "A message refers to what its sender may read in the same dossier.")
    assert (
        await send(dmp, STRANGER, reply_to=first) == await send(dmp, STRANGER, COLLEAGUE, reply_to=first) == elsewhere
    )
    assert {await send(dmp, PHYSICIAN, COLLEAGUE, reply_to=each) for each in (aside, str(uuid4()))} == {unread}
    assert (await send(dmp, PHYSICIAN, COLLEAGUE, reply_to=first))[0] == 201
    assert (await send(dmp, reply_to=first))[0] == 201


@EMBEDDED
async def test_a_reply_stays_in_its_dossier(dmp: Whole) -> None:
    """What is answered from another dossier is told like what does not exist."""
    first = await sent(dmp)
    await dmp.learn(
        {"kind": "relation", "dossier_ins": OTHER_INS, "professional": PHYSICIAN, "relation": "treating_physician"}
    )
    body = {"to": NURSE, "subject": "s", "body": "b", "reply_to": first}
    answer = await dmp.http.post(dmp.path("/messages", OTHER_INS), json=body, headers=dmp.headers(TREATING))
    sentence = "A message refers to what its sender may read in the same dossier."
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


@EMBEDDED
async def test_patients_and_who_helps_them_never_send(dmp: Whole) -> None:
    """Nor software, nor who has no access to the dossier, nor anybody of a prohibited party."""
    await dmp.learn(*MORE)
    caregiver = f"person/{dmp.id_of(OTHER_INS)}"
    for who in (HOLDER, caregiver, f"organization/{HOSPITAL}", COLLEAGUE):
        assert await send(dmp, STRANGER, who) == (403, "not-permitted")
    assert {await send(dmp, who=who) for who in PROHIBITED} == {(403, "prohibited-party")}
    assert await listed(dmp, who=caregiver) == []


@EMBEDDED
async def test_other_systems_give_prohibited_parties_nothing(dmp: Whole) -> None:
    """Whichever of them is asked (RULES §7)."""
    await dmp.learn(*MORE)
    document, letter, at = await dmp.deposit(), await sent(dmp), dmp.path("")
    doors: tuple[tuple[str, str, Json | None], ...] = (
        ("GET", f"/v1/messages/{letter}", None),
        ("GET", f"/v1/messages/{letter}/thread", None),
        ("POST", f"{at}/messages", {"to": NURSE, "subject": "s", "body": "b"}),
        ("GET", f"{at}/documents", None),
        ("GET", f"{at}/treatments", None),
        ("GET", f"{at}/reminders", None),
        ("POST", f"/v1/documents/{document}/contest", {"reason": "r"}),
        ("PUT", f"/v1/documents/{document}/contest", {"kept": True, "reason": "r"}),
        ("PUT", f"{at}/treating-physicians/{PHYSICIAN}", None),
        ("POST", f"{at}/exports", None),
    )
    for who in PROHIBITED:
        for method, path, body in doors:
            answer = await dmp.http.request(method, path, json=body, headers=dmp.headers(who))
            assert (answer.status_code, answer.json().get("reason")) == (403, "prohibited-party"), path


@EMBEDDED
async def test_what_is_sent_is_bounded(dmp: Whole) -> None:
    """The problem names the member."""
    allowed = "The member {} has a value that is not allowed."
    bad: tuple[tuple[str, Any, str], ...] = (
        ("subject", "x" * 301, allowed),
        ("subject", "", allowed),
        ("body", "x" * 100_001, allowed),
        ("body", "", allowed),
        ("documents", [str(uuid4()) for _ in range(51)], allowed),
        ("documents", "x", "The member {} must be an array."),
        ("attachment", "x", "The body has a member that this service does not know."),
    )
    for member, value, sentence in bad:
        assert await send(dmp, **{member: value}) == (400, sentence.format(member))
    assert (await send(dmp, subject="x" * 300, body="é" * 100_000))[0] == 201


@EMBEDDED
async def test_boxes_are_asked_for_by_words(dmp: Whole) -> None:
    """Anything else is refused with the words that there are."""
    for query, sentence in (
        ("?box=outbox", "The parameter box is inbox or sent."),
        ("?unread=1", "The parameter unread is true or false."),
        ("?limit=0", "The parameter limit is a number from 1 to 1000."),
    ):
        answer = await ask(dmp, query)
        assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


_WORDS = st.text(max_size=20) | st.sampled_from([NURSE, PHYSICIAN, str(uuid4())])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_TEXTS = st.text(min_size=1, max_size=20) | _VALUES
_DRAFTS = st.fixed_dictionaries(
    {"to": st.just(NURSE) | _VALUES, "subject": _TEXTS, "body": _TEXTS},
    optional={"documents": st.lists(st.uuids().map(str), max_size=2) | _VALUES, "reply_to": _VALUES},
)


@EMBEDDED
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_DRAFTS)
async def test_nothing_that_is_sent_makes_the_service_fail(dmp: Whole, draft: Json) -> None:
    """Any JSON that resembles a message is sent or refused, and what is sent is read as it was written."""
    answer = await dmp.http.post(dmp.path("/messages"), json=draft, headers=dmp.headers(TREATING))
    assert answer.status_code in {201, 400}
    if answer.status_code == 201:
        told = await read(dmp, answer.json()["id"])
        assert (told["subject"], told["body"]) == (draft["subject"], draft["body"])
