"""A deposit that is sent again under the same `Idempotency-Key` gets the answer that it got the first time.

What is remembered of a request stands under the dossier's key, like everything else that says what a document holds:
not even its digest outlives an erasure.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from models.queries.dossiers import hold_dossier
from models.queries.idempotency import KeptAnswer, find_answer, keep_answer
from vault.keys import DossierKeys


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that may come again: under which key of which client, and the digest of what it says but content."""

    dossier: UUID
    client: str
    key: str
    told: bytes

    @property
    def purpose(self) -> str:
        """What its answer is sealed for."""
        return f"idempotency/{self.client}/{self.key}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was asked under a key before, and answered."""

    told: bytes
    sha256: bytes = field(repr=False)
    size: int
    answer: Mapping[str, Any] = field(repr=False)


class Repeats:
    """The answers given to requests that may be repeated."""

    def __init__(self, database: Database, keys: DossierKeys) -> None:
        self._database = database
        self._keys = keys

    async def find(self, request: Repeatable) -> Earlier | None:
        """What was answered under this key, to this request or to another one."""
        kept = await find_answer(self._database, request.dossier, request.client, request.key)
        if kept is None:
            return None
        opened = await self._keys.open_text(request.dossier, kept.sealing, request.purpose, b64decode(kept.answer))
        read = json.loads(opened)
        return Earlier(bytes.fromhex(read["told"]), bytes.fromhex(read["sha256"]), read["size"], read["answer"])

    async def keep(self, connection: AsyncConnection, request: Repeatable, done: Earlier, at: datetime) -> bool:
        """In the transaction of what was done. False if another answer was given meanwhile: undo, and look again.

        The dossier is held before its key, as by whoever erases both. Raises ConstraintError if it is gone.
        """
        await hold_dossier(connection, request.dossier)
        written = {"told": done.told.hex(), "sha256": done.sha256.hex(), "size": done.size, "answer": done.answer}
        text = json.dumps(written).encode()
        sealed = await self._keys.seal_text(connection, request.dossier, request.purpose, text)
        kept = KeptAnswer(b"", b64encode(sealed).decode(), at)
        return await keep_answer(connection, request.dossier, request.client, request.key, kept)


async def is_repeated(earlier: Earlier, data: AsyncIterator[bytes]) -> bool:
    """Whether this content is the earlier one; nothing of it is kept."""
    digest, size = hashlib.sha256(), 0
    async for piece in data:
        digest.update(piece)
        size += len(piece)
        if size > earlier.size:
            return False
    return digest.digest() == earlier.sha256
