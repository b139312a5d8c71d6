"""The client asks one thing at a time on each connection, and believes nothing that it has not read."""

from collections.abc import Callable

import pytest

from loadtests.peers.client import Client, Exchange, WrongAnswerError, body_of, post
from tests.loadtests.serving import serving

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\nA\r\ns 0\r\n\r\nyes\r\n0\r\n\r\n"


def exchanges(count: int, right: bytes = b"yes") -> list[Exchange]:
    return [Exchange(post("/", b"{}"), lambda body: body == right) for _ in range(count)]


@pytest.mark.parametrize("received", [YES, YES.lower().replace(b"http", b"HTTP")], ids=["capitals", "without"])
def test_a_body_of_known_length_is_read(received: bytes) -> None:
    """Once it has all come, and not before."""
    assert (body_of(received), {body_of(received[:end]) for end in range(len(received))}) == (b"yes", {None})


def test_a_body_in_chunks_is_joined() -> None:
    """Whatever its bytes look like; and not before the last has come."""
    assert (body_of(CHUNKED), {body_of(CHUNKED[:end]) for end in range(len(CHUNKED))}) == (b"yes 0\r\n\r\nyes", {None})


def test_a_request_is_whole() -> None:
    """With the key and the length of what follows."""
    assert post("/a", b"{}", "k") == (
        b"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer k\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize("answer", [YES, CHUNKED], ids=["of known length", "in chunks"])
def test_each_is_asked_once(answer: bytes) -> None:
    """More exchanges than connections, and fewer."""
    with serving(lambda *_: answer) as port, Client(port, 3) as client:
        asked = [*exchanges(7, body_of(answer) or b""), *exchanges(1, body_of(answer) or b"")]
        client.once(asked[:7])
        client.once(asked[7:])
    assert {exchange.right for exchange in asked} == {body_of(answer)}


@pytest.mark.parametrize(
    "wrong, told",
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", "500 Oh"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "no to {}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: what\r\n\r\nno", "invalid literal"),
        (b"", "closed a connection"),
    ],
    ids=["status", "body", "no HTTP", "closed"],
)
@pytest.mark.parametrize("way", ["once", "closed", "paced"])
def test_the_first_wrong_answer_ends_it(way: str, wrong: bytes, told: str) -> None:
    """Also if it is the tenth, and those before it were right; what came is told."""
    with serving(lambda number, _: wrong if number == 10 else YES) as port, Client(port, 2) as client:
        ways: dict[str, Callable[[], object]] = {
            "once": lambda: client.once(exchanges(20)),
            "closed": lambda: client.closed(exchanges(3), 60),
            "paced": lambda: client.paced(exchanges(3), 1_000, 60),
        }
        with pytest.raises(WrongAnswerError, match=told):
            ways[way]()


def test_another_right_body_is_right() -> None:
    """Obligations come and go: what differs from the last body is read, and may be right."""
    longer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nyes!"
    asked = [Exchange(post("/", b"{}"), lambda body: body.startswith(b"yes"), b"yes")]
    with serving(lambda number, _: longer if number % 2 else YES) as port, Client(port, 1) as client:
        client.once(asked * 4)
    assert asked[0].right == b"yes!"


def test_answers_are_counted() -> None:
    """As many as the server gave, with a rate, and half of them not later than the median."""
    given = 0

    def answer(number: int, _: bytes) -> bytes:
        nonlocal given
        given = number + 1
        return YES

    with serving(answer) as port, Client(port, 2) as client:
        measured = client.closed(exchanges(3), 0.1)
    assert (measured.answers, measured.p50 <= measured.p99, measured.rate) == (
        given,
        True,
        measured.answers / measured.seconds,
    )


def test_arrivals_wait_for_nobody() -> None:
    """All that were due are asked, however few connections there are, and they are the same in the next run."""
    answers = []
    for connections in (1, 5):
        with serving(lambda *_: YES) as port, Client(port, connections) as client:
            answers.append(client.paced(exchanges(3), 200, 0.2).answers)
    assert answers[0] == answers[1] > 0
