"""The database, the same on both engines: what is read, what is written, and how faults are told."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import database as storage
from models.database import Database, change, load, load_new, load_or_change, open_database, unload
from models.database.urls import sqlite_path
from models.errors import ConstraintError, DatabaseError, DatabaseUnavailableError
from models.tables import client, dossier, organization, staff, whereabouts

DOSSIER = UUID("5f0c0d4e-4b5e-4c6a-9d2b-1d3a6c1e7a10")
SINCE = datetime(2026, 11, 2, 9, 30, 0, 123457, tzinfo=UTC)
BORN = date(1985, 5, 12)
ONE = {"id": DOSSIER, "state": "open", "state_since": SINCE, "born": BORN, "protected": True, "ins_sealed": b"\x00\xff"}
READ_ONE = "SELECT id, state, state_since, born, protected, care_team_consent, ins_sealed, opened_at FROM dossier"
BUCKETS = "SELECT bucket, entries FROM whereabouts ORDER BY bucket"
GIVEN = "entries = excluded.entries"


async def test_read_gives_native_values(database: Database) -> None:
    """UUIDs, instants in UTC, dates, booleans, bytes and NULL come back as what they were, on both engines."""
    async with database.begin() as connection:
        await connection.execute(insert(dossier), ONE)
    rows = await database.read(f"{READ_ONE} WHERE id = $1::uuid", DOSSIER)
    assert [tuple(row) for row in rows] == [(DOSSIER, "open", SINCE, BORN, True, False, b"\x00\xff", None)]
    assert isinstance(rows[0][0], UUID)
    assert rows[0][2].tzinfo == UTC
    assert rows[0][4] is True


async def test_read_takes_native_values(database: Database) -> None:
    """UUIDs, instants, dates and booleans are found by what they are, and placeholders may come in any order."""
    async with database.begin() as connection:
        await connection.execute(insert(dossier), ONE)
    statement = (
        "SELECT born FROM dossier WHERE protected = $4::boolean AND born = $3::date"
        " AND state_since = $2::timestamptz AND id = $1::uuid"
    )
    elsewhere = SINCE.astimezone(timezone(timedelta(hours=2)))
    assert [tuple(row) for row in await database.read(statement, DOSSIER, elsewhere, BORN, True)] == [(BORN,)]


async def test_core_and_read_see_the_same(database: Database) -> None:
    """What SQLAlchemy reads of a row is what `read` reads of it."""
    async with database.begin() as connection:
        await connection.execute(insert(dossier), ONE)
    async with database.connect() as connection:
        seen = (await connection.execute(select(dossier.c.id, dossier.c.state_since, dossier.c.born))).one()
    assert tuple(seen) == (DOSSIER, SINCE, BORN)
    assert tuple((await database.read("SELECT id, state_since, born FROM dossier"))[0]) == tuple(seen)


async def test_instants_are_exact_to_the_microsecond_through_the_centuries(database: Database) -> None:
    """No instant is rounded by its storage, but the first and the last of all, which drivers take for infinities."""
    instants = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    instants.append(datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC))
    last = datetime.max.replace(tzinfo=UTC)
    async with database.begin() as connection:
        rows = [{"id": UUID(int=n), "state": "open", "state_since": at} for n, at in enumerate([*instants, last])]
        await connection.execute(insert(dossier), rows)
    read = [row[0] for row in await database.read("SELECT state_since FROM dossier ORDER BY id")]
    assert read == [*instants, last - timedelta(microseconds=1)]


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    """What a block wrote before it raised is not there, and its own exception passes unchanged."""

    async def fail() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(dossier), ONE)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert await database.read(READ_ONE) == []


async def test_faults_of_others_pass_a_transaction_unchanged(database: Database) -> None:
    """An object store that fails within a transaction is not taken for the database."""
    with pytest.raises(ConnectionResetError):
        async with database.begin():
            raise ConnectionResetError


async def test_what_is_not_committed_is_not_read(database: Database) -> None:
    """Neither `read` nor `connect` sees another transaction's rows before it ends, and neither waits for it."""
    async with database.begin() as writing:
        await writing.execute(insert(dossier), ONE)
        assert await database.read(READ_ONE) == []
        async with database.connect() as reading:
            assert (await reading.execute(select(dossier.c.id))).all() == []
    assert len(await database.read(READ_ONE)) == 1


async def test_writers_of_one_process_wait_for_each_other(database: Database) -> None:
    """Fifty transactions that read and add at once lose nothing and none fails."""
    async with database.begin() as connection:
        await connection.execute(insert(organization), {"id": "1", "kind": "bank", "name": "0"})

    async def add_one() -> None:
        async with database.begin() as connection:
            name = await connection.scalar(select(organization.c.name).with_for_update())
            await connection.execute(organization.update().values(name=str(int(name or "") + 1)))

    await asyncio.gather(*(add_one() for _ in range(50)))
    assert [row[0] for row in await database.read("SELECT name FROM organization")] == ["50"]


async def test_more_readers_than_connections(database: Database) -> None:
    """A hundred reads at once are all answered, each with its own answer."""
    statement = "SELECT id FROM dossier WHERE id = $1::uuid"
    identities = [UUID(int=n) for n in range(100)]
    async with database.begin() as connection:
        rows = [{"id": identity, "state": "open", "state_since": SINCE} for identity in identities]
        await connection.execute(insert(dossier), rows)
    answers = await asyncio.gather(*(database.read(statement, identity) for identity in identities))
    assert [answer[0][0] for answer in answers] == identities


async def test_a_duplicate_is_a_constraint(database: Database) -> None:
    """The second row of a key raises ConstraintError, whose text and causes hold nothing of the row."""
    async with database.begin() as connection:
        await connection.execute(insert(dossier), ONE)
    with pytest.raises(ConstraintError) as caught:
        async with database.begin() as connection:
            await connection.execute(insert(dossier), ONE)
    assert str(DOSSIER) not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_reference_to_nothing_is_a_constraint(database: Database) -> None:
    """Foreign keys are held on both engines."""
    with pytest.raises(ConstraintError):
        async with database.begin() as connection:
            await connection.execute(insert(staff), {"id": "secretary", "organization": "nowhere"})


async def test_a_wrong_statement_is_no_unavailability(database: Database) -> None:
    """A statement about no table raises DatabaseError, without its text, in all three ways in."""
    for attempt in (_read_nothing, _begin_nothing, _connect_nothing):
        with pytest.raises(DatabaseError) as caught:
            await attempt(database)
        assert type(caught.value) is DatabaseError
        assert "no_such_table" not in str(caught.value)


async def _read_nothing(database: Database) -> None:
    await database.read("SELECT * FROM no_such_table")


async def _begin_nothing(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(text("SELECT * FROM no_such_table"))


async def _connect_nothing(database: Database) -> None:
    async with database.connect() as connection:
        await connection.execute(text("SELECT * FROM no_such_table"))


async def test_read_writes_nothing(database: Database) -> None:
    """The hot path cannot write, whatever statement reaches it."""
    with pytest.raises(DatabaseError):
        await database.read("INSERT INTO has_read VALUES ($1::uuid, $2::text)", DOSSIER, "10001234565")
    assert await database.read("SELECT * FROM has_read") == []


async def test_what_was_read_to_write_is_not_committed(database: Database) -> None:
    """`connect` never commits."""
    async with database.connect() as connection:
        await connection.execute(insert(dossier), ONE)
    assert await database.read(READ_ONE) == []


async def test_statements_outlive_a_change_of_the_schema(database: Database) -> None:
    """A statement that was prepared before a migration is prepared again after it."""
    assert await database.read("SELECT * FROM client") == []
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE client ADD COLUMN later TEXT"))
        row = {"name": "a", "key_hash": b"", "scopes": "", "speaks_for": "", "created_at": SINCE}
        await connection.execute(insert(client), row)
    assert [len(row) for row in await database.read("SELECT * FROM client")] == [len(client.c) + 1]


async def test_more_statements_than_are_kept(database: Database) -> None:
    """The statements that stay prepared are bounded, and an evicted one still works."""
    for number in (*range(300), 0):
        rows = await database.read(f"SELECT {number} AS n FROM dossier WHERE id = $1::uuid", DOSSIER)
        assert rows == []


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@host/name",
        "sqlite+aiosqlite:///secret",
        "sqlite://",
        "sqlite:///:memory:",
        "secret",
        "postgresql://me:secret@host:port/name",
        "postgresql://me:secret@host/name?sslmode=secret",
    ],
)
async def test_other_urls_are_refused(url: str) -> None:
    """Only the two engines are taken, SQLite only with a file; the refusal does not repeat the URL."""
    with pytest.raises(DatabaseError) as caught:
        await open_database(url)
    assert "secret" not in str(caught.value)


async def test_sqlite_paths_are_relative_with_three_strokes_and_absolute_with_four() -> None:
    """As in SQLAlchemy's URLs."""
    assert sqlite_path(storage.urls.parsed("sqlite:///var/dmp.sqlite")) == Path("var/dmp.sqlite")
    assert sqlite_path(storage.urls.parsed("sqlite:////var/dmp.sqlite")) == Path("/var/dmp.sqlite")


async def test_a_missing_file_is_unavailable(sqlite_url: str) -> None:
    """Opening makes no empty database in passing."""
    with pytest.raises(DatabaseUnavailableError):
        await open_database(sqlite_url)
    assert not sqlite_path(storage.urls.parsed(sqlite_url)).exists()


async def test_a_file_that_is_no_database_is_refused(sqlite_url: str) -> None:
    """Whatever else the file is, it is left alone."""
    path = sqlite_path(storage.urls.parsed(sqlite_url))
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(DatabaseError):
        await open_database(sqlite_url)
    assert path.read_bytes() == b"something else entirely" * 100


async def test_a_database_without_tables_is_refused(database_url: str) -> None:
    """The first request would find it out too late."""
    if database_url.startswith("sqlite"):
        sqlite_path(storage.urls.parsed(database_url)).touch()
    with pytest.raises(DatabaseError, match="dmp init"):
        await open_database(database_url)


async def test_a_server_that_is_not_there_is_unavailable(free_tcp_port: int) -> None:
    """Nothing listens: DatabaseUnavailableError, without the password."""
    with pytest.raises(DatabaseUnavailableError) as caught:
        await open_database(f"postgresql://dmp:secret@127.0.0.1:{free_tcp_port}/dmp")
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_there_is_unavailable(postgresql_url: str) -> None:
    """The server is there, the database is not."""
    with pytest.raises(DatabaseUnavailableError):
        await open_database(f"{postgresql_url}_not")


async def test_lost_connections_come_back(migrated_postgresql_url: str) -> None:
    """After the server has closed every connection, both ways in work again without an error for the caller."""
    database = await open_database(migrated_postgresql_url)
    try:
        await asyncio.gather(*(database.read("SELECT 1") for _ in range(8)))
        async with database.connect() as connection:
            await connection.execute(text("SELECT 1"))
        await _close_connections(migrated_postgresql_url)
        assert [row[0] for row in await database.read("SELECT 1")] == [1]
        async with database.begin() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await database.close()


async def test_a_connection_lost_within_a_transaction_is_told(migrated_postgresql_url: str) -> None:
    """A transaction whose connection goes is DatabaseUnavailableError, and nothing of it remains."""
    database = await open_database(migrated_postgresql_url)

    async def fail() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(dossier), ONE)
            await _close_connections(migrated_postgresql_url)
            await connection.execute(text("SELECT 1"))

    try:
        with pytest.raises(DatabaseUnavailableError):
            await fail()
        assert await database.read(READ_ONE) == []
    finally:
        await database.close()


async def _close_connections(url: str) -> None:
    other = await asyncpg.connect(url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await other.close()


async def test_a_writer_of_another_process_is_waited_for(migrated_sqlite_url: str) -> None:
    """SQLite's own lock holds between processes; here another connection stands for the other process."""
    database = await open_database(migrated_sqlite_url)
    other = sqlite3.connect(sqlite_path(storage.urls.parsed(migrated_sqlite_url)), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.begin() as connection:
                await connection.execute(insert(dossier), ONE)

        waiting = asyncio.create_task(write())
        while not waiting.done() and (await database.read("SELECT COUNT(*) FROM dossier"))[0][0] == 0:
            await asyncio.to_thread(lambda: None)
            if other.in_transaction:
                other.execute("COMMIT")
        await waiting
        assert len(await database.read(READ_ONE)) == 1
    finally:
        other.close()
        await database.close()


async def test_a_commit_is_on_the_disk(migrated_sqlite_url: str) -> None:
    """SQLite writes ahead, and syncs before a commit is announced: what the journal's promise rests on."""
    database = await open_database(migrated_sqlite_url)
    try:
        async with database.begin() as connection:
            assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
            assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
    finally:
        await database.close()


@pytest.mark.parametrize("first", ["load", "load_new", "load_or_change", "change"])
async def test_rows_in_bulk_fall_with_their_transaction(first: str, database: Database) -> None:
    """Also where they are its first statement."""
    names, rows = ["bucket", "entries"], [(1, b"one"), (2, b"two")]
    async with database.begin() as connection:
        await load(connection, whereabouts, [(1, b"")])
    calls: dict[str, Callable[[AsyncConnection], Awaitable[object]]] = {
        "load": lambda connection: load(connection, whereabouts, rows[1:], names),
        "load_new": lambda connection: load_new(connection, whereabouts, rows),
        "load_or_change": lambda connection: load_or_change(connection, whereabouts, names, rows, GIVEN, "false"),
        "change": lambda connection: change(connection, whereabouts, ["entries"], rows),
    }

    async def change_of_mind() -> None:
        async with database.begin() as connection:
            await calls[first](connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    assert await database.read(BUCKETS) == [(1, b"")]


async def test_rows_in_bulk_that_are_there_already(database: Database) -> None:
    """They are left as they are, and changed where that is what is asked for."""
    async with database.begin() as connection:
        await load_new(connection, whereabouts, [(1, b"one")])
        await load_new(connection, whereabouts, [(1, b"two"), (2, b"two")])
    assert await database.read(BUCKETS) == [(1, b"one"), (2, b"two")]
    async with database.begin() as connection:
        await change(connection, whereabouts, ["entries"], [(1, b"two"), (2, b"one")])
    assert await database.read(BUCKETS) == [(1, b"two"), (2, b"one")]
    async with database.begin() as connection:
        rows = [(3, b"three"), (2, b"two")]
        told = await load_or_change(connection, whereabouts, ["bucket", "entries"], rows, GIVEN, "bucket < 3")
    assert [tuple(row) for row in told] == [(2, b"two")]
    assert await database.read(BUCKETS) == [(1, b"two"), (2, b"two"), (3, b"three")]


async def test_rows_in_bulk_are_read_by_pages(database: Database) -> None:
    """In the order asked for, while others are written within the transaction; also none."""
    query = select(whereabouts.c.bucket, whereabouts.c.entries).order_by(whereabouts.c.bucket)
    pages: list[list[tuple[object, ...]]] = []
    async with database.begin() as connection:
        assert [rows async for rows in unload(connection, query, 2)] == []
        await load(connection, whereabouts, [(number, b"%d" % number) for number in range(5)])
        async for rows in unload(connection, query, 2):
            pages.append([tuple(row) for row in rows])
            await change(connection, whereabouts, ["entries"], [(pages[-1][0][0], b"changed")])
    assert pages == [[(0, b"0"), (1, b"1")], [(2, b"2"), (3, b"3")], [(4, b"4")]]
