"""`dmp feed`: what the fund knows, entered from a file as its clients feed it, line by line."""

import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from enum import StrEnum
from pathlib import Path

import msgspec
import uvloop

from api.cli.deciding import judging_of
from api.errors import DmpError, ForbiddenError
from api.identity import Caller, Client
from api.ndjson import Line, split
from api.parts import Parts, open_parts
from api.schemas.feeds import FeedResult
from api.services.feeds import Feeding
from api.services.judging import Actor
from api.services.reimbursements import ReimbursementFeed
from api.services.treating_physicians import TreatingPhysicianFeed
from api.settings import Settings
from models.identifiers import parse_organization
from models.vocabulary import Scope, SubjectType
from vault.journal.entry import SERVICE

_AT_ONCE = 256 * 1024
_encode_lines = msgspec.json.Encoder().encode_lines

Write = Callable[[bytes], object]


class Feed(StrEnum):
    """What the fund feeds, by the name of its endpoint."""

    REIMBURSEMENTS = "reimbursements"
    TREATING_PHYSICIANS = "treating-physicians"


def feed(settings: Settings, which: Feed, fund: str, file: Path, write: Write) -> tuple[str, bool]:
    """Give `write` what became of each line, as NDJSON; a summary, and whether all were taken.

    A feed that was cut off is fed again: what is there stands once. Raises DmpError, VaultError, DatabaseError,
    InvalidIdentifierError.
    """
    organization = parse_organization(fund)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        taken, refused = runner.run(_feed(settings, which, organization, file, write))
    return summary(file, taken, refused), not refused


def summary(file: Path, taken: int, refused: Counter[str]) -> str:
    """How many lines were taken, and why others were not."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    return f"{file}: {taken} lines taken, {refused.total()} refused" + (f": {reasons}" if reasons else "")


async def pieces_of(file: Path) -> AsyncGenerator[bytes]:
    """A file as it is read, `-` being standard input; whatever else is going on goes on while it has nothing."""
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
        while piece := await _read(opened.fileno()):
            yield piece


async def _feed(
    settings: Settings, which: Feed, organization: str, file: Path, write: Write
) -> tuple[int, Counter[str]]:
    taken, refused = 0, Counter[str]()
    async with open_parts(settings) as parts:
        results_of, actor = await _entering(settings, parts, which, organization)
        gc.freeze()  # as the service: what start-up made need not be walked again with every batch
        async with (
            aclosing(pieces_of(file)) as pieces,
            aclosing(split(pieces)) as lines,
            aclosing(results_of(actor, lines)) as results,
        ):
            async for batch in results:
                write(_encode_lines(batch))
                refused.update(each.reason for each in batch if each.reason is not None)
                taken += sum(each.ok for each in batch)
    return taken, refused


_Results = Callable[[Actor, AsyncIterator[Line]], AsyncGenerator[list[FeedResult]]]


async def _entering(settings: Settings, parts: Parts, which: Feed, organization: str) -> tuple[_Results, Actor]:
    """What takes the lines, and the fund as which it does."""
    judging, secret = await judging_of(settings, parts), parts.secrets.pseudonym
    feeding = Feeding(parts.database, judging, parts.ledger, secret)
    client = Client(SERVICE, frozenset({Scope.FEEDS}), frozenset({SubjectType.ORGANIZATION}), organization)
    try:
        actor = await feeding.fund(Caller(client, "dmp feed"))
    except ForbiddenError:
        raise DmpError("--organization is not an insurance fund that the directory knows") from None
    if which is Feed.REIMBURSEMENTS:
        vault = parts.small_documents
        return ReimbursementFeed(parts.database, judging, parts.ledger, feeding, vault, secret).results, actor
    return TreatingPhysicianFeed(parts.database, judging, parts.ledger, feeding).results, actor


async def _read(descriptor: int) -> bytes:
    with suppress(PermissionError):  # a file on disk is always there to be read, and cannot be waited for
        await _until_readable(descriptor)
    return os.read(descriptor, _AT_ONCE)


async def _until_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
