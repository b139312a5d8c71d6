"""What a page costs, by the documents that a dossier has: `python -m tests.benchmarks.pages`.

Processor time of the first and the last page of fifty, the whole service in this process on a real PostgreSQL. A page
is to cost what it shows: the dossier's row is read and put in order packed, whatever else there is.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from uuid import UUID

from sqlalchemy import update

from models.database import upgrade
from models.facts import Document, Reference
from models.sheets import Filed, Version, pack_documents
from models.tables import dossier
from models.vocabulary import DocumentStatus
from tests.api.whole import HOSPITAL, PHYSICIAN, TREATING, Whole, whole
from tests.servers.postgresql import postgresql

SIZES = 7, 500, 5_000
LIMIT, TURNS = 50, 15
_TYPES = "11488-4", "11490-0", "34112-3", "11502-2", "18748-4"

Page = Callable[[Whole, str | None], Awaitable[str | None]]
"""Asks for the page behind a token, or for the first; gives the token of the next one."""


def main() -> None:
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        url = server.create("pages")
        upgrade(url)
        asyncio.run(_measure(url, Path(folder)))


async def _measure(url: str, folder: Path) -> None:
    async with whole(url, folder) as dmp:
        for documents in SIZES:
            async with dmp.database.begin() as connection:
                here = dossier.c.id == UUID(dmp.id_of())
                await connection.execute(update(dossier).where(here).values(documents=_sheet(documents)))
            for what, page in (("search", _search), ("listing", _listing)):
                last = await _last(page, dmp)
                first, end = await _milliseconds(page, dmp, None), await _milliseconds(page, dmp, last)
                print(
                    f"{documents:5} documents, {what:7}: first page {first:5.1f} ms, last page {end:5.1f} ms",
                    flush=True,
                )


def _sheet(documents: int) -> bytes:
    """Documents of several authors, types and states, one every six hours."""
    random, begin = Random(1), datetime(2020, 1, 1, tzinfo=UTC)
    filed = []
    for number in range(documents):
        author = Reference("organization", HOSPITAL) if random.random() < 0.7 else Reference("professional", PHYSICIAN)
        status = DocumentStatus.CURRENT if random.random() < 0.9 else DocumentStatus.SUPERSEDED
        identity, created = UUID(int=random.getrandbits(128)), begin + timedelta(hours=6 * number)
        document = Document(
            identity, random.choice(_TYPES), author, created, random.random() < 0.02, None, False, status
        )
        filed.append(Filed(document, Version(identity, 1)))
    return pack_documents(filed)


async def _search(dmp: Whole, token: str | None) -> str | None:
    question = {
        "subject": {"type": "professional", "id": PHYSICIAN},
        "action": {"name": "document:read"},
        "resource": {"type": "document", "properties": {"dossier": dmp.id_of()}},
        "context": {"authentication": "cps"},
        "page": {"limit": LIMIT} | ({} if token is None else {"token": token}),
    }
    answer = await dmp.http.post("/access/v1/search/resource", json=question)
    return answer.raise_for_status().json()["page"]["next_token"] or None


async def _listing(dmp: Whole, token: str | None) -> str | None:
    after = "" if token is None else f"&after={token}"
    answer = await dmp.get(f"/documents?limit={LIMIT}{after}", TREATING)
    following: str | None = answer.raise_for_status().json()["next"]
    return following


async def _last(page: Page, dmp: Whole) -> str | None:
    """The token of the last page."""
    token, following = None, await page(dmp, None)
    while following:
        token, following = following, await page(dmp, following)
    return token


async def _milliseconds(page: Page, dmp: Whole, token: str | None) -> float:
    spent = []
    for _ in range(TURNS):
        begin = time.process_time()
        await page(dmp, token)
        spent.append(time.process_time() - begin)
    return 1_000 * median(spent)


if __name__ == "__main__":
    main()
