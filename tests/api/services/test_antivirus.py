"""Contents pass only once a real ClamAV said that they are harmless; whatever else happens, they do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.errors import ContentError, ScannerError
from api.services.antivirus import Address, Clamd, Patience
from api.services.content_types import content_type_of
from api.services.inspecting import inspected
from tests.servers.clamav import EICAR, LIMIT, MARKER, ClamdServer
from tests.servers.processes import free_port

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SHORT = Patience(0.2, 0.2)


async def passed(clamd: Clamd, content: bytes, size: int = 1 << 16, name: str = "application/pdf") -> bytes:
    """What passes of a content, in pieces of a size."""

    async def pieces() -> AsyncIterator[bytes]:
        for position in range(0, len(content), size):
            yield content[position : position + size]
            yield b""

    return b"".join([piece async for piece in inspected(content_type_of(name), pieces(), clamd)])


@pytest.fixture(params=["socket", "port"])
def address(clamav_server: ClamdServer, request: pytest.FixtureRequest) -> Address:
    """Of the real daemon, in both ways."""
    if request.param == "socket":
        return Address(path=str(clamav_server.socket))
    return Address(host="127.0.0.1", port=clamav_server.port)


async def test_what_is_harmless_passes(address: Address) -> None:
    """As it came, also where it is empty, and where a piece is; the daemon is seen to answer."""
    outcomes: list[str] = []
    clamd = Clamd(address, outcomes.append)
    content = b"%PDF-1.7\n" + bytes(range(256)) * 2000
    assert await passed(clamd, content) == content
    assert await passed(clamd, b"", name="text/plain") == b""
    assert (outcomes, await clamd.answers()) == (["clean", "clean"], True)


@pytest.mark.parametrize("size", [1, 20, 1 << 16])
@pytest.mark.parametrize("content", [EICAR, b"A report, and " + MARKER + b" in it."])
async def test_what_is_infected_does_not(
    address: Address, content: bytes, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """However it is cut; the log names the signature, and holds nothing of the content."""
    outcomes: list[str] = []
    with pytest.raises(ContentError) as caught:
        await passed(Clamd(address, outcomes.append), content, size, "text/plain")
    said = capsys.readouterr().out
    assert (caught.value.reason, outcomes) == ("infected", ["infected"])
    assert "Eicar-Test-Signature" in said or "Dmp.Test.Marker" in said
    assert content.decode() not in said


async def test_more_than_the_daemon_looks_at_does_not_pass(address: Address) -> None:
    """Beyond its limit it looks at nothing: then nobody can say."""
    outcomes: list[str] = []
    with pytest.raises(ScannerError):
        await passed(Clamd(address, outcomes.append), b"%PDF-" + b"0" * (LIMIT + 1))
    assert outcomes == ["failed"]


async def test_nothing_passes_without_a_daemon(tmp_path: Path) -> None:
    """Neither at a port where nobody listens nor at a socket that is not there."""
    for address in (Address(host="127.0.0.1", port=free_port()), Address(path=str(tmp_path / "none"))):
        outcomes: list[str] = []
        clamd = Clamd(address, outcomes.append)
        with pytest.raises(ScannerError):
            await passed(clamd, b"", name="text/plain")
        assert (outcomes, await clamd.answers()) == (["failed"], False)


@asynccontextmanager
async def listening(peer: Peer, folder: Path) -> AsyncIterator[Address]:
    """Something that is no ClamAV, or one that is not well."""
    path = folder / "socket"
    server = await asyncio.start_unix_server(peer, str(path))
    try:
        yield Address(path=str(path))
    finally:
        server.close()


def answering(answer: bytes) -> Peer:
    """Takes everything, then says this and hangs up."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not (await reader.read(1 << 16)).endswith((bytes(4), b"zPING\0")):
            pass
        writer.write(answer)
        writer.close()

    return peer


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"stream: OK",
        b"stream: OK\n",
        b"OK\0",
        b"stream: OK FOUND?\0",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: Can't allocate memory ERROR\0",
        b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
        b"stream: \xff FOUND\0",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"stream: OK" * 2000 + b"\0",
    ],
)
async def test_a_strange_answer_lets_nothing_pass(answer: bytes, tmp_path: Path) -> None:
    """Only the daemon's own word for harmless, whole, does."""
    outcomes: list[str] = []
    async with listening(answering(answer), tmp_path) as address:
        clamd = Clamd(address, outcomes.append, SHORT)
        with pytest.raises(ScannerError):
            await passed(clamd, b"content", name="text/plain")
        assert (outcomes, await clamd.answers()) == (["failed"], False)


async def test_silence_lets_nothing_pass(tmp_path: Path) -> None:
    """A daemon that takes everything and says nothing, and one that takes nothing."""
    heard = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass
        writer.close()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard.wait()
        writer.close()

    outcomes: list[str] = []
    for peer in (silent, deaf):
        async with listening(peer, tmp_path) as address:
            with pytest.raises(ScannerError):
                await passed(Clamd(address, outcomes.append, SHORT), b"0" * (8 << 20), name="text/plain")
        heard.set()
    assert outcomes == ["failed", "failed"]


async def test_a_daemon_that_hangs_up_lets_nothing_pass(tmp_path: Path) -> None:
    """In the middle of a content."""

    async def leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.transport.abort()

    outcomes: list[str] = []
    async with listening(leaving, tmp_path) as address:
        with pytest.raises(ScannerError):
            await passed(Clamd(address, outcomes.append), b"0" * (4 << 20), name="text/plain")
    assert outcomes == ["failed"]
