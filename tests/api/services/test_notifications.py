"""Notifications on their way to a receiver that is not always there, on both engines."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from api.services.notifications import ATTEMPTS, Outbox, delay_after
from api.services.webhook import Webhook, signed_headers
from models.database import Database
from models.errors import DatabaseUnavailableError
from models.queries.notifications import Backlog, Notification, count_notifications, list_notifications
from tests.doubles.databases import FailingDatabase
from tests.doubles.receiver import KEY, Receiver, Told, answering, receiving
from tests.doubles.told import AT, BOTH, DOSSIER, TREATING, declare, owe
from vault.journal.notifying import notification_id


@dataclass
class Clock:
    """Stands until it is set."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


PATIENT, PHYSICIANS = BOTH
OTHER_KEY = b"k" * 24
IDENTITY = notification_id(DOSSIER, 1, PATIENT)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """On loopback."""
    async with receiving() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock(AT + timedelta(seconds=1))


@pytest.fixture
async def outbox(database: Database, receiver: Receiver, clock: Clock) -> AsyncIterator[Outbox]:
    """Delivers to the receiver, and takes half a second for silence."""
    made = Outbox(database, Webhook(receiver.url, [KEY], seconds=0.5), clock, luck=lambda: 0.5)
    yield made
    await made.close()


async def waiting(database: Database, *, dead: bool = False) -> list[Notification]:
    return await list_notifications(database, dead=dead, limit=100)


async def fail_once(outbox: Outbox, database: Database) -> Notification:
    """What becomes of the one notification after one attempt."""
    assert await outbox.deliver_due() == 1
    (left,) = await waiting(database)
    return left


class TestTelling:
    """What arrives."""

    async def test_the_patient_is_told(
        self, outbox: Outbox, database: Database, receiver: Receiver, clock: Clock
    ) -> None:
        """Signed, with identifiers and words only: no reason, nothing of who read or what."""
        await owe(database, 1, PATIENT)
        assert await outbox.deliver_due() == 1
        (told,) = receiver.told
        assert told.says == {
            "id": str(IDENTITY),
            "obligation": "notify_patient",
            "dossier": str(DOSSIER),
            "to": [{"type": "person", "id": str(DOSSIER)}],
            "action": "document:read",
            "mode": "break_glass",
            "at": "2026-11-02T09:30:15.123456Z",
            "sequence": 1,
        }
        assert (told.path, told.headers["content-type"]) == ("/told?by=dmp", "application/json")
        assert (told.identity, told.headers["webhook-timestamp"]) == (
            str(IDENTITY),
            str(int(clock.now.timestamp())),
        )
        assert told.is_signed_by(KEY)
        assert not told.is_signed_by(OTHER_KEY)
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_treating_physicians_are_those_of_the_moment(
        self, outbox: Outbox, database: Database, receiver: Receiver
    ) -> None:
        """Whoever is declared between the access and the delivery is told too; a nurse is no treating physician."""
        await owe(database, 1, PHYSICIANS)
        await declare(database)
        await declare(database, "10001234573", "nurse")
        assert await outbox.deliver_due() == 1
        assert receiver.told[0].says["to"] == [{"type": "professional", "id": TREATING}]

    async def test_nobody_may_be_there_to_be_told(self, outbox: Outbox, database: Database, receiver: Receiver) -> None:
        """The receiver learns that as well: it may know another way."""
        await owe(database, 1, PHYSICIANS)
        assert await outbox.deliver_due() == 1
        assert receiver.told[0].says["to"] == []

    def test_every_secret_signs(self) -> None:
        """The receiver may know the old or the new; the signature is that of the specification's own example."""
        secret, body = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), b'{"test": 2432232314}'
        at = datetime.fromtimestamp(1614265330, UTC)
        headers = signed_headers([KEY, secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
        assert headers["webhook-signature"].split(" ")[1] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        assert Told("/", headers, body).is_signed_by(KEY)

    async def test_a_connection_serves_again(self, outbox: Outbox, database: Database, receiver: Receiver) -> None:
        """What the receiver says is read, and for nothing."""
        await owe(database, 1, PATIENT)
        receiver.answers.extend([answering(200, b'{"thanks": true}')] * 2)
        assert await outbox.deliver_due() == 1
        await owe_more(database)
        assert await outbox.deliver_due() == 1
        assert (len(receiver.told), receiver.connections) == (2, 1)

    async def test_an_answer_without_end_is_an_answer(
        self, outbox: Outbox, database: Database, receiver: Receiver
    ) -> None:
        """The status counts; the rest is not waited for, nor taken in."""
        await owe(database, 3, PATIENT)
        receiver.answers.extend(
            [
                answering(200, b"x" * 200_000),
                answering(200, b"x", Content_Length="5"),
                answering(202, b"zz\r\n", Content_Length="", Transfer_Encoding="chunked"),
            ]
        )
        assert await outbox.deliver_due() == 3
        assert await count_notifications(database, AT) == Backlog(0, 0)


class TestTryingAgain:
    """What does not arrive at once."""

    @pytest.mark.parametrize(
        "answer, failure",
        [
            (answering(500), "answered 500"),
            (answering(404), "answered 404"),
            (answering(410), "answered 410"),
            (answering(302, Location="https://elsewhere.example/"), "answered 302, a redirection"),
            (answering(307, Location="/told"), "answered 307, a redirection"),
            (None, "no answer within 0.5 seconds"),
            (b"", "cannot be reached"),
            (b"nonsense\r\n\r\n", "cannot be reached"),
        ],
    )
    async def test_what_is_no_success_is_told_again(
        self, outbox: Outbox, database: Database, receiver: Receiver, clock: Clock, answer: bytes | None, failure: str
    ) -> None:
        """After five seconds, under the same id, signed anew; redirections are not followed."""
        await owe(database, 1, PATIENT)
        receiver.answers.append(answer)
        left = await fail_once(outbox, database)
        assert (left.attempts, left.failure, left.due_at) == (1, failure, clock.now + timedelta(seconds=5))
        assert await outbox.deliver_due() == 0
        clock.now += timedelta(seconds=5)
        assert await outbox.deliver_due() == 1
        assert [told.identity for told in receiver.told] == [str(IDENTITY)] * 2
        first, second = (told.headers for told in receiver.told)
        assert int(second["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 5
        assert all(told.is_signed_by(KEY) for told in receiver.told)
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_nobody_listens(self, database: Database, clock: Clock) -> None:
        """A closed port is a failure as any other."""
        async with receiving() as gone:
            url = gone.url
        outbox = Outbox(database, Webhook(url, [KEY]), clock)
        await owe(database, 1, PATIENT)
        assert (await fail_once(outbox, database)).failure == "cannot be reached"
        await outbox.close()

    @pytest.mark.parametrize(
        "asked, seconds",
        [("60", 60), ("1", 5), ("999999", 36_000), ("9999999", 5), ("Fri, 31 Dec 2027 23:59:59 GMT", 5), ("-1", 5)],
    )
    async def test_a_receiver_may_ask_for_patience(
        self, outbox: Outbox, database: Database, receiver: Receiver, clock: Clock, asked: str, seconds: int
    ) -> None:
        """As a number of seconds, for more than would be waited anyway, and not for more than ten hours."""
        await owe(database, 1, PATIENT)
        receiver.answers.append(answering(429, Retry_After=asked))
        assert (await fail_once(outbox, database)).due_at == clock.now + timedelta(seconds=seconds)

    async def test_what_is_never_taken_becomes_a_dead_letter(
        self, outbox: Outbox, database: Database, receiver: Receiver, clock: Clock
    ) -> None:
        """After twenty attempts over three days; it stays, and is not tried again."""
        await owe(database, 1, PATIENT)
        receiver.answers.extend([answering(503)] * (ATTEMPTS + 1))
        begun = clock.now
        for _ in range(ATTEMPTS - 1):
            left = await fail_once(outbox, database)
            assert left.due_at is not None
            clock.now = left.due_at
        assert timedelta(days=2, hours=12) < clock.now - begun < timedelta(days=3, hours=12)
        assert await outbox.deliver_due() == 1
        clock.now += timedelta(days=30)
        assert await outbox.deliver_due() == 0
        (dead,) = await waiting(database, dead=True)
        assert (dead.attempts, dead.due_at, dead.failure) == (ATTEMPTS, None, "answered 503")
        assert len(receiver.told) == ATTEMPTS
        await outbox.look()
        assert outbox.backlog == Backlog(0, 1)

    def test_delays_grow_to_ten_hours(self) -> None:
        """Twice the one before, more or less by a fifth, so that not all come at once."""
        middle = [delay_after(attempts, 0.5) for attempts in range(1, ATTEMPTS + 1)]
        assert middle[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
        assert middle[13:] == [timedelta(hours=10)] * 6 + [None]
        assert (delay_after(1, 0), delay_after(2, 0.75)) == (timedelta(seconds=4), timedelta(seconds=11))


class TestSharing:
    """Several instances, and what one leaves behind."""

    async def test_instances_share_the_work(self, database: Database, receiver: Receiver, clock: Clock) -> None:
        """Each is delivered once, whoever takes it."""
        outboxes = [Outbox(database, Webhook(receiver.url, [KEY]), clock) for _ in range(4)]
        await owe(database, 60, *BOTH)

        async def work(outbox: Outbox) -> None:
            while await outbox.deliver_due():
                pass

        await asyncio.gather(*map(work, outboxes))
        assert Counter(told.identity for told in receiver.told) == {
            str(notification_id(DOSSIER, number, obligation)): 1 for number in range(1, 61) for obligation in BOTH
        }
        assert await count_notifications(database, AT) == Backlog(0, 0)
        for outbox in outboxes:
            await outbox.close()

    async def test_what_a_dead_process_had_taken_is_told_again(
        self, database: Database, receiver: Receiver, clock: Clock
    ) -> None:
        """It was delivered and not forgotten: a minute later it is delivered under the same id."""
        dying = Outbox(FailingDatabase(database, 1), Webhook(receiver.url, [KEY]), clock)
        await owe(database, 1, PATIENT)
        with pytest.raises(DatabaseUnavailableError):
            await dying.deliver_due()
        await dying.close()
        living = Outbox(database, Webhook(receiver.url, [KEY]), clock)
        assert await living.deliver_due() == 0
        clock.now += timedelta(minutes=1)
        assert await living.deliver_due() == 1
        await living.close()
        assert [told.identity for told in receiver.told] == [str(IDENTITY)] * 2
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_a_database_that_fails_once_ends_nothing(
        self, database: Database, receiver: Receiver, clock: Clock
    ) -> None:
        """What was under way is delivered; only what could not be forgotten is told again."""
        unreliable = FailingDatabase(database, 2)
        outbox = Outbox(unreliable, Webhook(receiver.url, [KEY], seconds=0.5), clock)
        await owe(database, 3, PATIENT)
        receiver.answers.extend([None, answering(204), answering(204)])
        with pytest.raises(DatabaseUnavailableError):
            await outbox.deliver_due()
        await outbox.close()
        assert len(receiver.told) == 3
        assert 1 <= (await count_notifications(database, AT)).waiting <= 3

    async def test_one_silence_does_not_hold_up_the_others(
        self, outbox: Outbox, database: Database, receiver: Receiver
    ) -> None:
        """Of sixteen that go at once, fifteen arrive."""
        await owe(database, 16, PATIENT)
        receiver.answers.append(None)
        assert await outbox.deliver_due() == 16
        assert await count_notifications(database, AT) == Backlog(1, 0)

    async def test_no_more_than_sixteen_go_at_once(
        self, outbox: Outbox, database: Database, receiver: Receiver
    ) -> None:
        """The rest is taken with the next round."""
        await owe(database, 20, PATIENT)
        assert [await outbox.deliver_due() for _ in range(3)] == [16, 4, 0]
        assert len(receiver.told) == 20
        assert receiver.connections <= 16

    async def test_without_a_receiver_everything_waits(self, database: Database, clock: Clock) -> None:
        """And is counted."""
        seen: list[Backlog] = []
        outbox = Outbox(database, None, clock, seen.append)
        await owe(database, 2, *BOTH)
        assert (outbox.is_delivered, await outbox.deliver_due()) == (False, 0)
        await outbox.look()
        await outbox.close()
        assert seen == [outbox.backlog] == [Backlog(4, 0)]


async def owe_more(database: Database) -> None:
    """The same notification once more: it had gone."""
    await owe(database, 1, PATIENT)
