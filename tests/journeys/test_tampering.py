"""A store that lies: nothing leaves but what was deposited, and the journal says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.journeys.people import HOSPITAL
from tests.journeys.service import Record, Service
from tests.journeys.stores import Objects, objects_of

SECRET = b"Resultat confidentiel du patient. " * 20
CHUNK = 16 * 1024
MEBIBYTE = 1024 * 1024


@pytest.fixture
def objects(service: Service) -> Iterator[Objects]:
    """The store of the running service."""
    with objects_of(service.stack) as store:
        yield store


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document and the object that holds it."""

    document: str
    name: str


def sealed(record: Record, objects: Objects, content: bytes, **metadata: object) -> Sealed:
    before = objects.names()
    document = record.deposited(HOSPITAL, content, **metadata)
    (name,) = objects.names() - before
    return Sealed(document, name)


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position:][1:]


BREAKAGES: dict[str, Callable[[bytes], bytes]] = {
    "first byte": lambda data: flipped(data, 0),
    "salt": lambda data: flipped(data, 12),
    "commitment": lambda data: flipped(data, 40),
    "text": lambda data: flipped(data, 100),
    "tag": lambda data: flipped(data, len(data) - 1),
    "cut short": lambda data: data[:-1],
    "head alone": lambda data: data[:64],
    "empty": lambda data: data[:0],
    "longer": lambda data: data + b"\0",
}


def tells_nothing(record: Record, document: str) -> None:
    """500, the one opaque problem, no byte of the content, and an entry of what was permitted and not given."""
    with record.traced() as entries:
        answer = record.read(document, record.holder)
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:problem-type:dmp:seal-broken")
    assert SECRET[:8] not in answer.content
    assert [(entry["decision"], entry["rule"]) for entry in entries] == [(True, "holder"), (False, "seal-broken")]


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_broken_object_gives_nothing(record: Record, objects: Objects, breakage: str) -> None:
    """Whatever was done to it: one answer, not a byte of plaintext, and the journal tells of it."""
    broken = sealed(record, objects, SECRET)
    objects.write(broken.name, BREAKAGES[breakage](objects.read(broken.name)))
    tells_nothing(record, broken.document)


def test_a_lost_object_gives_nothing(record: Record, objects: Objects) -> None:
    """An object that was removed behind the service's back is not told from a broken one."""
    lost = sealed(record, objects, SECRET)
    objects.remove(lost.name)
    tells_nothing(record, lost.document)


def test_swapped_objects_give_nothing(record: Record, objects: Objects) -> None:
    """Two documents of one dossier, exchanged: neither opens as the other."""
    one, two = (sealed(record, objects, text) for text in (SECRET, SECRET.upper()))
    first, second = objects.read(one.name), objects.read(two.name)
    objects.write(one.name, second)
    objects.write(two.name, first)
    for each in (one, two):
        tells_nothing(record, each.document)


def test_an_object_rolled_back_to_its_earlier_version_gives_nothing(record: Record, objects: Objects) -> None:
    """The bytes of the version before, put in the place of the present one."""
    first = sealed(record, objects, SECRET)
    second = sealed(record, objects, SECRET.upper(), replaces=first.document)
    objects.write(second.name, objects.read(first.name))
    tells_nothing(record, second.document)
    assert record.read(first.document, record.holder).content == SECRET


def test_a_range_gives_nothing_of_a_broken_chunk(record: Record, objects: Objects) -> None:
    """Whole chunks elsewhere are still given; what touches the broken one is not."""
    broken = sealed(record, objects, bytes(3 * CHUNK))
    data = objects.read(broken.name)
    objects.write(broken.name, flipped(data, 64 + CHUNK + 16 + 5))
    assert record.read(broken.document, record.holder, Range="bytes=0-9").content == bytes(10)
    assert record.read(broken.document, record.holder, Range=f"bytes={CHUNK}-{CHUNK}").status_code == 500
    assert record.read(broken.document, record.holder).status_code == 500


def test_a_large_broken_document_is_cut_short(record: Record, objects: Objects) -> None:
    """Of what is too large to verify first, only verified bytes leave, and the caller sees that it is not all."""
    content = bytes(range(251)) * (9 * MEBIBYTE // 251)
    broken = sealed(record, objects, content)
    data = objects.read(broken.name)
    objects.write(broken.name, flipped(data, len(data) - MEBIBYTE))
    path = f"/v1/documents/{broken.document}/content"
    received: list[bytes] = []
    with (
        record.traced() as entries,
        record.service.http.stream("GET", path, headers=record.holder.headers()) as answer,
    ):
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(content)))
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
    given = b"".join(received)
    assert len(content) - 2 * MEBIBYTE < len(given) < len(content) - MEBIBYTE + CHUNK
    assert content.startswith(given)
    assert [entry["rule"] for entry in entries] == ["holder", "seal-broken"]


def test_a_broken_document_does_not_hide_the_others(record: Record, objects: Objects) -> None:
    """The listing needs no object; the other documents are read."""
    broken, whole = (sealed(record, objects, SECRET) for _ in range(2))
    objects.write(broken.name, b"")
    page = record.ask("GET", "/documents", record.holder).json()["documents"]
    assert {each["id"] for each in page} == {broken.document, whole.document}
    assert record.read(whole.document, record.holder).content == SECRET
