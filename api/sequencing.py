"""What gives the journal's entries their places in the tree for as long as the service lives: every instance tries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from api.app import Lifespan
from models.database import Database
from vault.journal.sequencer import sequence


def sequencing(database: Database) -> Lifespan:
    """Integrate until the service stops; what waits then is left to whoever comes next."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(sequence(database))
        yield
        task.cancel()
        await asyncio.wait({task})

    return lifespan
