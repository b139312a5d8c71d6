"""What is kept no longer goes, on the very day and not before; on each stack in turn."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert

from api.parts import Parts
from api.services.retention import Retained, Retention, years_after
from models.facts import Document, Reference
from models.queries.documents import add_document
from models.queries.dossiers import erase_dossier, open_dossier, set_state
from models.queries.retention import delete_expired
from models.reference import DOCUMENT_TYPES
from models.tables import has_read
from models.vocabulary import Category, DossierState
from policy.documents import has_expired
from vault.documents import Documents, Erasure
from vault.errors import NoContentError, StoreUnavailableError
from vault.journal.entry import NO_DOSSIER, Entry
from vault.journal.reading import Reader

NOW = datetime(2036, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEN_YEARS_AGO = datetime(2026, 3, 10, 12, tzinfo=UTC)
A, B, C = (UUID(int=number << 120 | number) for number in range(1, 4))
DOCUMENT = UUID(int=0xD0C)
PHYSICIAN = Reference("professional", "10001234565")
EVERYTHING_KEPT = Retained()


def retention(parts: Parts, at: datetime = NOW, documents: Documents | None = None) -> Retention:
    return Retention(parts.database, documents or parts.documents, parts.ledger, lambda: at)


async def put(parts: Parts, identity: UUID, *states: tuple[DossierState, datetime]) -> None:
    """A dossier with this life, opened long before."""
    async with parts.database.begin() as connection:
        await open_dossier(connection, identity, at=datetime(2020, 1, 1, tzinfo=UTC))
        for state, since in states:
            await set_state(connection, identity, state, since)


async def deposit(
    parts: Parts, identity: UUID, document: UUID = DOCUMENT, kind: str = "11488-4", at: datetime = TEN_YEARS_AGO
) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"content"

    written = await parts.documents.write(identity, document, 1, "text/plain", content())
    async with parts.database.begin() as connection:
        await add_document(connection, identity, Document(document, kind, author=PHYSICIAN, created_at=at))
        await parts.documents.commit(connection, written, "a title")


async def record(parts: Parts, dossier: UUID, at: datetime) -> None:
    """Somebody listed the dossier then."""
    resource = Reference("dossier", str(dossier))
    entry = Entry(at, dossier, PHYSICIAN, "document:list", resource, True, "granted", "5f" * 32, "viewer", "r-1")
    await parts.ledger.record(entry)


async def entries(parts: Parts, dossier: UUID) -> list[Entry]:
    """Newest first; those that can be read."""
    lines = await Reader(parts.database, parts.journal_keys, parts.signer).read(dossier, limit=100)
    return [line.entry for line in lines if line.entry is not None]


async def lines_without_entry(parts: Parts, dossier: UUID) -> int:
    """How many lines stand there, their hashes alone."""
    statement = "SELECT 1 FROM journal_entry WHERE dossier = $1::uuid AND sealed IS NULL AND subject IS NULL"
    return len(await parts.database.read(statement, dossier))


async def there(parts: Parts) -> set[UUID]:
    return {row[0] for row in await parts.database.read("SELECT id FROM dossier")}


@pytest.mark.parametrize(
    "since, years, over",
    [
        ("2026-03-10T12:00:00+01:00", 10, "2036-03-10T12:00:00+01:00"),
        ("2026-03-10T23:30:00+00:00", 10, "2036-03-11T00:30:00+01:00"),
        ("2024-02-29T08:00:00+01:00", 10, "2034-02-28T08:00:00+01:00"),
        ("2024-02-29T08:00:00+01:00", 4, "2028-02-29T08:00:00+01:00"),
        ("2024-02-28T23:30:00+00:00", 1, "2025-02-28T00:30:00+01:00"),
        ("2026-07-01T12:00:00+00:00", 10, "2036-07-01T12:00:00+00:00"),
        ("2026-03-29T12:00:00+02:00", 10, "2036-03-29T12:00:00+01:00"),
    ],
)
def test_years_are_those_of_the_calendar_in_france(since: str, years: int, over: str) -> None:
    """The same day and hour on the clocks there; 29 February ends with February where it is shorter."""
    assert years_after(datetime.fromisoformat(since), years) == datetime.fromisoformat(over)


@pytest.mark.parametrize(
    "at, goes",
    [
        (NOW, True),
        (NOW + DAY, True),
        (NOW - DAY, False),
        (NOW - timedelta(microseconds=1), False),
    ],
)
async def test_a_closed_dossier_is_kept_ten_years(parts: Parts, at: datetime, goes: bool) -> None:
    """Nine years and 364 days are not ten."""
    await put(parts, A, (DossierState.CLOSED, TEN_YEARS_AGO))
    assert await retention(parts, at).count(10) == Retained(dossiers=int(goes))
    assert await there(parts) == {A}
    assert await retention(parts, at).run(10) == Retained(dossiers=int(goes))
    assert await there(parts) == (set() if goes else {A})


async def test_the_last_closing_counts(parts: Parts) -> None:
    """A dossier that was reopened begins anew when it is closed again; one suspended or open stays for ever."""
    day = TEN_YEARS_AGO - 900 * DAY
    closed, opened, suspended = DossierState.CLOSED, DossierState.OPEN, DossierState.SUSPENDED
    await put(parts, A, (closed, day), (opened, day + DAY), (closed, TEN_YEARS_AGO + DAY))
    await put(parts, B, (closed, day), (suspended, day + DAY))
    await put(parts, C, (closed, day), (opened, day + DAY))
    assert await retention(parts).run(10) == EVERYTHING_KEPT
    assert await there(parts) == {A, B, C}
    assert await retention(parts, NOW + DAY).run(10) == Retained(dossiers=1)
    assert await there(parts) == {B, C}


async def test_a_dossier_is_destroyed_as_an_erasure_destroys_it(parts: Parts) -> None:
    """Its key, its documents and their objects; the journal stays, and says that the service did it."""
    await put(parts, A, (DossierState.CLOSED, TEN_YEARS_AGO))
    await deposit(parts, A)
    await record(parts, A, TEN_YEARS_AGO)
    assert await retention(parts).run(10) == Retained(dossiers=1)
    with pytest.raises(NoContentError):
        await parts.documents.find(A, DOCUMENT, 1)
    with pytest.raises(NoContentError):
        await parts.dossier_keys.read(A)
    assert [stored async for stored in parts.store.names()] == []
    erased, listed = await entries(parts, A)
    assert (erased.action, erased.rule, erased.allowed, erased.at) == ("dossier:erase", "retention", True, NOW)
    assert (erased.subject, erased.resource) == (
        Reference("service", "retention"),
        Reference("dossier", str(A)),
    )
    assert (erased.change, listed.action) == ({"state": "none"}, "document:list")
    assert await retention(parts).run(10) == EVERYTHING_KEPT


class InterruptedDocuments(Documents):
    """Does something else whenever a dossier or a document is destroyed."""

    def __init__(self, parts: Parts, then: Callable[[], object]) -> None:
        self._parts = parts
        self.then = then

    async def erase_dossier(self, connection: object, dossier: UUID) -> Erasure:
        return await self._parts.documents.erase_dossier(connection, dossier)  # type: ignore[arg-type]  # passed on

    async def erase(self, connection: object, dossier: UUID, document: UUID) -> Erasure:
        return await self._parts.documents.erase(connection, dossier, document)  # type: ignore[arg-type]  # passed on

    async def finish(self, erasure: Erasure) -> None:
        await self._parts.documents.finish(erasure)
        then = self.then()
        if hasattr(then, "__await__"):
            await then


async def test_a_dossier_reopened_meanwhile_is_left(parts: Parts) -> None:
    """It was listed, and is looked at again when its turn comes."""
    for identity in (A, B):
        await put(parts, identity, (DossierState.CLOSED, TEN_YEARS_AGO))

    async def reopen() -> None:
        async with parts.database.begin() as connection:
            await set_state(connection, B, DossierState.OPEN, NOW)

    documents = InterruptedDocuments(parts, reopen)
    assert await retention(parts, documents=documents).run(10) == Retained(dossiers=1, left=1)
    assert await there(parts) == {B}


async def test_a_run_that_was_stopped_is_begun_anew(parts: Parts) -> None:
    """What it had done is done."""
    for identity in (A, B, C):
        await put(parts, identity, (DossierState.CLOSED, TEN_YEARS_AGO))

    def stop() -> None:
        raise StoreUnavailableError

    with pytest.raises(StoreUnavailableError):
        await retention(parts, documents=InterruptedDocuments(parts, stop)).run(10)
    assert await there(parts) == {B, C}
    assert await retention(parts).run(10) == Retained(dossiers=2)
    assert await there(parts) == set()


async def test_traces_of_dossiers_long_gone_become_unreadable(parts: Parts) -> None:
    """By their last entry; it is told where entries of no dossier stand, and is done once."""
    await put(parts, A)
    for dossier, at in ((A, TEN_YEARS_AGO - 9 * DAY), (B, TEN_YEARS_AGO - 9 * DAY), (C, TEN_YEARS_AGO + DAY)):
        await record(parts, dossier, at)
    await record(parts, B, TEN_YEARS_AGO)
    await record(parts, NO_DOSSIER, TEN_YEARS_AGO - 9 * DAY)
    assert await retention(parts).count(10) == Retained(traces=1)
    assert len(await entries(parts, B)) == 2
    assert await retention(parts).run(10) == Retained(traces=1)
    assert (await entries(parts, B), await lines_without_entry(parts, B)) == ([], 2)
    assert [len(await entries(parts, dossier)) for dossier in (A, C)] == [1, 1]
    told, _ = await entries(parts, NO_DOSSIER)
    assert (told.action, told.rule, told.resource) == (
        "journal:erase",
        "retention",
        Reference("dossier", str(B)),
    )
    assert await retention(parts).run(10) == EVERYTHING_KEPT
    assert await retention(parts).run(9) == Retained(traces=1)
    assert (await entries(parts, C), await lines_without_entry(parts, C)) == ([], 1)


async def test_traces_outlive_their_dossier(parts: Parts) -> None:
    """The destruction is itself the last entry."""
    await put(parts, A, (DossierState.CLOSED, TEN_YEARS_AGO))
    await record(parts, A, TEN_YEARS_AGO)
    assert await retention(parts).count(10) == Retained(dossiers=1)
    assert await retention(parts).run(10) == Retained(dossiers=1)
    assert await retention(parts, NOW + 3650 * DAY).run(10) == EVERYTHING_KEPT
    assert await retention(parts, NOW + 3653 * DAY).run(10) == Retained(traces=1)
    assert (await entries(parts, A), await lines_without_entry(parts, A)) == ([], 2)


async def test_traces_are_looked_at_again_when_their_turn_comes(parts: Parts) -> None:
    """Here by a clock that is set back once they are listed: what is not over then stays."""
    await record(parts, B, TEN_YEARS_AGO)
    until_listed = iter([NOW] * 4)
    kept = Retention(parts.database, parts.documents, parts.ledger, lambda: next(until_listed, NOW - DAY))
    assert await kept.run(10) == Retained(left=1)
    assert len(await entries(parts, B)) == 1


async def test_more_than_a_page(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dossiers and traces are listed page by page."""
    monkeypatch.setattr("api.services.retention._BATCH", 2)
    for number in range(5):
        await put(parts, UUID(int=number << 120 | 0xC), (DossierState.CLOSED, TEN_YEARS_AGO + number * DAY))
        await record(parts, UUID(int=number << 120 | 0xD), TEN_YEARS_AGO)
    assert await retention(parts, NOW + 3 * DAY).run(10) == Retained(dossiers=4, traces=5)


async def test_what_was_written_beside_an_erased_dossier_goes(parts: Parts) -> None:
    """An access on its way while the dossier was erased leaves a row."""
    async with parts.database.begin() as connection:
        await connection.execute(insert(has_read), {"dossier": A, "professional": PHYSICIAN.id})
        assert not await erase_dossier(connection, B)
    assert await retention(parts).run(10) == Retained(strays=1)
    assert await retention(parts).run(10) == EVERYTHING_KEPT


class TestReimbursements:
    """Documents of type REMB."""

    @pytest.mark.parametrize(
        "created, at",
        [
            ("2034-03-10T00:00:00+00:00", "2036-03-10T00:00:00+00:00"),
            ("2034-03-09T23:30:00+00:00", "2036-03-09T23:30:00+00:00"),
            ("2032-02-29T00:00:00+00:00", "2034-02-28T00:00:00+00:00"),
            ("2034-03-27T00:00:00+00:00", "2036-03-27T01:00:00+00:00"),
            ("2033-03-26T12:00:00+00:00", "2035-03-26T11:00:00+00:00"),
            ("2033-10-30T12:00:00+00:00", "2035-10-30T12:00:00+00:00"),
        ],
    )
    async def test_they_are_destroyed_when_they_leave_every_view(self, parts: Parts, created: str, at: str) -> None:
        """At that very instant, and not a microsecond before: what is destroyed is what the rule refuses."""
        born, gone = datetime.fromisoformat(created), datetime.fromisoformat(at)
        await put(parts, A)
        await deposit(parts, A, kind="REMB", at=born)
        before = gone - timedelta(microseconds=1)
        assert (has_expired(born, before), has_expired(born, gone)) == (False, True)
        assert await retention(parts, before).run(10) == EVERYTHING_KEPT
        assert (await parts.documents.find(A, DOCUMENT, 1)).title == "a title"
        assert await retention(parts, gone).count(10) == Retained(reimbursements=1)
        assert (await parts.documents.find(A, DOCUMENT, 1)).title == "a title"
        assert await retention(parts, gone).run(10) == Retained(reimbursements=1)

    async def test_key_and_object_go_and_the_journal_says_so(self, parts: Parts) -> None:
        """One entry for what goes together in a dossier; other documents of that age stay."""
        await put(parts, A)
        for number in (1, 2):
            await deposit(parts, A, UUID(int=number), "REMB")
        await deposit(parts, A)
        await put(parts, B, (DossierState.CLOSED, NOW - DAY))
        await deposit(parts, B, UUID(int=3), "REMB")
        assert await retention(parts).run(10) == Retained(reimbursements=3)
        for dossier, number in ((A, 1), (A, 2), (B, 3)):
            with pytest.raises(NoContentError):
                await parts.documents.find(dossier, UUID(int=number), 1)
        kept = await parts.documents.find(A, DOCUMENT, 1)
        assert [stored.name async for stored in parts.store.names()] == [kept.object_name]
        (together,), (alone,) = await entries(parts, A), await entries(parts, B)
        for entry in (together, alone):
            told = (entry.action, entry.rule, entry.allowed, entry.subject, entry.at, entry.change)
            service = Reference("service", "retention")
            assert told == ("document:delete", "retention", True, service, NOW, {"status": "deleted"})
        assert [item.resource for item in together.items] == [Reference("document", str(UUID(int=n))) for n in (1, 2)]
        assert (alone.resource, alone.items) == (Reference("document", str(UUID(int=3))), ())
        assert await retention(parts).run(10) == EVERYTHING_KEPT

    async def test_more_than_a_page_and_a_run_that_was_stopped(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it had done is done; the rest goes the next time, page by page."""
        monkeypatch.setattr("api.services.retention._BATCH", 2)
        for number in range(1, 8):
            identity = UUID(int=(number % 5) << 120 | 0xA)
            if number < 6:
                await put(parts, identity)
            await deposit(parts, identity, UUID(int=number), "REMB", TEN_YEARS_AGO + number * DAY)

        def stop() -> None:
            raise StoreUnavailableError

        with pytest.raises(StoreUnavailableError):
            await retention(parts, documents=InterruptedDocuments(parts, stop)).run(10)
        assert await retention(parts).count(10) == Retained(reimbursements=5)
        assert await retention(parts).run(10) == Retained(reimbursements=5)
        assert await retention(parts).run(10) == EVERYTHING_KEPT

    async def test_what_has_not_expired_stays(self, parts: Parts) -> None:
        """A dossier loses what has expired, and is met again for the rest the day that goes too, not before."""
        await put(parts, A)
        for number in range(1, 4):
            await deposit(parts, A, UUID(int=number), "REMB", datetime(2034, 3, 10 + number, 12, tzinfo=UTC))
        for number in range(4):
            day = NOW + number * DAY
            expired = Retained(reimbursements=min(number, 1))
            assert [await retention(parts, day).count(10), await retention(parts, day).run(10)] == [expired, expired]
            assert await retention(parts, day).run(10) == EVERYTHING_KEPT

    async def test_a_dossier_that_changed_meanwhile_is_looked_at_again(self, parts: Parts) -> None:
        """What was deleted since it was listed is not deleted twice, and what came since waits for the next run."""
        for number, identity in enumerate((A, B), 1):
            await put(parts, identity)
            await deposit(parts, identity, UUID(int=number), "REMB")
        await deposit(parts, B, UUID(int=3), "REMB")

        async def others() -> None:
            async with parts.database.begin() as connection:
                await delete_expired(connection, B, [UUID(int=2)])
            await deposit(parts, B, UUID(int=4), "REMB")
            documents.then = lambda: None

        documents = InterruptedDocuments(parts, others)
        assert await retention(parts, documents=documents).run(10) == Retained(reimbursements=2, left=1)
        assert await retention(parts).run(10) == Retained(reimbursements=1)

    async def test_what_went_meanwhile_is_left(self, parts: Parts) -> None:
        """Its dossier erased, or the document deleted, once it was listed."""
        for number, identity in enumerate((A, B, C), 1):
            await put(parts, identity)
            await deposit(parts, identity, UUID(int=number), "REMB")

        async def others() -> None:
            async with parts.database.begin() as connection:
                await erase_dossier(connection, B)
                await delete_expired(connection, C, [UUID(int=3)])

        documents = InterruptedDocuments(parts, others)
        assert await retention(parts, documents=documents).run(10) == Retained(reimbursements=1, left=2)

    def test_the_type_is_all_of_its_category(self) -> None:
        """What the rule refuses is what the index holds."""
        expiring = [kind.code for kind in DOCUMENT_TYPES.values() if kind.category is Category.REIMBURSEMENT]
        assert expiring == ["REMB"]
