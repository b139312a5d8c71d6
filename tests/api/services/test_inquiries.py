"""Inquiries on their way to a source that does not always answer, on both engines."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.parts import Parts
from api.services.inquiries import Inquiries, InquiryError
from api.services.notifications import ATTEMPTS
from models.errors import DatabaseUnavailableError
from models.identifiers import Ins
from models.queries.dossiers import erase_dossier, open_dossier, set_state
from models.queries.inquiries import (
    Inquiry,
    Unanswered,
    add_inquiries,
    ask_again,
    count_inquiries,
    list_inquiries,
    take_inquiries,
)
from models.vocabulary import DossierState, InquirySource
from tests.api.whole import INS, Clock
from vault.errors import StoreUnavailableError
from vault.keys import INS_PURPOSE

FUND, RECORD = InquirySource.FUND, InquirySource.PHARMACEUTICAL_RECORD
AT = datetime(2026, 11, 2, 9, 30, 15, 123456, tzinfo=UTC)
A, B = (UUID(int=number << 120 | number) for number in (1, 2))


@dataclass
class Known:
    """Somebody who is asked, and fails with what `failures` hold first."""

    asked: list[tuple[UUID, str, datetime]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    closed: bool = False

    async def enter(self, dossier: UUID, ins: Ins, asked_at: datetime) -> None:
        self.asked.append((dossier, ins.value, asked_at))
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.failures:
            raise self.failures.pop(0)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock() -> Clock:
    return Clock(AT + timedelta(seconds=1))


@pytest.fixture
def source() -> Known:
    return Known()


@pytest.fixture
def inquiries(parts: Parts, source: Known, clock: Clock) -> Inquiries:
    return asking(parts, source, clock)


def asking(parts: Parts, source: Known, clock: Clock, seconds: float = 30) -> Inquiries:
    return Inquiries(parts.database, parts.dossier_keys, {FUND: source}, clock, luck=lambda: 0.5, seconds=seconds)


async def opened(
    parts: Parts, identity: UUID = A, *sources: InquirySource, sealed: bool = True, at: datetime = AT
) -> None:
    """A dossier just opened, and its inquiries: of the fund, unless others are named."""
    async with parts.database.begin() as connection:
        ins = await parts.dossier_keys.seal_text(connection, identity, INS_PURPOSE, INS.encode()) if sealed else None
        await open_dossier(connection, identity, at=at, ins_sealed=ins, born=date(1985, 5, 12))
        await add_inquiries(connection, identity, sources or (FUND,), at)


async def waiting(parts: Parts, *, given_up: bool = False) -> list[Inquiry]:
    return await list_inquiries(parts.database, given_up=given_up, limit=100)


async def change(parts: Parts, state: DossierState) -> None:
    async with parts.database.begin() as connection:
        await set_state(connection, A, state, AT)


async def test_a_source_is_asked_once(parts: Parts, inquiries: Inquiries, source: Known) -> None:
    """About the person whose dossier it is, with the instant of the opening; then the inquiry is forgotten."""
    await opened(parts)
    assert (await inquiries.ask_due(), await inquiries.ask_due()) == (1, 0)
    assert source.asked == [(A, INS, AT)]
    assert await count_inquiries(parts.database) == Unanswered()
    await inquiries.close()
    assert source.closed


async def test_a_failure_is_asked_again_later(parts: Parts, inquiries: Inquiries, source: Known, clock: Clock) -> None:
    """After five seconds, then ten; the log says which, and nothing of the person."""
    await opened(parts)
    source.failures = [InquiryError("answered 500"), InquiryError("answered 503", timedelta(minutes=1))]
    with capture_logs() as said:
        assert await inquiries.ask_due() == 1
    assert said == [
        {
            "event": "inquiry_not_answered",
            "source": "fund",
            "dossier": str(A),
            "attempts": 1,
            "failure": "answered 500",
            "log_level": "warning",
        }
    ]
    assert await waiting(parts) == [Inquiry(A, FUND, AT, 1, clock.now + timedelta(seconds=5), "answered 500")]
    assert await inquiries.ask_due() == 0
    clock.now += timedelta(seconds=5)
    assert await inquiries.ask_due() == 1
    assert await waiting(parts) == [Inquiry(A, FUND, AT, 2, clock.now + timedelta(minutes=1), "answered 503")]
    clock.now += timedelta(minutes=1)
    assert await inquiries.ask_due() == 1
    assert await waiting(parts) == []


async def test_what_is_never_answered_is_given_up(
    parts: Parts, inquiries: Inquiries, source: Known, clock: Clock
) -> None:
    """After twenty attempts over three days; it stays and is counted, until somebody has it asked again."""
    await opened(parts)
    source.failures = [InquiryError("answered 503") for _ in range(ATTEMPTS)]
    for _ in range(ATTEMPTS):
        assert await inquiries.ask_due() == 1
        clock.now += timedelta(hours=13)
    assert await inquiries.ask_due() == 0
    await inquiries.look()
    assert inquiries.unanswered == Unanswered(waiting=0, given_up=1)
    assert await waiting(parts, given_up=True) == [Inquiry(A, FUND, AT, ATTEMPTS, None, "answered 503")]
    async with parts.database.begin() as connection:
        assert await ask_again(connection, [], clock.now) == {A}
    assert await inquiries.ask_due() == 1
    assert await count_inquiries(parts.database) == Unanswered()


async def test_what_no_repetition_would_help_is_given_up_at_once(
    parts: Parts, inquiries: Inquiries, source: Known
) -> None:
    """It is there to be seen, and costs nobody anything."""
    await opened(parts)
    source.failures = [InquiryError("lines refused: 1 malformed", is_final=True)]
    with capture_logs() as said:
        assert await inquiries.ask_due() == 1
    assert [each["event"] for each in said] == ["inquiry_given_up"]
    assert [each.failure for each in await waiting(parts, given_up=True)] == ["lines refused: 1 malformed"]


@pytest.mark.parametrize("state", [DossierState.CLOSED, DossierState.NONE])
async def test_nobody_is_asked_about_a_dossier_that_is_gone(
    parts: Parts, inquiries: Inquiries, source: Known, state: DossierState
) -> None:
    """Closed, or never opened as far as anybody can tell."""
    await opened(parts)
    await change(parts, state)
    assert await inquiries.ask_due() == 1
    assert (source.asked, await count_inquiries(parts.database)) == ([], Unanswered())


async def test_an_erased_dossier_leaves_no_inquiry(parts: Parts, inquiries: Inquiries, source: Known) -> None:
    """It goes with the other facts, even if it is erased while the source answers."""
    await opened(parts)
    await opened(parts, B)

    async def erase() -> None:
        async with parts.database.begin() as connection:
            await erase_dossier(connection, A)
            await erase_dossier(connection, B)

    source.meanwhile = erase
    source.failures = [InquiryError("no answer")]
    assert await inquiries.ask_due() == 2
    assert await count_inquiries(parts.database) == Unanswered()


async def test_a_dossier_opened_anew_has_its_own_inquiry(
    parts: Parts, inquiries: Inquiries, source: Known, clock: Clock
) -> None:
    """An answer to the question before it does not take its place."""
    await opened(parts)

    async def anew() -> None:
        async with parts.database.begin() as connection:
            await erase_dossier(connection, A)
            await parts.documents.erase_dossier(connection, A)
        await opened(parts, at=clock.now)

    source.meanwhile = anew
    assert await inquiries.ask_due() == 1
    assert [(each.asked_at, each.attempts) for each in await waiting(parts)] == [(clock.now, 0)]


async def test_a_suspended_dossier_waits(parts: Parts, inquiries: Inquiries, source: Known, clock: Clock) -> None:
    """Whoever suspended it may reopen it."""
    await opened(parts)
    await change(parts, DossierState.SUSPENDED)
    assert await inquiries.ask_due() == 1
    assert [each.failure for each in await waiting(parts)] == ["the dossier is suspended"]
    await change(parts, DossierState.OPEN)
    clock.now += timedelta(seconds=5)
    assert await inquiries.ask_due() == 1
    assert len(source.asked) == 1


async def test_without_the_ins_there_is_nothing_to_ask(parts: Parts, inquiries: Inquiries, source: Known) -> None:
    """As in a dossier that was imported without it."""
    await opened(parts, sealed=False)
    assert await inquiries.ask_due() == 1
    assert (source.asked, await count_inquiries(parts.database)) == ([], Unanswered())


@pytest.mark.parametrize("error", [StoreUnavailableError(), TimeoutError()])
async def test_whatever_does_not_answer_is_waited_for(
    parts: Parts, inquiries: Inquiries, source: Known, error: BaseException
) -> None:
    """The vault as much as the source."""
    await opened(parts)
    source.failures = [error]
    assert await inquiries.ask_due() == 1
    assert [each.attempts for each in await waiting(parts)] == [1]


async def test_an_ins_that_does_not_open_is_nobodys(parts: Parts, inquiries: Inquiries, source: Known) -> None:
    """It is asked again, in vain, until somebody looks."""
    await opened(parts)
    async with parts.database.begin() as connection:
        await parts.documents.erase_dossier(connection, A)
    assert await inquiries.ask_due() == 1
    assert [each.failure for each in await waiting(parts)] == ["what is sealed cannot be opened or written"]
    assert source.asked == []


async def test_a_source_has_two_minutes(parts: Parts, source: Known, clock: Clock) -> None:
    """Here a hundredth of a second; whoever is slower is asked again."""
    await opened(parts)

    async def for_ever() -> None:
        await asyncio.Event().wait()

    source.meanwhile = for_ever
    assert await asking(parts, source, clock, seconds=0.01).ask_due() == 1
    assert [each.failure for each in await waiting(parts)] == ["not answered and entered within 0.01 seconds"]


async def test_what_a_dead_process_had_taken_is_asked_again(
    parts: Parts, inquiries: Inquiries, source: Known, clock: Clock
) -> None:
    """After five minutes; not before."""
    await opened(parts)
    async with parts.database.begin() as connection:
        await take_inquiries(connection, [FUND], clock.now, clock.now + timedelta(minutes=5), 10)
    assert await inquiries.ask_due() == 0
    clock.now += timedelta(minutes=5)
    assert await inquiries.ask_due() == 1
    assert len(source.asked) == 1


async def test_what_comes_late_of_an_attempt_changes_nothing(
    parts: Parts, inquiries: Inquiries, source: Known, clock: Clock
) -> None:
    """Somebody else has taken it since."""
    await opened(parts)

    async def taken_again() -> None:
        async with parts.database.begin() as connection:
            later = clock.now + timedelta(hours=1)
            await take_inquiries(connection, [FUND], later, later + timedelta(minutes=5), 10)

    source.meanwhile = taken_again
    source.failures = [InquiryError("no answer", is_final=True)]
    assert await inquiries.ask_due() == 1
    assert [(each.attempts, each.failure) for each in await waiting(parts)] == [(2, None)]


async def test_instances_share_the_work(parts: Parts, source: Known, clock: Clock) -> None:
    """Each is asked once, whoever asks."""
    dossiers = [UUID(int=number << 120 | 7) for number in range(1, 13)]
    for identity in dossiers:
        await opened(parts, identity)

    async def work(instance: Inquiries) -> None:
        while await instance.ask_due():
            pass

    await asyncio.gather(*(work(asking(parts, source, clock)) for _ in range(3)))
    assert sorted(dossier for dossier, *_ in source.asked) == dossiers
    assert await count_inquiries(parts.database) == Unanswered()


async def test_who_is_not_set_is_not_asked(parts: Parts, inquiries: Inquiries, source: Known, clock: Clock) -> None:
    """What was to be asked of him waits; without anybody set, all does."""
    await opened(parts, A, FUND, RECORD)
    nobody = Inquiries(parts.database, parts.dossier_keys, {}, clock)
    assert (nobody.is_asked, await nobody.ask_due()) == (False, 0)
    assert (inquiries.is_asked, await inquiries.ask_due()) == (True, 1)
    assert len(source.asked) == 1
    assert [each.source for each in await waiting(parts)] == [RECORD]


async def test_what_nobody_foresaw_is_told(parts: Parts, inquiries: Inquiries, source: Known, clock: Clock) -> None:
    """The others end before; the inquiry is taken again once its time is over."""
    await opened(parts)
    await opened(parts, B)
    source.failures = [DatabaseUnavailableError()]
    with pytest.raises(DatabaseUnavailableError):
        await inquiries.ask_due()
    (left,) = await waiting(parts)
    assert left.due_at == clock.now + timedelta(minutes=5)
