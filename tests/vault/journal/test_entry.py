"""What an entry says, and the bytes that say it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from models.decisions import Decision
from models.facts import Case, Context, Document, Dossier, Person, Professional, Question, Reference, Subject
from models.vocabulary import DossierState, Obligation
from tests.vault.journal.entries import AT, DOCUMENT, DOSSIER, HOLDER, NURSE, OTHER_DOSSIER, PHYSICIAN, an_entry
from vault.errors import JournalEntryError
from vault.journal.entry import NO_DOSSIER, Entry, Item, Line, fold, fold_alike

INS = "185057800608491"
CORSICAN_INS = "199092A00100134"

words = st.text(max_size=30)
slugs = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
slug_tuples = st.lists(slugs, max_size=4).map(tuple)
references = st.builds(Reference, words, words)
items = st.builds(Item, words, references, st.booleans(), slugs, slug_tuples, slug_tuples)
entries = st.builds(
    Entry,
    at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]), min_value=datetime(2, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
    dossier=st.uuids(),
    subject=references,
    action=words,
    resource=references,
    allowed=st.booleans(),
    rule=slugs,
    revision=slugs,
    client=words,
    request_id=words,
    organization=st.none() | words,
    authentication=st.none() | words,
    profession=st.none() | slugs,
    mode=words,
    reason=words,
    patient_present=st.booleans(),
    refused_by=slug_tuples,
    obligations=slug_tuples,
    situation=slug_tuples,
    items=st.lists(items, max_size=4).map(tuple),
    change=st.dictionaries(slugs, st.none() | st.booleans() | words, max_size=3),
)
lines = st.builds(
    Line.of,
    entry=entries,
    sequence=st.integers(1, 2**62),
    previous=st.just(b"") | st.binary(min_size=32, max_size=32),
    salt=st.binary(min_size=32, max_size=32),
)
SALT = b"\x5a" * 32


def payload_of(line: Line) -> bytes:
    """The bytes of its entry."""
    assert line.entry is not None
    return line.entry.encode()


@given(lines)
def test_a_line_comes_back_from_its_bytes(line: Line) -> None:
    """What was written is read back, all of it."""
    assert Line.parse(line.encode(), (line.salt, payload_of(line))) == line


@given(lines)
def test_an_erased_line_comes_back_without_its_entry(line: Line) -> None:
    """The bytes of the line are the same without the entry."""
    erased = Line.parse(line.encode(), None)
    assert erased == replace(line, entry=None, salt=b"")
    assert erased.encode() == line.encode()


@given(lines)
def test_bytes_are_canonical_json(line: Line) -> None:
    """The bytes are those that RFC 8785 gives: members sorted, no spaces, UTF-8, only what must be escaped is."""
    for data in (line.encode(), payload_of(line)):
        canonical = json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert data == canonical.encode()


def test_the_bytes_of_a_small_line() -> None:
    """The bytes of a first line and of its entry, as vault/FORMAT.md shows them."""
    line = Line.of(an_entry(), 1, b"", SALT)
    assert payload_of(line) == (
        b'{"action":"document:read","allowed":true,'
        b'"at":"2026-11-02T09:30:15.123456Z","client":"viewer","request_id":"r-1",'
        b'"resource":{"id":"7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03","type":"document"},"revision":"' + b"5f" * 32 + b'",'
        b'"rule":"treating-physician","subject":{"id":"10001234565","type":"professional"}}'
    )
    assert line.encode() == (
        b'{"commitment":"' + sha256(SALT + payload_of(line)).hexdigest().encode() + b'",'
        b'"dossier":"5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01","sequence":1,"version":2}'
    )


def test_the_bytes_of_a_full_line() -> None:
    """Every member has its place; a situation that several lines of a listing share is written once."""
    listing = an_entry(
        action="document:list",
        resource=Reference("dossier", str(DOSSIER)),
        organization="750000002",
        authentication="cps",
        profession="midwife",
        mode="break_glass",
        reason="inconscient, allergie é",
        patient_present=True,
        refused_by=("blocked",),
        obligations=(Obligation.WRITE_DOWN,),
        situation=("physician", "open"),
        items=(
            Item("document:read", Reference("document", "a"), True, "break-glass", ("alert_withheld",), ("masked",)),
            Item("document:read", Reference("document", "b"), False, "masked", (), ("masked",)),
            Item("document:read", Reference("document", "c"), True, "break-glass", (), ("physician", "open")),
        ),
        change={"until": None, "given": True},
    )
    line = Line.of(listing, 3, b"\xab" * 32, SALT)
    assert json.loads(line.encode()) == {
        "commitment": line.commitment.hex(),
        "dossier": str(DOSSIER),
        "previous": "ab" * 32,
        "sequence": 3,
        "version": 2,
    }
    assert json.loads(listing.encode()) == {
        "action": "document:list",
        "allowed": True,
        "at": "2026-11-02T09:30:15.123456Z",
        "authentication": "cps",
        "change": {"given": True, "until": None},
        "client": "viewer",
        "items": [
            {
                "action": "document:read",
                "allowed": True,
                "obligations": ["alert_withheld"],
                "resource": {"id": "a", "type": "document"},
                "rule": "break-glass",
                "situation": 1,
            },
            {
                "action": "document:read",
                "allowed": False,
                "resource": {"id": "b", "type": "document"},
                "rule": "masked",
                "situation": 1,
            },
            {
                "action": "document:read",
                "allowed": True,
                "resource": {"id": "c", "type": "document"},
                "rule": "break-glass",
                "situation": 0,
            },
        ],
        "mode": "break_glass",
        "obligations": ["write_down"],
        "organization": "750000002",
        "patient_present": True,
        "profession": "midwife",
        "reason": "inconscient, allergie é",
        "refused_by": ["blocked"],
        "request_id": "r-1",
        "resource": {"id": str(DOSSIER), "type": "dossier"},
        "revision": "5f" * 32,
        "rule": "treating-physician",
        "situations": [["physician", "open"], ["masked"]],
        "subject": {"id": "10001234565", "type": "professional"},
    }


def _altered(text: str, *changes: tuple[str, str]) -> bytes:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


LINE = Line.of(an_entry(situation=("open",)), 2, b"\xab" * 32, SALT)
TEXT = LINE.encode().decode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        _altered(TEXT, ('"version":2', '"version":1')),
        _altered(TEXT, ('"version":2', '"version":2.0')),
        _altered(TEXT, (',"version":2', "")),
        _altered(TEXT, (',"version":2', ',"version":2,"added":1')),
        _altered(TEXT, ('"sequence":2', '"sequence":0')),
        _altered(TEXT, ('"sequence":2', '"sequence":02')),
        _altered(TEXT, ('"sequence":2', '"sequence":2,"sequence":2')),
        _altered(TEXT, ("ab" * 32, "AB" * 32)),
        _altered(TEXT, ("ab" * 32, "ab" * 31)),
        _altered(TEXT, (LINE.commitment.hex(), "")),
        _altered(TEXT, (str(DOSSIER), str(DOSSIER).upper())),
        _altered(TEXT, ("{", " {")),
    ],
)
def test_anything_but_a_canonical_line_is_refused(data: bytes) -> None:
    """Another spelling of a line has another hash, so it is no line; nor is anything else."""
    with pytest.raises(JournalEntryError):
        Line.parse(data, None)


ENTRY = payload_of(LINE).decode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        _altered(ENTRY, ('"allowed":true', '"allowed": true')),
        _altered(ENTRY, ('"allowed":true', '"allowed":1')),
        _altered(ENTRY, ('"allowed":true,', "")),
        _altered(ENTRY, ('"allowed":true', '"allowed":true,"added":1')),
        _altered(ENTRY, ("09:30:15.123456Z", "09:30:15.123456+00:00")),
        _altered(ENTRY, ("09:30:15.123456Z", "10:30:15.123456+01:00")),
        _altered(ENTRY, ("09:30:15.123456Z", "09:30:15.123456")),
        _altered(ENTRY, ("2026-11-02T09:30:15.123456Z", "0001-01-01T00:00:00.000000+05:00")),
        _altered(ENTRY, ('"situations":[["open"]]', '"situations":[]')),
        _altered(ENTRY, ('"situations":[["open"]]', '"situations":[["open"],["closed"]]')),
        _altered(ENTRY, ('"client":"viewer"', '"client":"viewer","mode":"normal"')),
        _altered(ENTRY, ("viewer", "view\\u0065r")),
        _altered(ENTRY, ("10001234565", INS)),
        _altered(ENTRY, ("viewer", "v" * 201)),
        _altered(ENTRY, ("{", " {")),
    ],
)
def test_anything_but_a_canonical_entry_is_refused(data: bytes) -> None:
    """Also by whoever committed to it: another spelling of an entry is no entry, nor is anything else."""
    with pytest.raises(JournalEntryError):
        Entry.parse(data, DOSSIER)
    line = replace(LINE, commitment=sha256(SALT + data).digest())
    with pytest.raises(JournalEntryError):
        Line.parse(line.encode(), (SALT, data))


@pytest.mark.parametrize(
    "opened",
    [
        (SALT, payload_of(Line.of(an_entry(), 2, b"", SALT))),
        (b"\x00" * 32, payload_of(LINE)),
        (SALT + payload_of(LINE)[:1], payload_of(LINE)[1:]),
        (SALT[:31], SALT[31:] + payload_of(LINE)),
    ],
)
def test_an_entry_that_was_not_committed_to_is_refused(opened: tuple[bytes, bytes]) -> None:
    """A line commits to one salt and one entry, and to where the one ends."""
    with pytest.raises(JournalEntryError, match="committed"):
        Line.parse(LINE.encode(), opened)


def test_an_error_does_not_repeat_the_entry() -> None:
    """What a refused entry held is not told on."""
    with pytest.raises(JournalEntryError) as raised:
        Entry.parse(_altered(ENTRY, ("viewer", "v" * 201)), DOSSIER)
    assert str(raised.value) == "not an entry in canonical form"


AS_LONG_AS_A_UUID = [f"aaaaaaaa-bbbb-cccc-d/{INS}", f"{INS:36}", f"{INS:->36}", f"{INS:-<36}"]


@pytest.mark.parametrize("ins", [INS, CORSICAN_INS, f"person/{INS}", f"{INS} et la suite", *AS_LONG_AS_A_UUID])
def test_an_ins_is_hidden_wherever_a_caller_put_it(ins: str) -> None:
    """A caller that mistakes an INS for an id does not get it into the journal."""
    entry = an_entry(
        subject=Reference("person", ins),
        resource=Reference(ins, ins),
        action=ins,
        client=ins,
        request_id=ins,
        organization=ins,
        authentication=ins,
        profession=ins,
        mode=ins,
        items=(Item(ins, Reference("document", ins), False, "no-document"),),
        change={"professional": ins},
    )
    assert INS.encode() not in entry.encode()
    assert CORSICAN_INS.encode() not in entry.encode()
    assert "(ins)" in entry.subject.id


def test_between_the_dashes_of_a_uuid_is_no_room_for_an_ins() -> None:
    """So what has them where a UUID does is kept as it came."""
    runs = DOCUMENT.split("-")
    assert (len(DOCUMENT), max(map(len, runs)) < len(INS)) == (36, True)
    assert Item("a", Reference("document", DOCUMENT), False, "r").resource.id is DOCUMENT


@pytest.mark.parametrize("text", ["185057800608490", "1850578006084910", DOCUMENT, "10001234565"])
def test_what_is_no_ins_is_kept(text: str) -> None:
    """Other numbers stand as they came: a wrong control key, one digit more, a UUID, an RPPS."""
    assert an_entry(resource=Reference("document", text)).resource.id == text


def test_words_are_bounded_and_storable() -> None:
    """No question, however strange, can keep the entries that are written with it from being written."""
    entry = an_entry(
        subject=Reference("person", "x" * 10_000),
        resource=Reference("document", "a\0b\ud800"),
        reason="r" * 10_000 + "\0",
    )
    assert (entry.subject.id, entry.resource.id, entry.reason) == ("x" * 200, "a\ufffdb?", "r" * 4_000)


def test_the_reason_is_not_shown() -> None:
    """What a professional wrote of his patient is in no log through the entry's repr."""
    assert "fauteuil" not in repr(an_entry(reason="tombé de son fauteuil"))


def test_an_instant_without_zone_is_refused() -> None:
    """An instant that may mean several is none."""
    with pytest.raises(ValueError, match="time zone"):
        an_entry(at=datetime(2026, 11, 2))  # noqa: DTZ001 - that is what is refused


def test_instants_are_utc() -> None:
    """The same instant in another zone is the same entry."""
    assert an_entry(at=AT.astimezone(timezone(timedelta(hours=-5)))) == an_entry()


def test_an_entry_does_not_change() -> None:
    """Not even through the mapping that it was made from."""
    change: dict[str, str | bool | None] = {"given": True}
    entry = an_entry(change=change)
    change["given"] = False
    assert entry.change == {"given": True}
    assert hash(entry) == hash(an_entry(change={}))


def _case(**facts: object) -> Case:
    context = Context("break_glass", "inconscient", "cps", True, "750000002")
    question = Question(PHYSICIAN, "document:read", Reference("document", DOCUMENT), AT, context)
    return structs.replace(Case(question), **facts)


REFUSED = Decision(False, "masked", ("masked", "reason-required"), ("break-glass",))


def test_the_entry_of_a_decision() -> None:
    """Who asked what, where, how and why, what was answered and by which rule: the question and the answer."""
    physician = Professional("10001234565", "physician", organizations=frozenset({"750000002"}))
    case = _case(subject=physician, dossier=Dossier(DOSSIER, DossierState.OPEN))
    entry = Entry.of(case, REFUSED, client="viewer", request_id="r-1", revision="5f" * 32, situation=["masked"])
    assert entry == an_entry(
        allowed=False,
        rule="masked",
        refused_by=("masked", "reason-required"),
        organization="750000002",
        authentication="cps",
        mode="break_glass",
        reason="inconscient",
        patient_present=True,
        situation=("masked",),
    )


DOCTOR = Professional("10001234565", "physician")
REPORT = Document(UUID(DOCUMENT), "11488-4", PHYSICIAN, AT)


@pytest.mark.parametrize(
    "subject, document, expected",
    [(DOCTOR, REPORT, "physician"), (DOCTOR, None, None), (Person(DOSSIER), REPORT, None), (None, REPORT, None)],
)
def test_the_profession_of_who_asks(subject: Subject | None, document: Document | None, expected: str | None) -> None:
    """It is told where it counted: of a professional who asks about a document. Of the document nothing is told."""
    case = _case(subject=subject, document=document)
    entry = Entry.of(case, REFUSED, client="viewer", request_id="r-1", revision="")
    assert entry.profession == expected
    assert b"11488-4" not in entry.encode()


@pytest.mark.parametrize(
    "case",
    [
        _case(),
        _case(dossier=Dossier(DOSSIER, DossierState.NONE)),
        _case(subject=Professional("10001234565", "physician", organizations=frozenset({"750000018"}))),
    ],
)
def test_the_entry_of_a_question_about_nothing_known(case: Case) -> None:
    """It stands under no dossier, and an organization that is not the professional's is passed over."""
    entry = Entry.of(case, REFUSED, client="viewer", request_id="r-1", revision="")
    assert (entry.dossier, entry.organization) == (NO_DOSSIER, None)
    assert UUID(int=0) == NO_DOSSIER


def test_a_batch_is_one_entry_for_each_dossier_and_subject() -> None:
    """What was asked together is told together, unless other rules answered, and each item keeps its own answer."""
    first = an_entry(allowed=False, rule="masked", refused_by=("masked",), situation=("masked",))
    second = an_entry(resource=Reference("document", "b"), rule="care-team", obligations=("write_down",))
    alone = an_entry(dossier=OTHER_DOSSIER)
    another = an_entry(subject=NURSE)
    other_rules = an_entry(revision="60" * 32)
    folded = fold([first, alone, second, another, other_rules])
    assert folded == [
        an_entry(
            resource=Reference("dossier", str(DOSSIER)),
            rule="care-team",
            obligations=("write_down",),
            items=(
                Item("document:read", first.resource, False, "masked", (), ("masked",)),
                Item("document:read", second.resource, True, "care-team", ("write_down",), ()),
            ),
        ),
        alone,
        another,
        other_rules,
    ]


def test_the_profession_of_a_batch_is_that_of_its_documents() -> None:
    """Who lists a dossier is told by his profession as soon as a line is about a document."""
    listing = an_entry(action="document:list", resource=Reference("dossier", str(DOSSIER)))
    (folded,) = fold([listing, an_entry(profession="physician"), an_entry(profession="physician")])
    assert folded.profession == "physician"


def test_items_that_share_an_entry_are_folded_as_if_each_had_its_own() -> None:
    """Each with the resource that it was about."""
    one, other = an_entry(), an_entry(dossier=OTHER_DOSSIER, allowed=False, rule="masked")
    resources = [Reference("document", str(number)) for number in range(4)]
    told = list(zip((one, other, one, other), resources, strict=True))
    assert fold_alike(told) == fold(structs.replace(entry, resource=resource) for entry, resource in told)


def test_a_batch_of_refusals_of_several_actions() -> None:
    """A folded entry is refused when every item is, and says so when the actions differ."""
    refusals = [an_entry(allowed=False, rule="blocked", subject=HOLDER, action=f"document:{verb}") for verb in "ab"]
    (folded,) = fold(refusals)
    assert (folded.allowed, folded.rule, folded.action) == (False, "blocked", "evaluations")
