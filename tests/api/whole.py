"""The whole service on an engine and a folder, driven without a socket, at an instant that a test chooses."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from litestar import Litestar

from api.asgi import service
from api.identity import digest_of
from api.settings import Settings
from models.database import Database, open_database
from models.identifiers import Ins
from models.importing import import_facts
from models.queries.clients import StoredClient, add_client
from models.vocabulary import Scope, SubjectType
from tests.api.service import ORIGIN, bearer
from vault.envelope import sealed_size
from vault.journal.entry import Entry
from vault.journal.keys import JournalKeys
from vault.journal.recent import newest_first
from vault.keys import DossierKeys, ShardKeys, read_secrets
from vault.local_keys import LocalKeyring
from vault.packs import object_of, position_in_pack

Json = dict[str, Any]
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
INS, OTHER_INS, NOBODY_INS, CHILD_INS = ("185057800608491", "160127511200161", "255081416802538", "215066912300112")
FUND, OTHER_FUND, PHARMACY, HOSPITAL = ("775685019", "180035024", "750000010", "750000028")
PHYSICIAN, NURSE, UNKNOWN_RPPS = ("10001234565", "10001234573", "10001234581")
HOLDER, TREATING = "holder", f"professional/{PHYSICIAN}"
KEY, FUND_KEY, OTHER_FUND_KEY, PHARMACY_KEY = ("dmp_all", "dmp_fund", "dmp_other_fund", "dmp_pharmacy")
DECIDING_KEY = "dmp_decide"

POPULATION: tuple[Json, ...] = (
    {"kind": "organization", "id": FUND, "type": "insurance_fund", "name": "Fund"},
    {"kind": "organization", "id": OTHER_FUND, "type": "insurance_fund", "name": "Other fund"},
    {"kind": "organization", "id": PHARMACY, "type": "pharmacy", "name": "Pharmacy"},
    {"kind": "organization", "id": HOSPITAL, "type": "health_facility", "name": "Hospital"},
    {"kind": "professional", "rpps": PHYSICIAN, "profession": "physician", "organizations": [HOSPITAL]},
    {"kind": "professional", "rpps": NURSE, "profession": "nurse", "organizations": [HOSPITAL]},
    {"kind": "dossier", "ins": INS, "state": "open", "born": "1960-05-12"},
    {"kind": "dossier", "ins": OTHER_INS, "state": "open", "born": "1960-12-01"},
    {"kind": "relation", "dossier_ins": INS, "professional": PHYSICIAN, "relation": "treating_physician"},
)


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Whole:
    """The service, its database, and callers with several keys."""

    http: httpx.AsyncClient
    database: Database
    clock: Clock
    home: Path
    secret: bytes = field(repr=False)
    keys: DossierKeys = field(repr=False)
    journal_keys: JournalKeys = field(repr=False)
    app: Litestar = field(repr=False)

    def id_of(self, ins: str = INS) -> str:
        """A person's pseudonym."""
        return str(Ins.parse(ins).pseudonym(self.secret))

    def path(self, tail: str, ins: str = INS) -> str:
        return f"/v1/dossiers/{self.id_of(ins)}{tail}"

    def headers(self, who: str, **more: str) -> dict[str, str]:
        """On behalf of somebody, strongly authenticated; `holder` is the holder of INS."""
        subject = f"person/{self.id_of()}" if who == HOLDER else who
        return bearer(KEY) | {"DMP-Subject": subject, "DMP-Authentication": "cps"} | more

    async def get(self, tail: str, who: str = HOLDER, ins: str = INS, **more: str) -> httpx.Response:
        return await self.http.get(self.path(tail, ins), headers=self.headers(who, **more))

    async def learn(self, *facts: Mapping[str, object]) -> None:
        """Import facts."""
        lines = [json.dumps(fact).encode() for fact in facts]
        seal = self.keys.sealing()
        await import_facts(self.database, lambda ins: ins.pseudonym(self.secret), lines, seal=seal)

    async def deposit(self, who: str = TREATING, content: bytes = b"content", **metadata: object) -> str:
        """The id of a document that was just deposited in the dossier of INS."""
        answer = await self.offer(who, content, **metadata)
        assert answer.status_code == 201, answer.text
        identity: str = answer.json()["id"]
        return identity

    async def offer(self, who: str = TREATING, content: bytes = b"content", **metadata: object) -> httpx.Response:
        """The answer to a deposit in the dossier of INS."""
        told = {
            "document_type": "11488-4",
            "title": "Compte rendu",
            "content_type": "text/plain",
            "created_at": "2026-10-01T08:00:00Z",
        } | metadata
        parts: Mapping[str, tuple[str, bytes | str, str]] = {
            "metadata": ("metadata", json.dumps(told), "application/json"),
            "content": ("content", content, "application/octet-stream"),
        }
        return await self.http.post(self.path("/documents"), files=parts, headers=self.headers(who))

    async def tamper(self, document: str, place: int | None = None) -> None:
        """Change a byte of what the store holds of a document: the last, unless it says which."""
        statement = "SELECT object_name, size FROM content WHERE document = $1::uuid"
        ((name, size),) = await self.database.read(statement, UUID(document))
        (kept,) = (path for path in (self.home / "vault").rglob("*") if path.name == object_of(name))
        content = bytearray(kept.read_bytes())
        content[(position_in_pack(name) or 0) + (sealed_size(size) - 1 if place is None else place)] ^= 1
        kept.write_bytes(content)

    async def change(self, document: str, who: str = HOLDER, **what: object) -> None:
        """Mask, archive, reveal."""
        answer = await self.http.patch(f"/v1/documents/{document}", json=what, headers=self.headers(who))
        assert answer.status_code == 204, answer.text

    async def journal(self) -> list[Json]:
        """The journal of the dossier of INS as its holder reads it, newest first, without this very reading."""
        answer = await self.get("/journal?limit=1000")
        entries: list[Json] = answer.json()["entries"]
        return entries[1:]

    async def entries(self) -> list[Entry]:
        """What the journal says of all dossiers, newest first."""
        pages = newest_first(self.database, self.journal_keys)
        return [line.entry async for page in pages for line in page if line.entry is not None]

    async def feed(self, name: str, lines: Iterable[Mapping[str, object] | bytes], key: str = FUND_KEY) -> list[Json]:
        """Send lines; the results."""
        answer = await self.send(name, lines, key)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.text.splitlines()]

    async def send(
        self, name: str, lines: Iterable[Mapping[str, object] | bytes], key: str = FUND_KEY
    ) -> httpx.Response:
        """Send lines; the answer."""
        told = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
        return await self.http.post(f"/v1/feeds/{name}", content=b"\n".join(told), headers=headers)


@asynccontextmanager
async def whole(database_url: str, home: Path, **more: Any) -> AsyncIterator[Whole]:
    """The service on a database with all tables and no row; `more` are settings."""
    keyring = LocalKeyring.create(home / "keys")
    clock, database = Clock(), await open_database(database_url)
    settings = Settings(home, database_url, f"file://{home / 'vault'}", f"file://{home / 'keys'}", **more)
    everybody = frozenset(SubjectType)
    try:
        async with database.begin() as connection:
            for name, key, organization, scopes in (
                ("all", KEY, None, Scope),
                ("fund", FUND_KEY, FUND, Scope),
                ("other fund", OTHER_FUND_KEY, OTHER_FUND, Scope),
                ("pharmacy", PHARMACY_KEY, PHARMACY, Scope),
                ("decide", DECIDING_KEY, FUND, (Scope.DECIDE,)),
            ):
                stored = StoredClient(name, frozenset(scopes), everybody, organization, NOW)
                await add_client(connection, stored, digest_of(key))
        async with service(settings, now=clock) as app:
            transport = httpx.ASGITransport(cast("Any", app))  # Litestar names the messages more narrowly
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=bearer(KEY)) as http:
                shards = ShardKeys(database, keyring)
                secrets = await read_secrets(database, shards)
                keys, journal_keys = DossierKeys(database, shards), JournalKeys(shards, secrets.index)
                made = Whole(http, database, clock, home, secrets.pseudonym, keys, journal_keys, app)
                await made.learn(*POPULATION)
                yield made
    finally:
        await database.close()
