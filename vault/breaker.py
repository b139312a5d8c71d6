"""Whoever does not answer is left alone for a while, instead of being waited for by everybody.

Closed, every call goes through. After enough failures in a row, and not all of one instant, it opens: calls are
refused at once. Rested, it lets one through: an answer closes it, another failure opens it again. Who says himself
that he cannot is left alone at once.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from vault.errors import StoreError, StoreReadOnlyError, StoreSilentError, StoreUnavailableError

logger = structlog.get_logger()


class Breaker:
    """Guards calls that raise StoreSilentError when there was no answer; but for StoreReadOnlyError the rest is one.

    A burst of failures says that one connection broke or one node died, which a second attempt mends: it opens only
    once failures have gone on for `patience` seconds. The log names it by what it guards.
    """

    def __init__(
        self,
        guarded: str,
        failures: int,
        patience: float,
        rest: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guarded = guarded
        self._most = failures
        self._patience = patience
        self._rest = rest
        self._now = now
        self._failures = 0
        self._first_failure = 0.0
        self._opened: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for one that tries."""
        return self._opened is not None

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one call. Raises StoreUnavailableError instead of making it while open."""
        trying = self._admit()
        try:
            yield
        except (StoreSilentError, StoreReadOnlyError) as error:
            self._fail(trying=trying, for_sure=isinstance(error, StoreReadOnlyError))
            raise
        except StoreError:
            self._answer()
            raise
        else:
            self._answer()
        finally:
            if trying:
                self._trying = False

    def _admit(self) -> bool:
        if self._opened is None:
            return False
        if self._trying or self._now() < self._opened + self._rest:
            raise StoreUnavailableError("the object store has not answered for a while and is left alone for a moment")
        self._trying = True
        return True

    def _fail(self, *, trying: bool, for_sure: bool) -> None:
        if self._failures == 0:
            self._first_failure = self._now()
        self._failures += 1
        lasting = self._failures >= self._most and self._now() >= self._first_failure + self._patience
        if trying or (self._opened is None and (lasting or for_sure)):
            self._opened = self._now()
            logger.warning("store_left_alone", guarded=self._guarded, failures=self._failures)

    def _answer(self) -> None:
        if self._opened is not None:
            logger.info("store_answers_again", guarded=self._guarded)
        self._failures, self._opened = 0, None
