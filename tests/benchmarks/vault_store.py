"""What the vault costs on MinIO beside its bare SDK, which neither encrypts nor keeps rows."""

import asyncio
import io
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from minio import Minio

from models.database import Database, open_database, upgrade
from tests.benchmarks.frame import Work, benchmark
from tests.servers.minio import MinioServer, minio
from vault.documents import Documents
from vault.keys import DossierKeys, RowKeys, ShardKeys
from vault.local_keys import LocalKeyring
from vault.locations import store_from_url

SUBJECT = "vault.Documents, SQLite"
REFERENCE = "the SDK, in clear"
BUCKET = "benchmark"
DOSSIER = UUID(int=1)
MEBIBYTE = 1024 * 1024
PIECE_SIZE = 65_536


@benchmark("deposit 1 MiB on MinIO", subject=SUBJECT, reference=REFERENCE)
def small_deposit() -> Iterator[tuple[Work, Work]]:
    with _sides() as (vault, bare):
        content = secrets.token_bytes(MEBIBYTE)
        yield lambda: vault.deposit(content), lambda: bare.deposit(content)


@benchmark("deposit 64 MiB on MinIO", subject=SUBJECT, reference=REFERENCE)
def large_deposit() -> Iterator[tuple[Work, Work]]:
    with _sides() as (vault, bare):
        content = secrets.token_bytes(64 * MEBIBYTE)
        yield lambda: vault.deposit(content), lambda: bare.deposit(content)


@benchmark("read 1 MiB from MinIO", subject=SUBJECT, reference=REFERENCE)
def small_reading() -> Iterator[tuple[Work, Work]]:
    with _sides() as (vault, bare):
        content = secrets.token_bytes(MEBIBYTE)
        document, name = vault.deposit(content), bare.deposit(content)
        yield lambda: vault.read(document), lambda: bare.read(name)


@benchmark("read 64 MiB from MinIO", subject=SUBJECT, reference=REFERENCE)
def large_reading() -> Iterator[tuple[Work, Work]]:
    with _sides() as (vault, bare):
        content = secrets.token_bytes(64 * MEBIBYTE)
        document, name = vault.deposit(content), bare.deposit(content)
        yield lambda: vault.read(document), lambda: bare.read(name)


@benchmark("read 64 KiB amid 64 MiB from MinIO", subject=SUBJECT, reference=REFERENCE)
def range_reading() -> Iterator[tuple[Work, Work]]:
    with _sides() as (vault, bare):
        content = secrets.token_bytes(64 * MEBIBYTE)
        document, name = vault.deposit(content), bare.deposit(content)
        start, stop = 30 * MEBIBYTE, 30 * MEBIBYTE + 65_536
        yield lambda: vault.read(document, start, stop), lambda: bare.read(name, start, stop)


@dataclass(frozen=True, slots=True)
class _Vault:
    runner: asyncio.Runner
    database: Database
    documents: Documents

    def deposit(self, content: bytes) -> UUID:
        return self.runner.run(self._deposit(content))

    def read(self, document: UUID, start: int = 0, stop: int | None = None) -> int:
        return self.runner.run(self._read(document, start, stop))

    async def _deposit(self, content: bytes) -> UUID:
        document = uuid4()
        written = await self.documents.write(DOSSIER, document, 1, "application/pdf", _pieces(content))
        async with self.database.begin() as connection:
            await self.documents.commit(connection, written, "")
        return document

    async def _read(self, document: UUID, start: int, stop: int | None) -> int:
        reading = await self.documents.open(DOSSIER, document, 1, (start, stop))
        return sum([len(piece) async for piece in reading.stream])


@dataclass(frozen=True, slots=True)
class _Bare:
    client: Minio

    def deposit(self, content: bytes) -> str:
        name = secrets.token_hex(16)
        self.client.put_object(BUCKET, name, io.BytesIO(content), len(content))
        return name

    def read(self, name: str, start: int = 0, stop: int | None = None) -> int:
        response = self.client.get_object(BUCKET, name, offset=start, length=0 if stop is None else stop - start)
        try:
            return sum(len(piece) for piece in response.stream(MEBIBYTE))
        finally:
            response.close()
            response.release_conn()


@contextmanager
def _sides() -> Iterator[tuple[_Vault, _Bare]]:
    with tempfile.TemporaryDirectory() as folder, minio() as server, asyncio.Runner() as runner:
        url = f"sqlite:///{folder}/dmp.sqlite"
        upgrade(url)
        database = runner.run(open_database(url))
        store = store_from_url(server.url(BUCKET))
        runner.run(store.prepare())
        shards = ShardKeys(database, LocalKeyring.create(Path(folder, "keyring.json")))
        keys, rows = DossierKeys(database, shards), RowKeys(shards)
        yield _Vault(runner, database, Documents(database, store, keys, rows)), _Bare(_client(server))
        runner.run(store.close())
        runner.run(database.close())


def _client(server: MinioServer) -> Minio:
    return Minio(server.address, server.access_key, server.secret_key, secure=False)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for position in range(0, len(content), PIECE_SIZE):
        yield content[position : position + PIECE_SIZE]
