"""A store or a database that lies: nothing leaves but what was deposited, and the journal says so."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from models.tables import content as content_table
from tests.journeys.databases import execute, literals
from tests.journeys.people import HOSPITAL
from tests.journeys.processes import Stack
from tests.journeys.service import Record, Service, scan
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


def tells_nothing(record: Record, document: str, **headers: str) -> None:
    """500, the one opaque problem, no byte of the content, and an entry of what was permitted and not given."""
    with record.traced() as entries:
        answer = record.read(document, record.holder, **headers)
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:problem-type:dmp:seal-broken")
    assert SECRET[:8].lower() not in answer.content.lower()
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
    broken = sealed(record, objects, b"0" * 3 * CHUNK)
    data = objects.read(broken.name)
    objects.write(broken.name, flipped(data, 64 + CHUNK + 16 + 5))
    assert record.read(broken.document, record.holder, Range="bytes=0-9").content == b"0" * 10
    assert record.read(broken.document, record.holder, Range=f"bytes={CHUNK}-{CHUNK}").status_code == 500
    assert record.read(broken.document, record.holder).status_code == 500


def test_a_large_broken_document_is_cut_short(record: Record, objects: Objects) -> None:
    """Of what is too large to verify first, only verified bytes leave, and the caller sees that it is not all."""
    content = scan(bytes(range(251)) * (9 * MEBIBYTE // 251))
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


@contextmanager
def altered(stack: Stack, table: str, where: str, columns: Sequence[str], values: Sequence[str]) -> Iterator[None]:
    """Columns of a row hold for a while what its database's administrator puts there."""
    kept = literals(stack, table, columns, where)
    put(stack, table, where, columns, values)
    try:
        yield
    finally:
        put(stack, table, where, columns, kept)


def put(stack: Stack, table: str, where: str, columns: Sequence[str], values: Sequence[str]) -> None:
    to = ", ".join(f"{column} = {value}" for column, value in zip(columns, values, strict=True))
    execute(stack, f"UPDATE {table} SET {to} WHERE {where}")


def literal(stack: Stack, identity: str) -> str:
    """A UUID as the database writes it."""
    return f"X'{UUID(identity).hex}'" if stack.settings.database_url.startswith("sqlite") else f"'{identity}'"


COLUMNS = [column.name for column in content_table.columns if not column.primary_key]


@pytest.mark.parametrize("columns", [*([column] for column in COLUMNS), COLUMNS], ids="+".join)
def test_what_a_row_takes_from_another_gives_nothing(record: Record, objects: Objects, columns: list[str]) -> None:
    """A single column or all of them, of a document of the same dossier: neither content, nor a part, nor its title."""
    stack = record.service.stack
    broken = sealed(record, objects, SECRET, title="Titre confidentiel")
    other = sealed(record, objects, scan(SECRET.upper()), title="Autre titre")
    values = ["12"]
    if columns != ["size"]:
        values = literals(stack, "content", columns, f"document = {literal(stack, other.document)}")
    with altered(stack, "content", f"document = {literal(stack, broken.document)}", columns, values):
        tells_nothing(record, broken.document)
        tells_nothing(record, broken.document, Range="bytes=0-3")
        with record.traced() as entries:
            known = record.about("GET", broken.document, record.holder)
        assert b"itre" not in known.content
        assert [entry["rule"] for entry in entries] == ["holder", "seal-broken"]
        listed = record.ask("GET", "/documents", record.holder)
        assert (listed.status_code, b"Titre confidentiel" in listed.content) == (200, False)
        assert record.read(other.document, record.holder).content == scan(SECRET.upper())
    assert record.read(broken.document, record.holder).content == SECRET


@pytest.mark.parametrize("columns", [["wrapped"], ["version"], ["version", "key_id", "wrapped"]], ids="+".join)
def test_a_dossiers_key_of_another_patient_gives_nothing(record: Record, objects: Objects, columns: list[str]) -> None:
    """Nor another number of it; the other patient is served all the while."""
    stack = record.service.stack
    broken, other = sealed(record, objects, SECRET), record.service.opened()
    theirs = other.deposited(HOSPITAL, b"theirs")
    values = ["-1"]
    if columns != ["version"]:
        values = literals(stack, "dossier_key", columns, f"dossier = {literal(stack, other.id)}")
    with altered(stack, "dossier_key", f"dossier = {literal(stack, record.id)}", columns, values):
        tells_nothing(record, broken.document)
        assert record.deposit(HOSPITAL, SECRET).status_code == 500
        assert other.read(theirs, other.holder).content == b"theirs"
    assert record.read(broken.document, record.holder).content == SECRET


def test_a_row_that_was_removed_gives_nothing(record: Record, objects: Objects) -> None:
    """There is no content, as with a document that was only announced; the object alone is noise."""
    stack = record.service.stack
    lost = sealed(record, objects, SECRET)
    execute(stack, f"DELETE FROM content WHERE document = {literal(stack, lost.document)}")
    answer = record.read(lost.document, record.holder)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem-type:dmp:no-content")
    assert SECRET not in objects.read(lost.name)


def test_without_its_journals_key_nothing_of_a_dossier_is_given(record: Record, objects: Objects) -> None:
    """What can only be written down under another patient's key, or under none that opens, is not given."""
    stack = record.service.stack
    kept, other = sealed(record, objects, SECRET), record.service.opened()
    theirs = literals(stack, "journal_chain", ["wrapped"], f"dossier = {literal(stack, other.id)}")
    documents = literals(stack, "content", ["data_key"], f"document = {literal(stack, kept.document)}")
    for values in (theirs, documents):
        with altered(stack, "journal_chain", f"dossier = {literal(stack, record.id)}", ["wrapped"], values):
            answer = record.read(kept.document, record.holder)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem-type:dmp:journal")
            assert SECRET[:8] not in answer.content
            assert record.ask("GET", "/journal", record.holder).status_code == 503
    assert record.read(kept.document, record.holder).content == SECRET


@pytest.mark.parametrize(
    "columns",
    [["at"], ["sealed"], ["commitment"], ["previous"], ["leaf"], ["commitment", "sealed", "at"]],
    ids="+".join,
)
def test_a_line_of_the_journal_that_was_edited_is_not_shown(
    record: Record, objects: Objects, columns: list[str]
) -> None:
    """The page that it stands on is refused as a whole, and no proof is given of it; accesses go on being written."""
    stack = record.service.stack
    kept = sealed(record, objects, SECRET)
    record.read(kept.document, record.holder)
    dossier = f"dossier = {literal(stack, record.id)}"
    values = literals(stack, "journal_entry", columns, f"{dossier} AND sequence = 1")
    with altered(stack, "journal_entry", f"{dossier} AND sequence = 2", columns, values):
        for tail in ("/journal", "/journal/2/proof"):
            answer = record.ask("GET", tail, record.holder)
            assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert record.read(kept.document, record.holder).content == SECRET
    assert record.ask("GET", "/journal", record.holder).status_code == 200
