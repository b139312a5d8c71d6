"""A server of a few lines, for tests of clients."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def serving(answer: Callable[[int, bytes], bytes]) -> Iterator[int]:
    """A server that gives the n-th request, whose body is told, this answer, in pieces; its port.

    An empty answer closes the connection.
    """
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        given = b"something"
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while given:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
                given = answer(count, body)
                count += 1
                writer.write(given[:20])
                await writer.drain()
                writer.write(given[20:])
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1"))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Once it has seen that its clients are gone."""
    server.close()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
