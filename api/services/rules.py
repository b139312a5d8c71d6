"""The rules in force, and how they are replaced while decisions are being taken."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import structlog

from api.services.swaps import Occasion, Swaps
from policy.engine import Engine

logger = structlog.get_logger()


class Rules(ABC):
    """Holds one immutable engine; a reload builds the next beside it and swaps the reference.

    Whoever took `engine` before a swap finishes with the old rules: no decision mixes two rule sets. A swap is made
    once it is written down, so what cannot be journaled does not decide.
    """

    engine: Engine
    loaded_at: datetime

    @abstractmethod
    async def reload(self, occasion: Occasion, at: datetime) -> None:
        """Look again at where the rules come from, and put in force what is new there.

        Raises PolicyError if it is refused, and what the journal and the stores raise; then the rules in force stay.
        """

    @property
    def version(self) -> int | None:
        """Of the bundle in force, if the rules come from bundles."""
        return None

    def facts(self, at: datetime) -> Mapping[str, str | int | bool]:
        """What readiness tells of the rules."""
        return {"revision": self.engine.revision, "age_seconds": seconds_since(self.loaded_at, at)}


class FolderRules(Rules):
    """The rules of a policy folder (None: the packaged one), which whoever can write to it may change."""

    def __init__(self, folder: Path | None, engine: Engine, loaded_at: datetime, swaps: Swaps) -> None:
        self._folder = folder
        self._swaps = swaps
        self._reloading = asyncio.Lock()
        self.engine = engine
        self.loaded_at = loaded_at

    @classmethod
    async def begin(cls, folder: Path | None, swaps: Swaps, at: datetime) -> "FolderRules":
        """As the service starts: under other rules than before, that is a swap too. Raises as `reload`."""
        engine = await asyncio.to_thread(Engine.load, folder)
        await swaps.from_folder(engine.revision, Occasion.of_service("start"), at)
        return cls(folder, engine, at, swaps)

    async def reload(self, occasion: Occasion, at: datetime) -> None:
        """See Rules."""
        async with self._reloading:
            engine = await asyncio.to_thread(Engine.load, self._folder)
            if engine.revision != self.engine.revision:
                await self._swaps.from_folder(engine.revision, occasion, at)
            self.engine, self.loaded_at = engine, at
            logger.info("policy_loaded", revision=engine.revision)


def seconds_since(since: datetime, at: datetime) -> int:
    """Whole seconds, as readiness tells ages."""
    return round((at - since).total_seconds())
