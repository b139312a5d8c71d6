"""A process that stops in the middle of integrating, all taken and nothing committed, until it is killed."""

import asyncio
from multiprocessing.connection import Connection

import pytest

from models.database import open_database
from vault.journal import sequencer


def run(url: str, told: "Connection[str, None]") -> None:
    """Say when it is in the middle."""

    async def hang(*_: object) -> None:
        told.send("in the middle")
        await asyncio.Event().wait()

    async def integrate() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sequencer, "_add", hang)
            await sequencer.step(await open_database(url))

    asyncio.run(integrate())
