"""Questions put over real HTTP to somebody who does not always answer as he should."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from api.ndjson import Line
from api.services.asking import Peer
from api.services.inquiries import InquiryError
from tests.doubles.fund import Fund, in_lines, knowing
from tests.doubles.receiver import KEY, answering, receiving

AT = datetime(2026, 10, 15, 12, tzinfo=UTC)
CUT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
QUESTION = b'{"question":"reimbursements","ins":"185057800608491"}'


@pytest.fixture
async def fund() -> AsyncIterator[Fund]:
    """On loopback."""
    async with knowing() as made:
        yield made


@pytest.fixture
async def peer(fund: Fund) -> AsyncIterator[Peer]:
    """Takes half a second for silence, and a thousand bytes for too much."""
    made = Peer(fund.url, [KEY, b"k" * 24], seconds=0.5, most_bytes=1000)
    yield made
    await made.close()


async def answer(peer: Peer) -> list[Line]:
    return [line async for line in peer.ask("q-1", AT, QUESTION)]


async def failure(peer: Peer) -> InquiryError:
    with pytest.raises(InquiryError) as caught:
        await answer(peer)
    assert caught.value.__cause__ is None
    return caught.value


async def test_a_question_is_signed_and_its_answer_read_by_lines(peer: Peer, fund: Fund) -> None:
    """The person stands in the body alone; the last line needs no end; one that is too long says so."""
    fund.answers.append(answering(200, b'{"a": 1}\n\n' + b"x" * 17_000 + b"\n[]"))
    large = Peer(fund.url, [KEY], seconds=0.5)
    assert await answer(large) == [Line(1, b'{"a": 1}'), Line(3, None), Line(4, b"[]")]
    await large.close()
    (told,) = fund.told
    assert (told.body, told.path, told.identity) == (QUESTION, "/told?by=dmp", "q-1")
    assert told.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert told.is_signed_by(KEY)
    assert b"185057800608491" not in repr(told.headers).encode()


async def test_nothing_may_be_known(peer: Peer, fund: Fund) -> None:
    """Said by 204, or by no line."""
    fund.answers.extend([answering(204), answering(200)])
    assert (await answer(peer), await answer(peer)) == ([], [])


async def test_an_answer_may_come_in_pieces(peer: Peer, fund: Fund) -> None:
    """Lines are put together, whatever the pieces."""
    fund.answers.append(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n1\r\n{\r\n2\r\n}\n\r\n0\r\n\r\n"
    )
    assert [line.data for line in await answer(peer)] == [b"{}", b"{}"]


@pytest.mark.parametrize(
    "given, what",
    [
        (answering(500), "answered 500"),
        (answering(202), "answered 202"),
        (answering(404), "answered 404"),
        (answering(307, Location="/elsewhere"), "answered 307, a redirection"),
        (answering(200, b"x" * 1001), "answered with more than 1000 bytes"),
        (answering(200, b"{}", Content_Encoding="gzip"), "answered in an encoding that was not asked for"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}\n", "answered without saying how much"),
        (answering(200, b"{}\n", Content_Length="5"), "silent for 0.5 seconds"),
        (CUT, "cannot be reached, or cut off"),
        (b"", "cannot be reached, or cut off"),
        (b"nonsense\r\n\r\n", "cannot be reached, or cut off"),
        (None, "silent for 0.5 seconds"),
    ],
)
async def test_whatever_is_no_whole_answer_is_none(peer: Peer, fund: Fund, given: bytes | None, what: str) -> None:
    """In words of ours, which repeat nothing of what came."""
    fund.answers.append(given)
    assert (await failure(peer)).what == what


async def test_a_peer_may_ask_for_patience(peer: Peer, fund: Fund) -> None:
    """As a receiver of notifications may."""
    fund.answers.append(answering(503, Retry_After="60"))
    assert (await failure(peer)).wait == timedelta(minutes=1)


async def test_nobody_listens() -> None:
    """A closed port is a failure as any other."""
    async with receiving() as gone:
        url = gone.url
    peer = Peer(url, [KEY])
    assert (await failure(peer)).what == "cannot be reached, or cut off"
    await peer.close()


async def test_whoever_stops_reading_lets_go(peer: Peer, fund: Fund) -> None:
    """The rest of an answer is left."""
    fund.answers.append(in_lines({}, {}, {}))
    asked = peer.ask("q-1", AT, QUESTION)
    assert (await anext(asked)).number == 1
    await asked.aclose()
    assert await answer(peer) == []
