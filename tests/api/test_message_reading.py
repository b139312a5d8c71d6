"""How messages are read: boxes, threads, what they refer to, what the journal says, and what is left of them."""

from uuid import UUID, uuid4

import jsonschema
import pytest
from sqlalchemy import delete, insert, select, update

from api.services import messages as service
from models.facts import Message
from models.queries.messages import StoredMessage, add_message
from models.tables import dossier, message, whereabouts
from models.vocabulary import ACTIONS_ON, ResourceType
from tests.api.correspondence import (
    COLLEAGUE,
    MORE,
    STRANGER,
    ask,
    grant,
    listed,
    read,
    refused,
    send,
    sent,
)
from tests.api.service import bearer
from tests.api.whole import DECIDING_KEY, HOLDER, HOSPITAL, INS, NOW, NURSE, PHYSICIAN, TREATING, Json, Whole
from vault.errors import JournalUnavailableError
from vault.journal.ledger import Ledger

EMBEDDED = pytest.mark.parametrize("dialect", ["sqlite"])
"""For what does not depend on where facts are stored."""


async def test_the_first_reading_is_told_and_stays(dmp: Whole) -> None:
    """To both; a message that a box lists is not read by that, nor one that its sender reads."""
    letter, other = await sent(dmp), await sent(dmp)
    assert set(await listed(dmp)) == set(await listed(dmp, "?unread=true")) == {other, letter}
    assert (await read(dmp, letter, TREATING))["read_at"] is None
    assert (await read(dmp, letter))["read_at"] == "2026-10-15T12:00:00Z"
    dmp.clock.now = NOW.replace(hour=18)
    assert (await read(dmp, letter))["read_at"] == "2026-10-15T12:00:00Z"
    assert await listed(dmp, "?unread=true") == await listed(dmp, "?box=sent&unread=true", TREATING) == [other]
    assert set(await listed(dmp, "?box=sent&unread=false", TREATING)) == {other, letter}
    assert await listed(dmp, "?box=sent") == await listed(dmp, "?box=inbox", TREATING) == []


async def test_a_thread_is_read_whole_and_page_by_page(dmp: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oldest first, from any of its messages; what the two wrote beside it is no part of it."""
    await grant(dmp)
    first = await sent(dmp)
    await sent(dmp)
    dmp.clock.now = NOW.replace(minute=1)
    second = await sent(dmp, PHYSICIAN, COLLEAGUE, reply_to=first)
    dmp.clock.now = NOW.replace(minute=2)
    third = await sent(dmp, reply_to=second)
    assert await listed(dmp, f"/{third}/thread") == await listed(dmp, f"/{first}/thread") == [first, second, third]
    assert (first in await listed(dmp, "?unread=true"), await listed(dmp, "?unread=true", TREATING)) == (
        False,
        [second],
    )
    monkeypatch.setattr(service, "_LONGEST_PAGE", 2)
    page = (await ask(dmp, f"/{third}/thread?limit=1000", TREATING)).json()
    rest = (await ask(dmp, f"/{third}/thread?after={page['next']}", TREATING)).json()
    assert [each["id"] for each in (*page["messages"], *rest["messages"])] == [first, second, third]
    assert rest["next"] is None
    newest, before = (await dmp.journal())[:2]
    assert newest["resource"] == {"type": "message", "id": third}
    assert [each["resource"]["id"] for each in before["items"]] == [third, first, second]


@EMBEDDED
async def test_a_thread_shows_nobody_what_others_wrote(dmp: Whole) -> None:
    """Threads from before replies were kept between two: what somebody else received in one is left out."""
    await dmp.learn(*MORE)
    first = await sent(dmp)
    parties = Message(uuid4(), PHYSICIAN, STRANGER)
    async with dmp.database.begin() as connection:
        await add_message(connection, StoredMessage(UUID(dmp.id_of()), parties, NOW, None, b"s", UUID(first)))
    assert await listed(dmp, f"/{first}/thread") == [first]
    assert await refused(dmp, f"/{parties.id}/thread") == (404, "no-message")
    assert set(await listed(dmp, f"/{first}/thread", TREATING)) == {first, str(parties.id)}


@EMBEDDED
async def test_references_show_what_their_reader_may_do_now(dmp: Whole) -> None:
    """What he may not read is left out, so that masked, deleted and beyond his profession are all like never named."""
    names = [await dmp.deposit(title=f"Document {number}") for number in range(4)]
    letter = await sent(dmp, documents=[*names, names[0]])
    plain = {await shown(dmp, letter)}
    await grant(dmp)
    may = ["document:read", "document:reveal"]
    told = (await read(dmp, letter))["documents"]
    assert [(each["id"], each["may"]) for each in told] == [(each, may) for each in names]
    await dmp.change(names[1], masked=True)
    answer = await dmp.http.delete(f"/v1/documents/{names[2]}", headers=dmp.headers(TREATING))
    assert answer.status_code == 204
    assert [each["id"] for each in (await read(dmp, letter))["documents"]] == [names[0], names[3]]
    assert [each["id"] for each in (await read(dmp, letter, TREATING))["documents"]] == [names[0], names[1], names[3]]
    await dmp.http.delete(dmp.path(f"/accesses/professional/{NURSE}"), headers=dmp.headers(HOLDER))
    plain |= {await shown(dmp, letter), await shown(dmp, await sent(dmp))}
    assert plain == {"[]"}


async def shown(dmp: Whole, letter: str) -> str:
    return str((await read(dmp, letter))["documents"])


@EMBEDDED
async def test_what_a_message_refers_to_is_not_read_by_that(dmp: Whole) -> None:
    """The journal says that the message was read, and the patient is not told of an access to documents."""
    letter = await sent(dmp, documents=[await dmp.deposit()])
    await grant(dmp)
    await read(dmp, letter)
    newest = (await dmp.journal())[0]
    assert (newest["action"], newest["obligations"], "items" in newest) == ("message:read", ["write_down"], False)
    assert await dmp.database.read("SELECT 1 FROM has_read WHERE professional = $1::text", NURSE) == []


async def answers(dmp: Whole, document: str) -> list[list[bool]]:
    """What each of several professionals may do with a document, in each mode."""
    asked = [
        {
            "subject": {"type": "professional", "id": rpps},
            "action": {"name": action.value},
            "resource": {"type": "document", "id": document},
            "context": {"authentication": "cps", "mode": mode, "reason": "Patient inconscient", "dry_run": True},
        }
        for rpps in (NURSE, STRANGER, PHYSICIAN)
        for action in sorted(ACTIONS_ON[ResourceType.DOCUMENT])
        for mode in ("normal", "break_glass")
    ]
    answer = await dmp.http.post("/access/v1/evaluations", json={"evaluations": asked})
    assert answer.status_code == 200, answer.text
    return [each["decision"] for each in answer.json()["evaluations"]]


@EMBEDDED
async def test_a_message_opens_no_document(dmp: Whole) -> None:
    """What its addressee and its sender may do with what it refers to is what they might do before."""
    await dmp.learn(*MORE)
    documents = [await dmp.deposit(), await dmp.deposit(who=f"organization/{HOSPITAL}")]
    await dmp.change(documents[1], masked=True)
    before = [await answers(dmp, each) for each in documents]
    for to in (NURSE, STRANGER):
        await read(dmp, await sent(dmp, to, documents=documents), f"professional/{to}")
    assert [await answers(dmp, each) for each in documents] == before
    assert any(answer for each in before for answer in each)


@EMBEDDED
async def test_what_cannot_be_written_down_is_not_read(dmp: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's entry and the first reading stand together, or not at all."""
    letter = await sent(dmp)

    async def fail(*_: object) -> None:
        raise JournalUnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "append", fail)
        assert {(await ask(dmp, f"/{letter}{tail}")).status_code for tail in ("", "/thread")} == {503}
    assert await listed(dmp, "?unread=true") == [letter]


@EMBEDDED
async def test_each_sending_and_reading_is_in_the_journal(dmp: Whole) -> None:
    """Who wrote to whom and when, who read it, who was refused; and nothing of what was written."""
    letter = await sent(dmp)
    await read(dmp, letter)
    await ask(dmp, f"/{letter}/thread", TREATING)
    await ask(dmp)
    await ask(dmp, f"/{letter}", HOLDER)
    await send(dmp, STRANGER, COLLEAGUE)
    entries = (await dmp.journal())[:6][::-1]
    holder = dmp.id_of()
    assert [(each["subject"]["id"], each["action"], each["decision"]) for each in entries] == [
        (PHYSICIAN, "message:send", True),
        (NURSE, "message:read", True),
        (PHYSICIAN, "message:read", True),
        (NURSE, "message:read", True),
        (holder, "message:read", False),
        (NURSE, "message:send", False),
    ]
    assert entries[0]["change"] == {"message": letter, "addressee": COLLEAGUE}
    assert {each["resource"]["id"] for each in entries[1:5]} == {letter}
    assert "pensez" not in str(entries)


@EMBEDDED
async def test_what_does_not_open_is_told_and_hides_nothing_else(dmp: Whole) -> None:
    """A box and a thread show the others; the journal says that this one gave nothing, and it stays unread."""
    await grant(dmp)
    broken = await sent(dmp)
    reply = await sent(dmp, PHYSICIAN, COLLEAGUE, reply_to=broken)
    whole = await sent(dmp)
    async with dmp.database.begin() as connection:
        moved = select(message.c.sealed).where(message.c.id == UUID(whole)).scalar_subquery()
        await connection.execute(update(message).where(message.c.id == UUID(broken)).values(sealed=moved))
    told = {each["id"]: each["subject"] for each in (await ask(dmp)).json()["messages"]}
    assert told == {broken: None, whole: "Avis"}
    thread = (await ask(dmp, f"/{broken}/thread")).json()["messages"]
    assert {each["id"]: (each["body"], each["documents"]) for each in thread} == {
        broken: (None, []),
        reply: ("Qu'en pensez-vous ?", []),
    }
    answer = await ask(dmp, f"/{broken}")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    newest = (await dmp.journal())[0]
    assert (newest["resource"]["id"], newest["decision"], newest["rule"]) == (broken, False, "seal-broken")
    assert set(await listed(dmp, "?unread=true")) == {broken, whole}


async def test_erasing_the_dossier_makes_its_messages_noise(dmp: Whole) -> None:
    """The rows go, and rows that somebody puts back do not open: not without a key, nor under that of a new dossier."""
    letter = await sent(dmp)
    async with dmp.database.connect() as connection:
        rows = [
            (table, [row._asdict() for row in (await connection.execute(select(table))).all()])
            for table in (dossier, message, whereabouts)
        ]
    assert (await dmp.http.delete(dmp.path(""), headers=dmp.headers(HOLDER))).status_code == 204
    assert await refused(dmp, f"/{letter}") == (404, "no-message")
    assert await listed(dmp) == await listed(dmp, "?box=sent", TREATING) == []
    body = {"ins": INS, "born": "1960-05-12", "protected": False}
    for reopened in (False, True):
        async with dmp.database.begin() as connection:
            await connection.execute(delete(whereabouts))
            for table, kept in rows:
                (key,) = table.primary_key.columns if table is not message else (table.c.id,)
                there = set((await connection.execute(select(key))).scalars())
                for row in kept:
                    if row[key.name] not in there:
                        await connection.execute(insert(table).values(**row))
        assert (await ask(dmp, f"/{letter}")).status_code == 500
        assert [each["subject"] for each in (await ask(dmp)).json()["messages"]] == [None]
        assert (await dmp.http.delete(dmp.path(""), headers=dmp.headers(HOLDER))).status_code == 204
        if not reopened:
            answer = await dmp.http.post("/v1/dossiers", json=body, headers=dmp.headers(HOLDER))
            assert answer.status_code == 201, answer.text


@EMBEDDED
async def test_a_message_that_goes_in_this_instant_is_none(dmp: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the decision and the reading, or the reply: as if it had never been."""
    letter = await sent(dmp)

    async def gone(*_: object) -> None:
        return None

    monkeypatch.setattr(service, "find_message", gone)
    assert {await refused(dmp, f"/{letter}{tail}") for tail in ("", "/thread")} == {(404, "no-message")}
    unread = "A message refers to what its sender may read in the same dossier."
    assert await send(dmp, reply_to=letter) == (400, unread)


@EMBEDDED
async def test_messages_need_their_scope(dmp: Whole) -> None:
    """Each address, whoever the subject is."""
    headers = dmp.headers(COLLEAGUE) | bearer(DECIDING_KEY)
    told = [
        await dmp.http.request(method, path, headers=headers)
        for method, path in (
            ("GET", "/v1/messages"),
            ("GET", f"/v1/messages/{uuid4()}"),
            ("GET", f"/v1/messages/{uuid4()}/thread"),
            ("POST", dmp.path("/messages")),
        )
    ]
    assert {(each.status_code, each.json()["detail"]) for each in told} == {
        (403, "This client lacks the scope documents.")
    }


@EMBEDDED
async def test_examples_are_what_the_schemas_say(dmp: Whole) -> None:
    """Every request and answer shown is valid by the schema beside it."""
    document: Json = (await dmp.http.get("/schema/openapi.json")).json()
    shown = [
        (content["schema"] | {"components": document["components"]}, example["value"])
        for path, item in document["paths"].items()
        if "message" in path
        for operation in item.values()
        for part in (operation.get("requestBody"), *operation["responses"].values())
        for content in (part or {}).get("content", {}).values()
        for example in content["examples"].values()
    ]
    for schema, example in shown:
        jsonschema.Draft202012Validator(schema).validate(example)
    assert len(shown) == 6
