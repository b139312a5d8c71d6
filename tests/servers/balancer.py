"""What stands before a store of several nodes: each connection goes to the next node that takes it.

It knows of TCP alone, and of a node's health what connecting to it tells. A connection whose node dies is cut.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio
from anyio.abc import ByteStream, SocketStream, TaskGroup, TaskStatus
from anyio.from_thread import start_blocking_portal

from tests.servers.processes import free_port

_SECONDS_TO_CONNECT = 1.0


@contextmanager
def balancer(nodes: Sequence[str]) -> Iterator[str]:
    """Its address on the loopback interface, for as long as the block does; it works in a thread of its own."""
    with start_blocking_portal() as portal:
        work, address = portal.start_task(_balance, nodes)
        try:
            yield address
        finally:
            work.cancel()


async def _balance(nodes: Sequence[str], *, task_status: TaskStatus[str]) -> None:
    turns = deque(nodes)

    async def relay(client: SocketStream) -> None:
        async with client:
            if node := await _taken(turns):
                async with node, anyio.create_task_group() as both:
                    both.start_soon(_pump, client, node, both)
                    both.start_soon(_pump, node, client, both)

    port = free_port()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener:
        task_status.started(f"127.0.0.1:{port}")
        await listener.serve(relay)


async def _taken(turns: deque[str]) -> SocketStream | None:
    """A connection to the node whose turn it is, or to the first after it that takes one."""
    for _ in range(len(turns)):
        turns.rotate(-1)
        host, _, port = turns[-1].rpartition(":")
        with anyio.move_on_after(_SECONDS_TO_CONNECT):
            try:
                return await anyio.connect_tcp(host, int(port))
            except OSError:
                continue
    return None


async def _pump(source: ByteStream, sink: ByteStream, both: TaskGroup) -> None:
    try:
        async for piece in source:
            await sink.send(piece)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass
    both.cancel_scope.cancel()
