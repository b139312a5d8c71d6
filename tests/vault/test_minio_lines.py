"""Connections that are cut, in clear and under TLS."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.doubles.failing_s3 import FailingS3, Fault, listening
from vault.errors import StoreUnavailableError
from vault.minio_blobs import Bucket, Limits, MinioBlobStore
from vault.minio_lines import Line

NAME = "ab" + "0" * 30


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server on the loopback interface, which this process trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context


async def data() -> AsyncIterator[bytes]:
    """A stream."""
    yield b"content"


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.TRICKLES])
async def test_a_request_that_takes_too_long_is_cut(tls: ssl.SSLContext, *, secure: bool, fault: Fault) -> None:
    """The one thread there is serves others at once, though each byte comes in time."""
    double = FailingS3()
    limits = Limits(in_flight=1, request_seconds=1.0, repetitions=0)
    with listening(double, tls if secure else None) as address:
        store = MinioBlobStore(Bucket(address, "bucket", "access", "secret", secure=secure), limits)
        await store.prepare()
        await store.put(NAME, data())
        double.faults["GET"] = [fault]
        with pytest.raises(StoreUnavailableError):
            _ = [piece async for piece in store.get(NAME)]
        assert [piece async for piece in store.get(NAME)] == [b"content"]
        await store.close()


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_what_is_refused_for_now_is_repeated_on_another_connection(
    tls: ssl.SSLContext, *, secure: bool, method: str
) -> None:
    """Behind a balancer of connections another node may take it; what goes well keeps its connection."""
    double = FailingS3()
    limits = Limits(in_flight=1, pause_seconds=0.001)
    with listening(double, tls if secure else None) as address:
        store = MinioBlobStore(Bucket(address, "bucket", "access", "secret", secure=secure), limits)
        await store.prepare()
        assert len(set(double.callers)) == 1
        request = f"{method} /bucket/documents/{NAME}"
        double.faults[request] = [Fault.REFUSED, Fault.REFUSED]
        await store.put(NAME, data())
        assert [piece async for piece in store.get(NAME)] == [b"content"]
        await store.close()
    asked = [caller for caller, each in zip(double.callers, double.requests, strict=True) if each.startswith(request)]
    assert (len(asked), len(set(asked))) == (3, 3)


def test_a_line_that_was_cut_takes_no_connection() -> None:
    """What would begin on it does not."""
    one, other = socket.socketpair()
    line = Line(1.0)
    line.cut()
    with one, other, pytest.raises(TimeoutError):
        line.hold(one)


def test_a_line_is_cut_whatever_became_of_its_connection() -> None:
    """It may have ended by itself."""
    one, other = socket.socketpair()
    line = Line(1.0)
    line.hold(one)
    one.close()
    line.cut()
    other.close()


async def test_whoever_waits_on_a_connection_that_is_cut_waits_no_longer() -> None:
    """It ends at once."""
    one, other = socket.socketpair()
    line = Line(600.0)
    line.hold(one)
    waiting = asyncio.create_task(asyncio.to_thread(one.recv, 1))
    await asyncio.sleep(0)
    line.cut()
    assert await waiting == b""
    one.close()
    other.close()
