"""The fund as it is asked about people: a real HTTP server on loopback that knows what a test has it know."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.receiver import Receiver, Told, answering, listening

Line = Mapping[str, object] | bytes


@dataclass
class Fund(Receiver):
    """Answers what `answers` hold first, then the lines that it knows of the person, by question; 204 if none.

    `on_question` is what happens before somebody is answered for the first time.
    """

    knows: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    on_question: Callable[[], Awaitable[object]] | None = None

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.on_question is not None:
            happens, self.on_question = self.on_question, None
            await happens()
        await super().meet(reader, writer)

    def answer_to(self, request: Told) -> bytes | None:
        if self.answers:
            return self.answers.popleft()
        asked = request.says
        return in_lines(*self.knows.get((asked["question"], asked["ins"]), []))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The questions as they came."""
        return [told.says for told in self.told]


def in_lines(*lines: Line) -> bytes:
    """An answer of these lines."""
    if not lines:
        return answering(204)
    told = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return answering(200, b"\n".join(told) + b"\n", Content_Type="application/x-ndjson")


@asynccontextmanager
async def knowing() -> AsyncIterator[Fund]:
    """A fund that knows nobody yet, on a free port of 127.0.0.1."""
    fund = Fund()
    async with listening(fund):
        yield fund
