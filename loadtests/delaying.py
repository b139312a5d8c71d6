"""A slow dependency: what stands before it passes everything on, and while a file is there, late.

`python -m loadtests.delaying PORT TARGET FILE MILLISECONDS` listens on the loopback interface until it is ended.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

_PIECE = 65_536
_LOOK_SECONDS = 0.05


class Delay:
    """So many seconds while the file is there, else none."""

    def __init__(self, flag: Path, seconds: float) -> None:
        self._flag = flag
        self._seconds = seconds
        self.now = 0.0

    async def watch(self) -> None:
        """Looks again and again, so that nobody has to for each piece."""
        while True:
            self.now = self._seconds if self._flag.exists() else 0.0
            await asyncio.sleep(_LOOK_SECONDS)


async def serve(port: int, target: tuple[str, int], delay: Delay) -> None:
    """Passes connections on until it is cancelled."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond_reader, beyond_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        there = _pump(reader, beyond_writer, lambda: delay.now)
        back = _pump(beyond_reader, writer, lambda: 0.0)
        await asyncio.gather(there, back, return_exceptions=True)

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    async with server, asyncio.TaskGroup() as both:
        both.create_task(delay.watch())
        both.create_task(server.serve_forever())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: Callable[[], float]) -> None:
    """Pieces leave in their order, each so long after it came."""
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def leave() -> None:
        while True:
            due, piece = await pieces.get()
            if not piece:
                return
            if (wait := due - clock()) > 0:
                await asyncio.sleep(wait)
            writer.write(piece)
            await writer.drain()

    leaving = asyncio.create_task(leave())
    try:
        while piece := await reader.read(_PIECE):
            pieces.put_nowait((clock() + delay(), piece))
    except OSError:
        pass  # whoever sent is gone: what came is passed on, then the other end is told
    pieces.put_nowait((0.0, b""))
    try:
        await leaving
    finally:
        writer.close()


def main(arguments: list[str]) -> None:
    port, target, flag, milliseconds = arguments
    host, _, target_port = target.rpartition(":")
    asyncio.run(serve(int(port), (host, int(target_port)), Delay(Path(flag), float(milliseconds) / 1_000)))


if __name__ == "__main__":
    main(sys.argv[1:])
