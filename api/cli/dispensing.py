"""`dmp feed dispensations`: what a pharmaceutical record exports, entered line by line as by the pharmacies."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import msgspec

from api.cli.deciding import judging_of, uncounted
from api.cli.feeding import pieces_of, summary
from api.identity import Caller, Client
from api.ndjson import split
from api.parts import Parts, open_parts
from api.scanning import clamd_of
from api.services.deposits import Deposits
from api.services.dispensations import DispensationFeed
from api.services.feeds import Feeding
from api.settings import Settings
from models.vocabulary import Scope, SubjectType
from vault.journal.entry import SERVICE

_encode = msgspec.json.Encoder().encode


def feed(settings: Settings, file: Path, write: Callable[[bytes], None]) -> tuple[str, bool]:
    """Give `write` what became of each line, as JSON; a summary, and whether all were taken.

    A feed that was cut off is fed again: what is there stands once. Raises DmpError, VaultError, DatabaseError.
    """
    taken, refused = asyncio.run(_feed(settings, file, write))
    return summary(file, taken, refused), not refused


async def _feed(settings: Settings, file: Path, write: Callable[[bytes], None]) -> tuple[int, Counter[str]]:
    taken, refused = 0, Counter[str]()
    async with open_parts(settings) as parts:
        entering = await _entering(settings, parts)
        caller = Caller(Client(SERVICE, frozenset({Scope.FEEDS}), frozenset({SubjectType.ORGANIZATION})), "dmp feed")
        async with (
            aclosing(pieces_of(file)) as pieces,
            aclosing(split(pieces)) as lines,
            aclosing(entering.results(caller, lines)) as results,
        ):
            async for each in results:
                write(_encode(each))
                taken += each.ok
                refused.update([each.reason] if each.reason else [])
    return taken, refused


async def _entering(settings: Settings, parts: Parts) -> DispensationFeed:
    judging = await judging_of(settings, parts)
    secret, vault = parts.secrets.pseudonym, parts.documents
    feeding = Feeding(parts.database, judging, parts.ledger, secret)
    scanner = clamd_of(settings, uncounted)
    depositing = partial(Deposits, parts.database, judging, parts.dossier_keys, vault, scanner)
    return DispensationFeed(parts.database, judging, feeding, vault, depositing, secret)
