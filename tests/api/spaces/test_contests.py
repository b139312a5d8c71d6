"""Contesting and correcting, and who is told of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.errors import ConflictError
from api.services.contests import held
from api.services.notifications import Outbox
from api.services.webhook import Webhook
from models.facts import Document, Reference
from models.vocabulary import DocumentStatus
from tests.api.spaces.record import GRANTED, HOSPITAL, NOTE, STRANGER, TREATING, Record, refused
from tests.api.whole import NOW, Json
from tests.doubles.receiver import KEY, Receiver, receiving

TWO_WEEKS, MONTH = timedelta(weeks=2), timedelta(days=31)
WRONG, CHECKED = {"reason": "Mauvais côté"}, {"kept": True, "reason": "Vérifié"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """On loopback."""
    async with receiving() as made:
        yield made


async def contest(record: Record, document: str, who: str) -> int:
    return (await record.ask("POST", f"/v1/documents/{document}/contest", who, WRONG)).status_code


async def keep(record: Record, document: str, who: str) -> int:
    return (await record.ask("PUT", f"/v1/documents/{document}/contest", who, CHECKED)).status_code


async def delivered(record: Record, receiver: Receiver, after: timedelta = timedelta()) -> list[Json]:
    """What is told of this dossier, by then, because of changes."""
    outbox = Outbox(record.dmp.database, Webhook(receiver.url, [KEY]), lambda: NOW + after)
    while await outbox.deliver_due():
        pass
    await outbox.close()
    words = ("document_contested", "contest_answered", "still_withheld")
    said = sorted((told.says for told in receiver.told), key=lambda says: int(says["sequence"]))
    receiver.told.clear()
    return [says for says in said if says["dossier"] == record.id and says["obligation"] in words]


class TestContesting:
    """Who may, when, and what stands then."""

    async def test_a_contest_waits_for_its_answer(self, record: Record) -> None:
        """A second one contradicts the first until it is answered; an answer answers once, and what is contested."""
        document = await record.deposit(HOSPITAL)
        assert await keep(record, document, HOSPITAL) == 404
        assert [await contest(record, document, record.holder) for _ in range(2)] == [204, 409]
        assert [await keep(record, document, HOSPITAL) for _ in range(2)] == [204, 409]
        answered = (await record.sheet(document, TREATING))["contested"]
        assert (answered["reason"], answered["kept"], answered["answer"]) == ("Mauvais côté", True, "Vérifié")
        assert await contest(record, document, record.holder) == 204
        again = (await record.sheet(document, TREATING))["contested"]
        assert (again["reason"], "kept" in again, "answer" in again) == ("Mauvais côté", False, False)

    async def test_what_comes_to_nothing_is_written_down(self, record: Record) -> None:
        """The decision was taken, though what it permitted contradicted what was there; and tells nobody."""
        document = await record.deposit(HOSPITAL)
        await keep(record, document, HOSPITAL)
        await contest(record, document, record.holder)
        await contest(record, document, record.holder)
        told = [(entry["action"], entry["decision"], entry.get("change")) for entry in await record.journal()]
        assert told[:3] == [
            ("document:contest", True, None),
            ("document:contest", True, {"contested": True}),
            ("document:replace", True, None),
        ]
        assert await record.notices() == [("document_contested", UUID(document))]

    async def test_two_contests_at_once_are_one(self, record: Record) -> None:
        """The author is told once."""
        document = await record.deposit(HOSPITAL)
        answers = await asyncio.gather(*(contest(record, document, record.holder) for _ in range(4)))
        assert sorted(answers) == [204, 409, 409, 409]
        assert await record.notices() == [("document_contested", UUID(document))]

    async def test_who_contests(self, record: Record) -> None:
        """The holder and who represents him, what others wrote; nobody else, and nobody what is his own."""
        child = await Record.opened(record.dmp, born="2015-03-01")
        parent, caregiver = await child.represented("legal_representative"), await child.represented("caregiver")
        report = await child.deposit(HOSPITAL)
        path = f"/v1/documents/{report}/contest"
        for who in (caregiver, TREATING, GRANTED, STRANGER, record.holder):
            assert refused(await child.ask("POST", path, who, WRONG)) == (404, "no-document")
        assert refused(await child.ask("POST", path, HOSPITAL, WRONG)) == (403, "not-permitted")
        assert await contest(child, report, parent) == 204
        for who in (caregiver, parent, child.holder, TREATING):
            assert refused(await child.ask("PUT", path, who, CHECKED)) == (404, "no-document")
        note = await child.deposit(parent, document_type=NOTE)
        answers = [
            await child.ask("POST", f"/v1/documents/{note}/contest", who, WRONG) for who in (parent, child.holder)
        ]
        assert (refused(answers[0]), answers[1].status_code) == ((403, "not-permitted"), 204)

    async def test_what_is_kept_from_the_patient_is_not_contested(self, record: Record) -> None:
        """Nor what is no longer current, which is told."""
        withheld = await record.deposit(HOSPITAL, withheld=True)
        answer = await record.ask("POST", f"/v1/documents/{withheld}/contest", record.holder, WRONG)
        assert refused(answer) == (404, "no-document")
        first = await record.deposit(HOSPITAL)
        await record.deposit(HOSPITAL, replaces=first)
        answer = await record.ask("POST", f"/v1/documents/{first}/contest", record.holder, WRONG)
        assert refused(answer) == (403, "superseded")

    async def test_a_replacement_is_not_contested(self, record: Record) -> None:
        """The old version goes on saying that it is, and when it was answered; it is not answered any more."""
        first = await record.deposit(HOSPITAL)
        await contest(record, first, record.holder)
        second = await record.deposit(HOSPITAL, replaces=first)
        old = (await record.sheet(first, record.holder))["contested"]
        assert old | {"at": ""} == {"reason": "Mauvais côté", "at": "", "answered_at": "2026-10-15T12:00:00Z"}
        assert "contested" not in await record.sheet(second, record.holder)
        assert [("contested" in each) for each in await record.versions(first, TREATING)] == [False, True]
        answer = await record.ask("PUT", f"/v1/documents/{first}/contest", HOSPITAL, CHECKED)
        assert refused(answer) == (403, "superseded")
        assert await keep(record, second, HOSPITAL) == 404
        assert await contest(record, second, record.holder) == 204

    async def test_what_was_kept_and_is_replaced_all_the_same_says_so_still(self, record: Record) -> None:
        """The answer stays with the old version; the patient is told of both."""
        first = await record.deposit(HOSPITAL)
        await contest(record, first, record.holder)
        await keep(record, first, HOSPITAL)
        before = (await record.sheet(first, record.holder))["contested"]
        await record.deposit(HOSPITAL, replaces=first)
        assert (await record.sheet(first, record.holder))["contested"] == before
        assert [what for what, _ in await record.notices()] == ["document_contested", *["contest_answered"] * 2]

    async def test_a_contest_of_what_was_replaced_meanwhile_is_none(self, record: Record) -> None:
        """The decision saw a current document; what is contested would wait for an answer for ever."""
        first = await record.deposit(HOSPITAL)
        await record.deposit(HOSPITAL, replaces=first)
        seen = Document(UUID(first), "", Reference("", ""), NOW, status=DocumentStatus.CURRENT)
        async with record.dmp.database.begin() as connection:
            with pytest.raises(ConflictError):
                await held(record.dmp.keys, connection, UUID(record.id), seen)

    async def test_a_reason_is_needed_and_bounded(self, record: Record) -> None:
        """From both sides."""
        document = await record.deposit(HOSPITAL)
        path = f"/v1/documents/{document}/contest"
        for body in ({}, {"reason": ""}, {"reason": "x" * 4_001}, {"reason": "x", "more": 1}):
            assert (await record.ask("POST", path, record.holder, body)).status_code == 400
            assert (await record.ask("PUT", path, HOSPITAL, {"kept": True} | body)).status_code == 400
        assert await record.notices() == []


class TestTelling:
    """Who hears of what, and of no more."""

    async def test_the_author_is_told_and_then_the_patient(self, record: Record, receiver: Receiver) -> None:
        """By identifiers and words: which document, never what anybody said of it."""
        document = await record.deposit(HOSPITAL)
        await contest(record, document, record.holder)
        (told,) = await delivered(record, receiver)
        entry = (await record.journal())[0]
        assert told | {"id": ""} == {
            "id": "",
            "obligation": "document_contested",
            "dossier": record.id,
            "to": [{"type": "organization", "id": HOSPITAL.partition("/")[2]}],
            "action": "document:contest",
            "mode": "normal",
            "at": "2026-10-15T12:00:00.000000Z",
            "sequence": entry["entry"],
            "document": document,
        }
        await keep(record, document, HOSPITAL)
        (told,) = await delivered(record, receiver)
        assert (told["obligation"], told["to"], told["document"], told["action"]) == (
            "contest_answered",
            [{"type": "person", "id": record.id}],
            document,
            "document:replace",
        )

    async def test_a_replacement_is_an_answer(self, record: Record, receiver: Receiver) -> None:
        """Told of the document that was contested; a replacement of any other tells nobody."""
        first, other = await record.deposit(TREATING), await record.deposit(TREATING)
        await contest(record, first, record.holder)
        await record.deposit(TREATING, replaces=first)
        await record.deposit(TREATING, replaces=other)
        contested, answered = await delivered(record, receiver)
        assert (contested["to"][0]["type"], contested["document"]) == ("professional", first)
        assert (answered["obligation"], answered["document"]) == ("contest_answered", first)
        assert (answered["to"], answered["action"]) == ([{"type": "person", "id": record.id}], "document:replace")

    async def test_a_person_who_wrote_is_not_told(self, record: Record, receiver: Receiver) -> None:
        """Nothing leaves to a person but to the patient."""
        child = await Record.opened(record.dmp, born="2015-03-01")
        parent = await child.represented("legal_representative")
        note = await child.deposit(parent, document_type=NOTE)
        assert await contest(child, note, child.holder) == 204
        assert await delivered(child, receiver) == []
        assert await keep(child, note, parent) == 204
        (told,) = await delivered(child, receiver)
        assert (told["obligation"], told["to"]) == ("contest_answered", [{"type": "person", "id": child.id}])

    async def test_what_its_author_has_deleted_he_is_not_told_of(self, record: Record, receiver: Receiver) -> None:
        """The contest went with the document."""
        document = await record.deposit(HOSPITAL)
        await contest(record, document, record.holder)
        assert (await record.ask("DELETE", f"/v1/documents/{document}", HOSPITAL)).status_code == 204
        assert await delivered(record, receiver) == []
        assert await record.notices() == []

    async def test_after_two_weeks_the_patient_is_invited(self, record: Record, receiver: Receiver) -> None:
        """Not before; and he is not told what the document is, nor which."""
        document = await record.deposit(HOSPITAL, withheld=True, title="Biopsie")
        assert await delivered(record, receiver, TWO_WEEKS - timedelta(seconds=1)) == []
        assert await record.notices() == [("still_withheld", UUID(document))]
        (told,) = await delivered(record, receiver, TWO_WEEKS)
        assert told | {"id": "", "sequence": 0} == {
            "id": "",
            "obligation": "still_withheld",
            "dossier": record.id,
            "to": [{"type": "person", "id": record.id}],
            "action": "document:deposit",
            "mode": "normal",
            "at": "2026-10-15T12:00:00.000000Z",
            "sequence": 0,
        }
        assert document not in str(told)
        assert await record.notices() == []

    async def test_what_is_no_longer_withheld_is_not_told(self, record: Record, receiver: Receiver) -> None:
        """Revealed, deleted, or withheld no more since the month is over; what was never withheld owes nothing."""
        revealed, deleted, forgotten = [await record.deposit(HOSPITAL, withheld=True) for _ in range(3)]
        await record.deposit(HOSPITAL)
        await record.ask("PATCH", f"/v1/documents/{revealed}", TREATING, {"withheld": False})
        await record.ask("DELETE", f"/v1/documents/{deleted}", HOSPITAL)
        assert len(await record.notices()) == 3
        assert await delivered(record, receiver, MONTH) == []
        assert await record.notices() == []
        assert (await record.sheet(forgotten, TREATING))["withheld"] is True

    async def test_a_withheld_document_that_is_replaced_is_told_once(self, record: Record, receiver: Receiver) -> None:
        """The next version inherits what withholds it, from the same day on."""
        first = await record.deposit(HOSPITAL, withheld=True)
        await record.deposit(HOSPITAL, replaces=first)
        assert [each["obligation"] for each in await delivered(record, receiver, TWO_WEEKS)] == ["still_withheld"]
