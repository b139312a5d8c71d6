"""The journal in a copy: its lines, their proofs, the log's signed checkpoint, and the sentences for the page.

The journal may be long: it is read once to measure it, then again for each file that is made of it, some lines at a
time.
"""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from api.services.archive import Member
from api.services.copies.pages import told
from api.services.journal import told_to_its_subject
from vault.journal.checkpoint import Verifier
from vault.journal.proof import Way, encode_line
from vault.journal.sentences import Words
from vault.journal.taking import Placed, Taken
from vault.journal.tree import HASH_SIZE

JOURNAL, PROOFS, CHECKPOINT, KEY = "journal.jsonl", "proofs.jsonl", "checkpoint.txt", "log-key.txt"


@dataclass(frozen=True, slots=True)
class Measured:
    """How many bytes each of the files has, and what they are made of, digested."""

    lines: int
    proofs: int
    sentences: int
    digest: bytes


class Trace:
    """A dossier's journal as one subject may see it; unless it is `whole`, his own entries only."""

    def __init__(self, taken: Taken, key: Verifier, reasons: Mapping[str, Words], *, whole: bool) -> None:
        self._taken = taken
        self._key = key
        self._reasons = reasons
        self.whole = whole

    async def measure(self) -> Measured:
        """Read it once."""
        lines, proofs, sentences, digest = 0, 0, 0, hashlib.sha256(self._taken.note.encode())
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                for each in page:
                    line, words = _line(each), told(each.line.entry, self._reasons)
                    place = _way(each, (bytes(HASH_SIZE),) * self._taken.path_length(each))
                    lines, proofs, sentences = lines + len(line), proofs + len(place), sentences + len(words)
                    digest.update(line + place + words)
        return Measured(lines, proofs, sentences, digest.digest())

    def members(self, at: datetime, measured: Measured) -> list[Member]:
        """The files, but for the page."""
        return [
            Member(JOURNAL, at, measured.lines, self._lines),
            Member(PROOFS, at, measured.proofs, self._proofs),
            Member.of(CHECKPOINT, at, self._taken.note.encode()),
            Member.of(KEY, at, f"{self._key}\n".encode()),
        ]

    async def sentences(self) -> AsyncGenerator[bytes]:
        """What the page says of each entry, newest first."""
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                yield b"".join(told(each.line.entry, self._reasons) for each in page)

    async def _lines(self) -> AsyncGenerator[bytes]:
        """Each line with its entry and salt."""
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                yield b"".join(map(_line, page))

    async def _proofs(self) -> AsyncGenerator[bytes]:
        """For each line its place in the log, and the path from there to the root."""
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                paths = await self._taken.paths(page)
                yield b"".join(_way(each, path) for each, path in zip(page, paths, strict=True))

    async def _pages(self) -> AsyncGenerator[list[Placed]]:
        async with aclosing(self._taken.pages()) as pages:
            async for page in pages:
                if shown := [each for each in page if self.whole or _is_told(each)]:
                    yield shown


def _is_told(placed: Placed) -> bool:
    """Whether its subject is told all of an entry: a line opens the whole of it."""
    entry = placed.line.entry
    return entry is not None and told_to_its_subject(entry) == entry


def _line(placed: Placed) -> bytes:
    return encode_line(placed.line) + b"\n"


def _way(placed: Placed, path: tuple[bytes, ...]) -> bytes:
    return Way(placed.line.sequence, placed.position, path).encode() + b"\n"
