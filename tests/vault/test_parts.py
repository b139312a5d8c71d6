"""Parts that travel side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from vault.parts import send_all


def stream(pieces: Iterable[bytes]) -> Callable[[], Awaitable[bytes]]:
    """Gives them one by one, then nothing."""
    waiting = list(pieces)

    async def following() -> bytes:
        return waiting.pop(0) if waiting else b""

    return following


class Sending:
    """Takes note of how many travel, and arrives in another order than it departed."""

    def __init__(self) -> None:
        self.travelling = 0
        self.most = 0
        self.begun = asyncio.Event()

    async def __call__(self, number: int, part: bytes) -> tuple[int, bytes]:
        self.travelling += 1
        self.begun.set()
        self.most = max(self.most, self.travelling)
        try:
            for _ in range(10 - number % 5):
                await asyncio.sleep(0)
            return number, part
        finally:
            self.travelling -= 1


async def test_results_come_in_the_order_of_the_parts() -> None:
    """Whatever the order in which they arrive."""
    sending = Sending()
    pieces = [bytes([number]) for number in range(23)]
    sent = await send_all(stream(pieces), sending, 4, asyncio.Semaphore(16))
    assert sent == list(enumerate(pieces, start=1))
    assert 1 < sending.most < 5


async def test_no_part_is_no_result() -> None:
    """An empty stream sends nothing."""
    assert await send_all(stream([]), Sending(), 4, asyncio.Semaphore(1)) == []


async def test_all_streams_together_have_a_bound() -> None:
    """Each goes on all the same, and gives back what it took."""
    sending, of_all = Sending(), asyncio.Semaphore(3)
    sent = await asyncio.gather(*(send_all(stream([b"x"] * 9), sending, 4, of_all) for _ in range(5)))
    assert [len(each) for each in sent] == [9] * 5
    assert sending.most == 3
    for _ in range(3):
        await asyncio.wait_for(of_all.acquire(), 1)
    assert of_all.locked()


@pytest.mark.parametrize("at", [1, 2, 7, 9])
async def test_a_part_that_fails_ends_the_others(at: int) -> None:
    """Before its error comes through; none travels any more and none is begun."""
    sending, of_all = Sending(), asyncio.Semaphore(4)

    async def failing(number: int, part: bytes) -> tuple[int, bytes]:
        if number == at:
            raise ConnectionResetError
        return await sending(number, part)

    with pytest.raises(ConnectionResetError):
        await send_all(stream([b"x"] * 9), failing, 4, of_all)
    assert sending.travelling == 0
    assert not of_all.locked()


async def test_a_stream_that_fails_ends_its_parts() -> None:
    """In the same way."""
    sending, of_all = Sending(), asyncio.Semaphore(4)
    pieces = stream([b"x"] * 3)

    async def broken() -> bytes:
        if part := await pieces():
            return part
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await send_all(broken, sending, 4, of_all)
    assert (sending.travelling, of_all.locked()) == (0, False)


async def test_whoever_leaves_ends_his_parts() -> None:
    """Even those that have not begun."""
    sending, of_all = Sending(), asyncio.Semaphore(4)
    sent = asyncio.create_task(send_all(stream([b"x"] * 9), sending, 4, of_all))
    await sending.begun.wait()
    sent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sent
    assert (sending.travelling, of_all.locked()) == (0, False)
