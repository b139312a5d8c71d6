"""Contents: ranges, conditions, sizes, and requests that are sent again."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from models.vocabulary import Scope
from tests.journeys.people import HOSPITAL, INSURER, LABORATORY, NOTE, STRANGER
from tests.journeys.service import Record, Service, ask, parts, refused, scan
from tests.journeys.stores import objects_of

LETTERS = b"abcdefghijklmnopqrstuvwxyz"
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    "asked, told, content",
    [
        ("bytes=0-3", "bytes 0-3/26", b"abcd"),
        ("bytes=10-12", "bytes 10-12/26", b"klm"),
        ("bytes=20-", "bytes 20-25/26", b"uvwxyz"),
        ("bytes=-2", "bytes 24-25/26", b"yz"),
        ("bytes=-100", "bytes 0-25/26", LETTERS),
        ("bytes=25-100", "bytes 25-25/26", b"z"),
    ],
)
def test_one_range_is_given(record: Record, asked: str, told: str, content: bytes) -> None:
    """First, middle, last, and suffix: the bytes asked for, and which they are of how many (RFC 9110, section 14)."""
    answer = record.read(record.deposited(HOSPITAL, LETTERS), record.holder, Range=asked)
    assert (answer.status_code, answer.headers["content-range"], answer.content) == (206, told, content)
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=5-2", "lines=0-1", "bytes=-", "bytes=a-b"])
def test_what_is_not_one_range_is_the_whole(record: Record, asked: str) -> None:
    """Several ranges, another unit or an invalid one: the header is passed over, as the standard allows."""
    answer = record.read(record.deposited(HOSPITAL, LETTERS), record.holder, Range=asked)
    assert (answer.status_code, answer.content, "content-range" in answer.headers) == (200, LETTERS, False)


@pytest.mark.parametrize("asked", ["bytes=26-", "bytes=100-200", "bytes=-0"])
def test_a_range_without_a_byte_is_refused(record: Record, asked: str) -> None:
    """416, with the size that there is."""
    answer = record.read(record.deposited(HOSPITAL, LETTERS), record.holder, Range=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */26")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_content_comes_with_its_type_and_is_not_kept_by_others(record: Record) -> None:
    """The type that its depositor said, never to be sniffed, stored or opened in place."""
    answer = record.read(record.deposited(HOSPITAL, b"<p/>", content_type="text/xml"), record.holder)
    told = {name: answer.headers[name] for name in (
        "content-type", "content-length", "accept-ranges", "content-disposition", "cache-control",
        "x-content-type-options",
    )}  # fmt: skip
    assert told == {
        "content-type": "text/xml", "content-length": "4", "accept-ranges": "bytes",
        "content-disposition": "attachment", "cache-control": "no-store", "x-content-type-options": "nosniff",
    }  # fmt: skip


def test_an_unchanged_content_is_not_sent_again(record: Record) -> None:
    """If-None-Match with its ETag answers 304 and no byte; the reading is journaled all the same."""
    document = record.deposited(HOSPITAL, LETTERS)
    etag = record.read(document, record.holder).headers["etag"]
    with record.traced() as entries:
        for given in (etag, f'"x", {etag}', f"W/{etag}", "*"):
            answer = record.read(document, record.holder, **{"If-None-Match": given})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert record.read(document, record.holder, **{"If-None-Match": '"x"'}).status_code == 200
    assert [entry["action"] for entry in entries] == ["document:read"] * 5
    assert refused(record.read(document, STRANGER, **{"If-None-Match": etag})) == (404, "no-document")


def test_a_range_of_another_version_is_the_whole(record: Record) -> None:
    """If-Range gives the range while the ETag is the same, else everything."""
    document = record.deposited(HOSPITAL, LETTERS)
    etag = record.read(document, record.holder).headers["etag"]
    given = [
        record.read(document, record.holder, Range="bytes=0-0", **{"If-Range": condition}).content
        for condition in (etag, '"other"', "Thu, 01 Oct 2026 08:00:00 GMT")
    ]
    assert given == [b"a", LETTERS, LETTERS]


def test_an_empty_document_is_a_document(record: Record) -> None:
    """No byte, and sealed like any other; of it there is no range."""
    document = record.deposited(HOSPITAL, b"")
    answer = record.read(document, record.holder)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "0", b"")
    assert record.read(document, record.holder, Range="bytes=0-").status_code == 416


def test_a_large_document_is_streamed_both_ways(record: Record) -> None:
    """Nine mebibytes, more than is verified at once: the same bytes come back, whole and by range."""
    content = scan(bytes(range(251)) * (9 * MEBIBYTE // 251))
    receipt = record.deposit(HOSPITAL, content).json()
    assert receipt["size"] == len(content)
    assert record.read(receipt["id"], record.holder).content == content
    middle = record.read(receipt["id"], record.holder, Range=f"bytes={5 * MEBIBYTE}-{5 * MEBIBYTE + 99}")
    assert middle.content == content[5 * MEBIBYTE : 5 * MEBIBYTE + 100]
    tail = record.read(receipt["id"], record.holder, Range="bytes=-100")
    assert tail.content == content[-100:]


def test_a_refused_deposit_leaves_nothing(service: Service, record: Record) -> None:
    """Refused, malformed, or broken off: no object, no document."""
    with objects_of(service.stack) as objects:
        before = objects.names()
        assert refused(record.deposit(INSURER, b"x" * MEBIBYTE)) == (403, "prohibited-party")
        path, headers = record.path("/documents"), HOSPITAL.headers()
        form = parts(b"x")
        three = [*form.items(), ("more", ("more", b"", "text/plain"))]
        for files in (three, [("content", form["content"]), ("metadata", form["metadata"])]):
            assert service.http.post(path, files=files, headers=headers).status_code == 400
        assert service.http.post(path, json={}, headers=headers).status_code == 400
        large = {"metadata": ("metadata", b" " * MEBIBYTE, "application/json"), "content": form["content"]}
        assert service.http.post(path, files=large, headers=headers).status_code == 400
        whole = service.http.build_request("POST", path, files=form).read()
        boundary = {"Content-Type": f"multipart/form-data; boundary={whole[2:34].decode()}"}
        for broken in (whole[: whole.rfind(b"--", 0, -4)], whole[:40], b""):
            assert service.http.post(path, content=broken, headers=headers | boundary).status_code == 400
        assert objects.names() == before
    assert record.ask("GET", "/documents", record.holder).json()["documents"] == []


def test_a_deposit_sent_again_is_done_once(service: Service, record: Record) -> None:
    """The same answer, one document, one object, one entry."""
    with objects_of(service.stack) as objects, record.traced() as entries:
        before = len(objects.names())
        answers = [record.deposit(HOSPITAL, key="one", title="Titre") for _ in range(3)]
        assert len(objects.names()) == before + 1
    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert [entry["action"] for entry in entries] == ["document:deposit"]
    assert len(record.ask("GET", "/documents", record.holder).json()["documents"]) == 1


def test_a_replacement_sent_again_is_done_once(record: Record) -> None:
    """Though what it replaces is superseded by then, the retry gets the first answer and not a refusal."""
    first = record.deposited(HOSPITAL)
    answers = [record.deposit(HOSPITAL, b"two", key="two", replaces=first) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["version"] == 2


def test_another_request_under_the_same_key_is_a_conflict(record: Record) -> None:
    """Other content, other metadata, another subject; another dossier is another matter."""
    assert record.deposit(HOSPITAL, b"one", key="k").status_code == 201
    assert record.deposit(HOSPITAL, b"two", key="k").status_code == 409
    assert record.deposit(HOSPITAL, b"one and more", key="k").status_code == 409
    assert record.deposit(HOSPITAL, b"one", key="k", title="Autre").status_code == 409
    assert record.deposit(LABORATORY, b"one", key="k").status_code == 409
    assert refused(record.deposit(INSURER, b"one", key="k")) == (403, "prohibited-party")
    assert len(record.ask("GET", "/documents", record.holder).json()["documents"]) == 1
    assert record.service.opened().deposit(HOSPITAL, b"two", key="k").status_code == 201


def test_a_key_belongs_to_its_client(service: Service, record: Record) -> None:
    """Another client's same key is another key."""
    with service.add_client(f"other-{record.id}", Scope.DOCUMENTS) as other:
        mine = record.deposit(HOSPITAL, key="k").json()["id"]
        headers = HOSPITAL.headers() | {"Idempotency-Key": "k"}
        theirs = other.post(record.path("/documents"), files=parts(b"content"), headers=headers).json()["id"]
    assert mine != theirs


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_is_neither_empty_nor_endless(record: Record, key: str) -> None:
    """One to two hundred characters."""
    headers = HOSPITAL.headers() | {"Idempotency-Key": key}
    path = record.path("/documents")
    assert record.service.http.post(path, files=parts(b"x"), headers=headers).status_code == 400


@pytest.mark.parametrize("replacing", [False, True])
def test_duplicates_at_the_same_time_are_done_once(service: Service, record: Record, *, replacing: bool) -> None:
    """Six at once: all get the one answer, one document is there, and one object."""
    replaces = {"replaces": record.deposited(HOSPITAL)} if replacing else {}

    def deposit(_: int) -> httpx.Response:
        with service.caller(service.key) as http:
            headers = HOSPITAL.headers() | {"Idempotency-Key": "k"}
            return http.post(record.path("/documents"), files=parts(b"same" * 1000, **replaces), headers=headers)

    with objects_of(service.stack) as objects, ThreadPoolExecutor(6) as threads:
        before = len(objects.names())
        answers = list(threads.map(deposit, range(6)))
        assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
        assert len(objects.names()) == before + 1
    page = ask(service.http, "GET", record.path("/documents"), record.holder).json()["documents"]
    assert len(page) == 1 + replacing


def test_the_patient_reads_his_own_note(record: Record) -> None:
    """What he wrote is his, byte for byte, whatever bytes they are."""
    content = scan(bytes(range(256)))
    assert record.read(record.deposited(record.holder, content, document_type=NOTE), record.holder).content == content
