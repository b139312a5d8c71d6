"""Parts of a stream of which a few travel at a time, so that a large object takes no more memory than they do."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def send_all(
    following: Callable[[], Awaitable[bytes]],
    send: Callable[[int, bytes], Coroutine[Any, Any, T]],
    of_one: int,
    of_all: asyncio.Semaphore,
) -> list[T]:
    """What sending each part gave, in their order; they are numbered from 1, and an empty one ends them.

    So many of this stream travel at a time, the one being gathered included, and of all streams as many as the
    semaphore lets. The first failure, to gather or to send, is raised when the others have ended.
    """
    sending: list[asyncio.Task[T]] = []
    travelling: set[asyncio.Task[T]] = set()
    try:
        while part := await following():
            await of_all.acquire()
            task = asyncio.create_task(send(len(sending) + 1, part))
            part = b""  # let go before the next is gathered
            task.add_done_callback(lambda _: of_all.release())
            sending.append(task)
            travelling.add(task)
            if len(travelling) == of_one:
                arrived, travelling = await asyncio.wait(travelling, return_when=asyncio.FIRST_COMPLETED)
                for each in arrived:
                    each.result()
        return [await each for each in sending]
    finally:
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
