"""Rules that two reviewers signed, followed as they are published in the object store.

What is published is asked for by its tag; what is new is verified, noted (`api.services.swaps`), then put in force.
What is refused changes nothing: the rules in force go on deciding, and readiness says that they are stale. The bundle
in force is also kept in the database, from which an instance that starts, or was left behind, takes it when what is
published is not acceptable; it is verified there as anywhere.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from api.services.rules import Rules, seconds_since
from api.services.swaps import Occasion, Swaps, content_of, hold_not_older
from models.database import Database
from models.errors import DatabaseError
from models.queries.policy import find_bundle, find_in_force
from policy.bundles.form import MAX_SIZE
from policy.bundles.signing import read_trust
from policy.bundles.verifying import accept
from policy.engine import Engine
from policy.errors import BundleError
from vault.errors import JournalUnavailableError, NoObjectError, StoreError
from vault.notices import NoticeBoard

PUBLISHED = "policy/bundle"
"""The notice that every instance follows."""

READ_AT_MOST = MAX_SIZE + 1

_PATIENCE = 4
"""After so many intervals without an answer the rules are stale."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where bundles are published, whose signatures count, where swaps are noted, and who is told of refusals."""

    board: NoticeBoard
    trust_file: Path
    database: Database
    swaps: Swaps
    count_refusal: Callable[[str], None]
    poll_seconds: float


class SignedRules(Rules):
    """Begun by `begin`, then kept up to date by `poll`, which whoever runs it calls at each interval."""

    def __init__(self, around: Surroundings, at: datetime) -> None:
        self._around = around
        self._trust = read_trust(around.trust_file)
        self._following = asyncio.Lock()
        self._version, self._content = 0, b""
        self._tag: str | None = None
        self._refused: str | None = None
        self._polled_at = at

    @classmethod
    async def begin(cls, around: Surroundings, at: datetime) -> "SignedRules":
        """With the bundle that is published, else the one in force. Raises PolicyError if neither is acceptable."""
        rules = cls(around, at)
        try:
            await rules._follow(Occasion.of_service("start"), at, None)
        except BundleError:
            if rules.version is None:
                raise
        return rules

    @property
    def version(self) -> int | None:
        """See Rules."""
        return self._version or None

    async def reload(self, occasion: Occasion, at: datetime) -> None:
        """See Rules. The trust file is read again, and what was refused before is looked at again."""
        async with self._following:
            self._trust = await asyncio.to_thread(read_trust, self._around.trust_file)
            await self._follow(occasion, at, None)

    async def poll(self, at: datetime) -> None:
        """See whether something else is published, and put it in force. What keeps it from that is logged."""
        async with self._following:
            try:
                await self._follow(Occasion.of_service("poll"), at, self._tag)
            except BundleError:
                pass  # told where it was found
            except (StoreError, DatabaseError, JournalUnavailableError) as error:
                logger.warning("policy_not_polled", kind=type(error).__name__)

    def facts(self, at: datetime) -> Mapping[str, str | int | bool]:
        """See Rules. Stale rules still are rules that two reviewers signed, so the service goes on deciding by them."""
        silence = seconds_since(self._polled_at, at)
        refused = {} if self._refused is None else {"refused": self._refused}
        return {
            **super().facts(at),
            "version": self._version,
            "last_poll_age_seconds": silence,
            "stale": self._refused is not None or silence > _PATIENCE * self._around.poll_seconds,
            **refused,
        }

    async def _follow(self, occasion: Occasion, at: datetime, known: str | None) -> None:
        """Take what is published unless it is known; and if others are ahead, what is in force with them."""
        refusal: BundleError | None = None
        try:
            await self._look(occasion, at, known)
        except BundleError as error:
            refusal = error
        in_force = await find_in_force(self._around.database)
        if in_force is not None and in_force.version > self._version:
            try:
                await self._take(await find_bundle(self._around.database), occasion, at)
            except BundleError as error:
                self._refuse(error)
                refusal = refusal or error
        self._polled_at = at
        if refusal is not None:
            raise refusal

    async def _look(self, occasion: Occasion, at: datetime, known: str | None) -> None:
        try:
            notice = await self._around.board.read_notice(PUBLISHED, READ_AT_MOST, known)
        except NoObjectError:
            missing = BundleError("missing", "no policy bundle is published")
            self._tag = None
            self._refuse(missing)
            raise missing from None
        if notice is None:
            return
        try:
            await self._take(notice.data, occasion, at)
        except BundleError as error:
            self._tag, self._refused = notice.tag, None
            self._refuse(error)
            raise
        self._tag, self._refused = notice.tag, None

    async def _take(self, data: bytes, occasion: Occasion, at: datetime) -> None:
        """Put a bundle in force that may be; it is in force once that is written down."""
        accepted = await asyncio.to_thread(accept, data, self._trust)
        bundle = accepted.bundle
        hold_not_older(bundle, self._version, self._content)
        engine = await asyncio.to_thread(Engine, accepted.rules)
        await self._around.swaps.from_bundle(accepted, data, occasion, at)
        if bundle.version > self._version:
            self.engine, self.loaded_at = engine, at
            self._version, self._content = bundle.version, content_of(bundle)
            logger.info("policy_loaded", revision=engine.revision, version=bundle.version)

    def _refuse(self, refusal: BundleError) -> None:
        """Remember why, and say it: not at each poll that finds the same."""
        if refusal.reason != self._refused:
            self._around.count_refusal(refusal.reason)
            logger.error("policy_refused", reason=refusal.reason)
        self._refused = refusal.reason
