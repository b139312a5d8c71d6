"""The rules in force, and how they are replaced while decisions are being taken."""

import asyncio
from datetime import datetime
from pathlib import Path

from policy.engine import Engine


class Rules:
    """Holds one immutable engine; a reload builds the next beside it and swaps the reference.

    Whoever took `engine` before a swap finishes with the old rules: no decision mixes two rule sets.
    """

    def __init__(self, folder: Path | None, engine: Engine, loaded_at: datetime) -> None:
        self._folder = folder
        self._reloading = asyncio.Lock()
        self.engine = engine
        self.loaded_at = loaded_at

    async def reload(self, at: datetime) -> Engine:
        """Load the folder again. Raises PolicyFileError, and the rules in force stay, if it is refused."""
        async with self._reloading:
            engine = await asyncio.to_thread(Engine.load, self._folder)
            self.engine, self.loaded_at = engine, at
        return engine
