"""The copy of a record: what the subject may read, all of it, and nothing else."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import httpx
import pytest
from litestar.exceptions import LitestarException

from tests.api.whole import HOLDER, HOSPITAL, INS, NOW, NURSE, OTHER_INS, TREATING, Json, Whole
from vault.journal.proof import parse_line
from vault.journal.tree import leaf_hash


async def asked(dmp: Whole, who: str = HOLDER) -> str:
    answer = await dmp.http.post(dmp.path("/exports"), headers=dmp.headers(who))
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["id"]
    return identity


async def fetched(dmp: Whole, who: str = HOLDER) -> zipfile.ZipFile:
    answer = await dmp.get(f"/exports/{await asked(dmp, who)}", who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def manifest_of(archive: zipfile.ZipFile) -> Json:
    manifest: Json = json.loads(archive.read("manifest.json"))
    return manifest


def _began(entry: Json) -> str | None:
    """With what a batch began."""
    items = entry.get("items")
    return items[0]["action"] if items else None


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("reason")


async def test_a_copy_holds_every_readable_document_in_the_folder_of_its_space(dmp: Whole) -> None:
    """With its very bytes, and its metadata in the manifest."""
    report = await dmp.deposit(content=b"a report", title="Consultation d’octobre")
    analysis = await dmp.deposit(content=b"%PDF-", document_type="11502-2", content_type="application/pdf")
    archive = await fetched(dmp)
    by_id = {document["id"]: document for document in manifest_of(archive)["documents"]}
    assert by_id[report]["path"] == "documents/reports/Consultation d’octobre.txt"
    assert by_id[analysis]["path"] == "documents/analyses/Compte rendu.pdf"
    assert [archive.read(by_id[document]["path"]) for document in (report, analysis)] == [b"a report", b"%PDF-"]
    assert by_id[report]["title"] == "Consultation d’octobre"
    assert by_id[report]["sha256"] == hashlib.sha256(b"a report").hexdigest()


async def test_a_copy_lacks_what_its_subject_may_not_read(dmp: Whole) -> None:
    """A document withheld from the patient is not in the patient's copy, under no name."""
    withheld = await dmp.deposit(content=b"to be announced", withheld=True)
    archive = await fetched(dmp)
    assert [name for name in archive.namelist() if name.startswith("documents/")] == []
    assert manifest_of(archive)["documents"] == []
    assert withheld not in archive.read("manifest.json").decode() + archive.read("SHA256SUMS").decode()


async def test_what_is_masked_and_what_is_past_is_in_the_copy(dmp: Whole) -> None:
    """A mask hides from professionals only; superseded versions stay readable."""
    first = await dmp.deposit()
    second = await dmp.deposit(replaces=first)
    await dmp.change(second, masked=True)
    listed = {each["id"]: each for each in manifest_of(await fetched(dmp))["documents"]}
    assert {identity: (each["version"], each["status"], each["masked"]) for identity, each in listed.items()} == {
        first: (1, "superseded", True),
        second: (2, "current", True),
    }


async def test_the_sums_hold(dmp: Whole) -> None:
    """Every file of the archive but the sums themselves has its line, as `sha256sum --check` reads it."""
    await dmp.deposit()
    archive = await fetched(dmp)
    lines = [line.split("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
    assert {name: digest for digest, name in lines} == {
        name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if name != "SHA256SUMS"
    }


async def test_the_journal_of_the_copy_is_whole(dmp: Whole) -> None:
    """Lines with their entries, from the one of the asking down to the first, each chained to the one before."""
    await dmp.deposit()
    data = (await fetched(dmp)).read("journal.jsonl")
    lines = [parse_line(line) for line in data.splitlines()]
    assert [line.sequence for line in lines] == list(range(len(lines), 0, -1))
    assert {str(line.dossier) for line in lines} == {dmp.id_of()}
    assert [line.previous for line in lines] == [*(leaf_hash(line.encode()) for line in lines[1:]), b""]
    assert lines[0].entry is not None
    assert (lines[0].entry.action, dict(lines[0].entry.change)) == ("dossier:export", {"export": "asked"})


async def test_one_entry_names_what_was_taken(dmp: Whole) -> None:
    """Asking is one entry, fetching another, with the export and each document as its items."""
    document = await dmp.deposit()
    await fetched(dmp)
    taken, wanted = (await dmp.journal())[:2]
    assert (wanted["action"], wanted["change"]) == ("dossier:export", {"export": "asked"})
    assert [(item["action"], item["resource"]["id"], item["rule"]) for item in taken["items"]] == [
        ("dossier:export", dmp.id_of(), "holder"),
        ("document:read", document, "holder"),
        ("journal:read", dmp.id_of(), "holder"),
        ("access:list", dmp.id_of(), "holder"),
    ]


async def test_a_document_without_content_is_listed(dmp: Whole) -> None:
    """Facts that were imported are told, though there is nothing to copy."""
    identity = "7c0f0000-0000-4000-8000-000000000001"
    author = {"type": "organization", "id": HOSPITAL}
    await dmp.learn(
        {
            "kind": "document",
            "id": identity,
            "dossier_ins": INS,
            "document_type": "11488-4",
            "author": author,
            "created_at": "2026-10-01T08:00:00Z",
        }
    )
    (listed,) = manifest_of(await fetched(dmp))["documents"]
    assert (listed["id"], listed.get("path"), listed["author"]) == (identity, None, author)


async def test_a_document_that_does_not_open_does_not_keep_the_others(dmp: Whole) -> None:
    """It is named as such, without content, and the journal says that it did not open."""
    broken, sound = await dmp.deposit(content=b"altered"), await dmp.deposit(content=b"intact")
    await dmp.tamper(broken)
    listed = {each["id"]: each for each in manifest_of(await fetched(dmp))["documents"]}
    assert (listed[broken]["opens"], listed[broken].get("path")) == (False, None)
    assert listed[sound]["size"] == len(b"intact")
    assert (await dmp.journal())[0]["rule"] == "seal-broken"


@pytest.mark.parametrize(
    "who, rule",
    [
        (TREATING, "not-permitted"),
        (f"professional/{NURSE}", "not-permitted"),
        (f"organization/{HOSPITAL}", "not-permitted"),
    ],
)
async def test_nobody_takes_a_copy_but_whom_the_rules_name(dmp: Whole, who: str, rule: str) -> None:
    """Neither asks nor fetches, not even with the holder's ticket; each refusal is in the journal."""
    ticket = await asked(dmp)
    asking = await dmp.http.post(dmp.path("/exports"), headers=dmp.headers(who))
    fetching = await dmp.get(f"/exports/{ticket}", who)
    assert [refusal(asking), refusal(fetching)] == [(403, rule), (403, rule)]
    assert [(each["decision"], each["rule"]) for each in (await dmp.journal())[:2]] == [(False, rule)] * 2


async def test_a_ticket_serves_its_subject_its_dossier_and_its_day(dmp: Whole) -> None:
    """Another representative's, another dossier's, an expired one and any other word are all not found."""
    await dmp.learn(
        {"kind": "representation", "dossier_ins": INS, "person_ins": OTHER_INS, "as": "legal_representative"},
        {"kind": "dossier", "ins": INS, "state": "open", "born": "2015-05-12"},
    )
    parent, ticket = f"person/{dmp.id_of(OTHER_INS)}", await asked(dmp)
    assert (await dmp.get(f"/exports/{ticket}")).status_code == 200
    answers = [
        await dmp.get(f"/exports/{ticket}", parent),
        await dmp.get(f"/exports/{ticket}", parent, OTHER_INS),
        await dmp.get(f"/exports/{ticket[:-2]}"),
        await dmp.get("/exports/élan"),
    ]
    dmp.clock.now = NOW + timedelta(hours=24)
    answers.append(await dmp.get(f"/exports/{ticket}"))
    assert [answer.status_code for answer in answers] == [404] * 5


async def test_a_ticket_holds_no_right(dmp: Whole) -> None:
    """What is refused when the copy is fetched is not given: a parent whose child came of age is nobody (RULES §1)."""
    await dmp.learn(
        {"kind": "dossier", "ins": OTHER_INS, "state": "open", "born": "2015-05-12"},
        {"kind": "representation", "dossier_ins": OTHER_INS, "person_ins": INS, "as": "legal_representative"},
    )
    asking = await dmp.http.post(dmp.path("/exports", OTHER_INS), headers=dmp.headers(HOLDER))
    dmp.clock.now = NOW + timedelta(hours=1)
    await dmp.learn({"kind": "dossier", "ins": OTHER_INS, "state": "open", "born": "1960-05-12"})
    answer = await dmp.get(f"/exports/{asking.json()['id']}", HOLDER, OTHER_INS)
    assert (asking.status_code, refusal(answer)) == (201, (403, "unknown-subject"))


async def test_a_large_document_is_in_the_copy(dmp: Whole) -> None:
    """One that is verified piece by piece comes out whole."""
    content = b"0123456789abcdef" * (320 * 1024)
    document = await dmp.deposit(content=content)
    archive = await fetched(dmp)
    (listed,) = manifest_of(archive)["documents"]
    assert (listed["id"], archive.read(listed["path"]) == content) == (document, True)


async def test_a_copy_that_was_broken_off_goes_on(dmp: Whole) -> None:
    """From any byte, to the same bytes, whatever the journal was told since; each answer is an access of its own."""
    await dmp.deposit(content=b"0123456789abcdef" * 5_000)
    path = f"/exports/{await asked(dmp)}"
    whole = await dmp.get(path)
    etag, size = whole.headers["ETag"], len(whole.content)
    told = (whole.headers["Content-Length"], whole.headers["Accept-Ranges"])
    await dmp.journal()
    for start in (0, 1, 70_000, size - 1):
        rest = await dmp.get(path, Range=f"bytes={start}-", **{"If-Range": etag})
        assert (rest.status_code, rest.headers["ETag"]) == (206, etag)
        assert rest.headers["Content-Range"] == f"bytes {start}-{size - 1}/{size}"
        assert rest.headers["Content-Length"] == str(size - start)
        assert rest.content == whole.content[start:]
    amid = await dmp.get(path, Range="bytes=100-199", **{"If-Range": etag})
    beyond = await dmp.get(path, Range=f"bytes={size}-", **{"If-Range": etag})
    assert (amid.content, told) == (whole.content[100:200], (str(size), "bytes"))
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    taken = [entry for entry in await dmp.journal() if _began(entry) == "dossier:export"]
    assert len(taken) == 7


async def test_what_may_be_read_has_changed(dmp: Whole) -> None:
    """Then the whole archive is sent again under another ETag: never the end of one behind the beginning of another."""
    document = await dmp.deposit()
    path = f"/exports/{await asked(dmp)}"
    before = await dmp.get(path)
    await dmp.change(document, masked=True)
    after = await dmp.get(path, Range="bytes=100-", **{"If-Range": before.headers["ETag"]})
    assert (after.status_code, len(after.content)) == (200, int(after.headers["Content-Length"]))
    assert after.headers["ETag"] != before.headers["ETag"]
    await dmp.change(document, masked=False)
    again = await dmp.get(path, Range="bytes=100-", **{"If-Range": before.headers["ETag"]})
    assert (again.status_code, again.content) == (206, before.content[100:])


async def test_without_knowing_what_is_at_hand_nothing_goes_on(dmp: Whole) -> None:
    """A range without the ETag of what it is to follow gets the whole archive."""
    path = f"/exports/{await asked(dmp)}"
    answers = [await dmp.get(path, Range="bytes=100-"), await dmp.get(path, Range="bytes=9-", **{"If-Range": '"x"'})]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_document_that_breaks_on_the_way_ends_the_copy(dmp: Whole) -> None:
    """Short of what was announced, and journaled; the next copy leaves it out and says so."""
    large = b"%PDF-" + bytes(5 * 1024 * 1024)
    broken = await dmp.deposit(content=large, content_type="application/pdf")
    sound = await dmp.deposit(content=b"intact")
    path = f"/exports/{await asked(dmp)}"
    etag = (await dmp.get(path)).headers["ETag"]
    await dmp.tamper(broken, 3 * 1024 * 1024)
    with pytest.raises(LitestarException, match="after response started"):
        await dmp.get(path)
    assert (await dmp.journal())[0]["rule"] == "seal-broken"
    again = await dmp.get(path, Range="bytes=4000000-", **{"If-Range": etag})
    assert (again.status_code, again.headers["ETag"] != etag) == (200, True)
    listed = {each["id"]: each for each in manifest_of(zipfile.ZipFile(io.BytesIO(again.content)))["documents"]}
    assert (listed[broken]["opens"], listed[sound]["size"]) == (False, 6)
