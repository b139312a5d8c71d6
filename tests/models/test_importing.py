"""Imports: all of a file or nothing, the same twice, in any order, on both engines."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import tables
from models.database import Database
from models.errors import ImportRefusedError
from models.facts import (
    Case,
    Document,
    Dossier,
    Message,
    Organization,
    Person,
    Professional,
    Question,
    Reference,
    Relation,
    Representation,
    Staff,
)
from models.identifiers import Ins
from models.importing import Imported, SealedDossier, filing, gathering, import_facts, references
from models.importing import running as running_module
from models.importing import sheets as sheets_module
from models.queries import fetch_case
from models.queries.documents import add_document, add_version, set_status, set_visibility
from models.queries.messages import StoredMessage, add_message
from models.queries.whereabouts import find_dossiers
from models.sheets import Filed, Sheet, Version, documents_in, filed_in, relations_of, representations_of
from models.vocabulary import DocumentStatus, DossierState, OrganizationKind, RelationKind, RepresentationKind
from models.whereabouts import bucket_of
from tests.models.test_importing_lines import DOCUMENT, FINESS, INS, LINES, OTHER_INS, RPPS

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECRET = bytes(range(32))
ALICE, BASILE = Ins(INS).pseudonym(SECRET), Ins(OTHER_INS).pseudonym(SECRET)
UNKNOWN_INS = "269054958815780"  # the specimen of the carte Vitale

JULIE = Professional(RPPS, "physician", organizations=frozenset({FINESS}))
CHU = Organization(FINESS, OrganizationKind.HEALTH_FACILITY)
DOSSIER = Dossier(ALICE, DossierState.OPEN, born=date(1985, 5, 12), care_team_consent=True)
RELATIONS = {
    Relation(Reference("professional", RPPS), RelationKind.CARE_TEAM, until=datetime(2027, 1, 1, tzinfo=UTC)),
    Relation(Reference("organization", FINESS), RelationKind.BLOCKED),
}
GUARDIAN = Representation(BASILE, RepresentationKind.LEGAL_REPRESENTATIVE)
STORED = Document(UUID(DOCUMENT), "11488-4", Reference("professional", RPPS), datetime(2026, 10, 1, 8, tzinfo=UTC))
EVERYTHING = list(LINES.values())


async def _import(database: Database, *facts: dict[str, Any] | bytes, now: datetime = AT, **more: Any) -> Imported:
    lines = [fact if isinstance(fact, bytes) else json.dumps(fact).encode() + b"\n" for fact in facts]
    return await import_facts(database, lambda ins: ins.pseudonym(SECRET), lines, now=lambda: now, **more)


async def _case(database: Database, subject: Reference, resource: Reference) -> Case:
    return await fetch_case(database, Question(subject, "document:read", resource, AT))


async def _rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything stored."""
    async with database.connect() as connection:
        return {
            name: sorted((tuple(row) for row in await connection.execute(select(table))), key=repr)
            for name, table in tables.metadata.tables.items()
        }


async def test_facts_are_what_decisions_read(database: Database) -> None:
    """Each line of the specification is found again in the cases that it bears on."""
    counted = {"professional": 1, "organization": 1, "staff": 1, "dossier": 1, "relation": 2, "representation": 1}
    result = await _import(database, *EVERYTHING)
    assert (result.lines, result.facts) == (8, {**counted, "document": 1})
    on_document, on_dossier = Reference("document", DOCUMENT), Reference("dossier", str(ALICE))
    case = await _case(database, Reference("professional", RPPS), on_document)
    assert (case.subject, case.dossier, set(case.relations), case.document) == (JULIE, DOSSIER, RELATIONS, STORED)
    case = await _case(database, Reference("person", str(BASILE)), on_dossier)
    assert (case.subject, case.representations) == (Person(BASILE), (GUARDIAN,))
    assert (await _case(database, Reference("staff", "sec-1"), on_dossier)).subject == Staff("sec-1", CHU)


@pytest.mark.parametrize("seed", range(3))
async def test_lines_come_in_any_order(database: Database, seed: int) -> None:
    """A relation may stand before its dossier, and a document before its author."""
    shuffled = random.Random(seed).sample(EVERYTHING, len(EVERYTHING))
    await _import(database, *shuffled)
    case = await _case(database, Reference("professional", RPPS), Reference("document", DOCUMENT))
    assert (case.subject, case.dossier, set(case.relations), case.document) == (JULIE, DOSSIER, RELATIONS, STORED)


async def test_the_same_twice_changes_nothing(database: Database) -> None:
    """Not a row, not the instant of a state, also much later."""
    assert (await _import(database, *EVERYTHING)).changed == 9
    before = await _rows(database)
    assert (await _import(database, *EVERYTHING, now=AT + timedelta(days=400))).changed == 0
    assert await _rows(database) == before


async def test_what_a_file_refers_to_may_be_stored_already(database: Database) -> None:
    """One fact a file, in an order in which each finds what it needs."""
    for kind in ("organization", "professional", "staff", "dossier", "relation", "block", "representation", "document"):
        await _import(database, LINES[kind])
    alone = await _rows(database)
    assert [tuple(row) for row in alone["exercise"]] == [(RPPS, FINESS)]
    assert (await _import(database, *EVERYTHING)).changed == 0


CHANGES: list[tuple[str, dict[str, Any], str, tuple[Any, ...]]] = [
    ("professional", {"profession": "nurse", "samu_regulator": True}, "professional", (RPPS, "nurse", True, None)),
    ("professional", {"ins": OTHER_INS}, "professional", (RPPS, "physician", False, BASILE)),
    ("organization", {"type": "bank", "name": "Bank"}, "organization", (FINESS, "bank", "Bank")),
]


@pytest.mark.parametrize("kind, change, table, row", CHANGES)
async def test_a_later_import_updates(
    database: Database, kind: str, change: dict[str, Any], table: str, row: tuple[Any, ...]
) -> None:
    """Of the same key, what is said last counts, and nothing else is written."""
    await _import(database, *EVERYTHING)
    assert (await _import(database, LINES[kind] | change)).changed == 1
    assert row in (await _rows(database))[table]


async def test_a_later_import_updates_ties_and_documents(database: Database) -> None:
    """In the dossier's sheet: one of each party and kind, and what is said last of each document."""
    await _import(database, *EVERYTHING)
    said = [
        LINES["relation"] | {"since": "2026-01-01T00:00:00Z", "until": None},
        LINES["relation"] | {"relation": "granted"},
        LINES["representation"] | {"until": "2026-11-23T10:00:00Z"},
        LINES["document"] | {"masked": True, "withheld_until": "2026-12-01T00:00:00Z"},
    ]
    assert (await _import(database, *said)).changed == 4
    sheet = await _sheet(database)
    assert set(relations_of(sheet.ties)) == {
        Relation(Reference("professional", RPPS), RelationKind.CARE_TEAM, since=datetime(2026, 1, 1, tzinfo=UTC)),
        Relation(Reference("professional", RPPS), RelationKind.GRANTED, until=datetime(2027, 1, 1, tzinfo=UTC)),
        Relation(Reference("organization", FINESS), RelationKind.BLOCKED),
    }
    assert representations_of(sheet.ties) == [Representation(BASILE, RepresentationKind.LEGAL_REPRESENTATIVE, AT)]
    changed = replace(STORED, masked=True, withheld_until=datetime(2026, 12, 1, tzinfo=UTC))
    assert filed_in(sheet.documents) == [Filed(changed, Version(STORED.id, 1))]


async def _sheet(database: Database, dossier: UUID = ALICE) -> Sheet:
    (row,) = await database.read("SELECT ties, documents FROM dossier WHERE id = $1::uuid", dossier)
    return Sheet(row[0] or b"", row[1] or b"")


async def test_a_dossier_is_found_by_whom_it_is_open_to(database: Database) -> None:
    """Not by who is blocked, nor any more by who was open to it and is blocked now."""
    await _import(database, *EVERYTHING, LINES["relation"] | {"professional": None, "organization": FINESS})
    assert (await _rows(database))["tied"] == [(RPPS, ALICE), (FINESS, ALICE)]


async def test_what_reimbursements_show_is_known(database: Database) -> None:
    """Since when, of those that are not deleted: retention looks for it."""
    documents = [
        LINES["document"] | {"id": str(UUID(int=number)), "document_type": "REMB", **more}
        for number, more in enumerate(
            [
                {"created_at": "2026-02-01T00:00:00Z"},
                {"created_at": "2026-01-01T00:00:00Z"},
                {"created_at": "2025-01-01T00:00:00Z", "status": "deleted"},
                {"created_at": "2025-01-01T00:00:00Z", "document_type": "11488-4"},
            ]
        )
    ]
    await _import(database, *EVERYTHING, *documents)
    (row,) = await database.read("SELECT reimbursed_since FROM dossier")
    assert row[0] == datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_professional_moves(database: Database) -> None:
    """He exercises where his last line says, and nowhere else; others stay where they are."""
    other, colleague = "750000010", "10001234573"
    organization = LINES["organization"] | {"id": other}
    stays = LINES["professional"] | {"rpps": colleague}
    await _import(database, *EVERYTHING, organization, stays)
    await _import(database, LINES["professional"] | {"organizations": [other]})
    assert (await _rows(database))["exercise"] == [(RPPS, other), (colleague, FINESS)]
    await _import(database, LINES["professional"] | {"organizations": []})
    assert (await _rows(database))["exercise"] == [(colleague, FINESS)]


async def test_a_dossier_s_switches_and_state(database: Database) -> None:
    """Switches are updated; the instant of the state is that of the import that changed it."""
    await _import(database, LINES["dossier"])
    await _import(database, LINES["dossier"] | {"protected": True, "refuses_centre_15": True}, now=AT + timedelta(1))
    assert await _dossier(database) == (AT, True, True, "open")
    await _import(database, LINES["dossier"] | {"state": "closed"}, now=AT + timedelta(2))
    assert await _dossier(database) == (AT + timedelta(2), False, False, "closed")


async def _dossier(database: Database) -> tuple[Any, ...]:
    (row,) = await database.read("SELECT state_since, protected, refuses_centre_15, state FROM dossier")
    return tuple(row)


async def test_masked_in_emergency_is_stored_as_given(database: Database) -> None:
    """That both refusals lift it is a rule's matter, not a file's."""
    switches = {"refuses_break_glass": True, "refuses_centre_15": True, "masked_in_emergency": True}
    await _import(database, LINES["dossier"] | switches)
    assert [tuple(row) for row in await database.read("SELECT masked_in_emergency FROM dossier")] == [(True,)]


async def test_of_two_lines_about_the_same_the_last_counts(database: Database) -> None:
    """A file gives what its two halves would give, one after the other."""
    organization = LINES["organization"] | {"id": "750000010"}
    first = [*EVERYTHING, organization]
    second = [
        LINES["professional"] | {"organizations": ["750000010"]},
        LINES["organization"] | {"name": "Other"},
        LINES["staff"] | {"organization": "750000010"},
        LINES["dossier"] | {"state": "suspended"},
        LINES["relation"] | {"since": "2026-01-01T00:00:00Z"},
        LINES["representation"] | {"until": "2030-01-01T00:00:00Z"},
        LINES["document"] | {"masked": True, "status": "archived"},
    ]
    await _import(database, *first, *second)
    together = await _rows(database)
    assert (await _import(database, *second)).changed == 0
    assert [row[:3] for row in together["exercise"]] == [(RPPS, "750000010")]
    assert together["dossier"][0][1] == "suspended"
    assert together["organization"][0][2] == "Other"


REFERENCES: list[tuple[str, dict[str, Any], str]] = [
    ("professional", {"organizations": ["750000010"]}, "an organization that is not known"),
    ("staff", {"organization": "750000010"}, "an organization that is not known"),
    ("relation", {"dossier_ins": UNKNOWN_INS}, "a dossier that is not known"),
    ("relation", {"professional": "10001234573"}, "a professional that is not known"),
    ("block", {"organization": "750000010"}, "an organization that is not known"),
    ("representation", {"dossier_ins": UNKNOWN_INS}, "a dossier that is not known"),
    ("document", {"dossier_ins": UNKNOWN_INS}, "a dossier that is not known"),
    (
        "document",
        {"author": {"type": "professional", "id": "10001234573"}},
        "author: a professional that is not known",
    ),
    (
        "document",
        {"author": {"type": "organization", "id": "750000010"}},
        "author: an organization that is not known",
    ),
]


@pytest.mark.parametrize("kind, change, reason", REFERENCES)
async def test_references_to_nothing(database: Database, kind: str, change: dict[str, Any], reason: str) -> None:
    """The first line that refers to nothing is told, and nothing of the file is stored."""
    wrong = LINES[kind] | change
    with pytest.raises(ImportRefusedError) as caught:
        await _import(database, *EVERYTHING, b"\n", wrong, wrong)
    assert (caught.value.line, caught.value.reason) == (len(EVERYTHING) + 2, reason)
    assert {name: rows for name, rows in (await _rows(database)).items() if rows} == {}


async def test_a_person_need_not_be_known(database: Database) -> None:
    """A representative or an author has no dossier of his own."""
    author = {"type": "person", "ins": UNKNOWN_INS}
    await _import(database, *EVERYTHING, LINES["document"] | {"author": author})
    stored = (await _case(database, Reference("person", str(ALICE)), Reference("document", DOCUMENT))).document
    assert stored is not None
    assert stored.author == Reference("person", str(Ins(UNKNOWN_INS).pseudonym(SECRET)))


async def test_a_document_does_not_change_dossiers(database: Database) -> None:
    """An id that is in another dossier is refused."""
    other = LINES["dossier"] | {"ins": OTHER_INS}
    await _import(database, *EVERYTHING, other)
    with pytest.raises(ImportRefusedError, match="line 1: id: that of a document or message of another dossier"):
        await _import(database, LINES["document"] | {"dossier_ins": OTHER_INS})


async def test_a_document_is_not_in_two_dossiers(database: Database) -> None:
    """As its halves one after the other would be, a file is refused that puts an id into two dossiers."""
    other, document = LINES["dossier"] | {"ins": OTHER_INS}, LINES["document"] | {"dossier_ins": OTHER_INS}
    with pytest.raises(ImportRefusedError, match="line 10: id: that of a document or message of another dossier"):
        await _import(database, *EVERYTHING, other, document)
    assert await database.read("SELECT * FROM dossier") == []


async def test_a_document_does_not_take_a_message_s_id(database: Database) -> None:
    """Neither in another dossier nor in the same one."""
    sent = Message(UUID(int=5), RPPS, "10001234573")
    await _import(database, *EVERYTHING, LINES["dossier"] | {"ins": OTHER_INS})
    async with database.begin() as connection:
        await add_message(connection, StoredMessage(ALICE, sent, sent_at=AT, reply_to=None, sealed=b"sealed"))
    document = LINES["document"] | {"id": str(sent.id)}
    with pytest.raises(ImportRefusedError, match="line 2: id: that of a message of the dossier"):
        await _import(database, LINES["document"], document)
    with pytest.raises(ImportRefusedError, match="line 2: id: that of a document or message of another dossier"):
        await _import(database, LINES["document"], document | {"dossier_ins": OTHER_INS})


async def test_more_documents_than_a_dossier_holds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of the lines about them is told, and nothing of the file is stored."""
    monkeypatch.setattr(filing, "MOST_DOCUMENTS", 2)
    more = [LINES["document"] | {"id": str(UUID(int=number))} for number in range(3)]
    await _import(database, *EVERYTHING, more[0])
    with pytest.raises(ImportRefusedError, match="line 2: a dossier holds at most 2 documents"):
        await _import(database, LINES["dossier"] | {"state": "closed"}, more[1], more[0])
    assert (await _import(database, *EVERYTHING, more[0])).changed == 0


async def test_documents_are_found(database: Database) -> None:
    """Each in its dossier; also those that share a bucket with others, of the file or stored before."""
    ids = [UUID(int=number) for number in (0x5E2F25D2, 0x772623DF, 0x8B9C498F)]
    assert len(set(map(bucket_of, ids))) == 1
    lines = [LINES["document"] | {"id": str(identity)} for identity in ids]
    other = LINES["dossier"] | {"ins": OTHER_INS}
    await _import(database, *EVERYTHING, other, lines[0], lines[1] | {"dossier_ins": OTHER_INS}, lines[0])
    await _import(database, lines[2], lines[0], lines[2])
    found = await find_dossiers(database, [STORED.id, *ids])
    assert found == {STORED.id: ALICE, ids[0]: ALICE, ids[1]: BASILE, ids[2]: ALICE}
    with pytest.raises(ImportRefusedError, match="line 2: id: that of a document or message of another dossier"):
        await _import(database, lines[2], lines[0] | {"dossier_ins": OTHER_INS})


@pytest.mark.parametrize("seed", range(3))
async def test_large_files_go_by_pages(database: Database, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Wherever a page ends, and whoever is met again after he was forgotten: the last line about a thing counts."""
    for module, name in (
        (running_module, "_CHUNK"),
        (gathering, "_REMEMBERED"),
        (sheets_module, "_DOSSIERS"),
        (sheets_module, "_ROWS"),
        (references, "_AT_ONCE"),
        (references, "_ASKED_AT_ONCE"),
    ):
        monkeypatch.setattr(module, name, 2)
    dossiers = [LINES["dossier"] | {"ins": _ins(number)} for number in range(7)]
    facts = [
        *(LINES["relation"] | {"dossier_ins": _ins(n), "until": f"20{n + 30}-01-01T00:00:00Z"} for n in (*range(7), 3)),
        *(
            LINES["document"] | {"dossier_ins": _ins(number % 7), "id": str(UUID(int=number % 20)), "masked": again}
            for number, again in [*((number, False) for number in range(14)), (3, True), (3, True), (8, True)]
        ),
    ]
    random.Random(seed).shuffle(facts)
    counted = await _import(database, *EVERYTHING, *dossiers, *facts)
    assert counted.changed == 9 + 7 + 7 + 14
    assert (await _import(database, *EVERYTHING, *dossiers, *facts)).changed == 0
    masked = {fact["id"]: fact["masked"] for fact in facts if fact["kind"] == "document"}
    for number in range(7):
        dossier = Ins(_ins(number)).pseudonym(SECRET)
        sheet = await _sheet(database, dossier)
        assert [each.until for each in relations_of(sheet.ties)] == [datetime(number + 2030, 1, 1, tzinfo=UTC)]
        ids = {UUID(int=number), UUID(int=number + 7)}
        assert {each.id: each.masked for each in documents_in(sheet.documents)} == {
            id_: masked[str(id_)] for id_ in ids
        }
        assert await find_dossiers(database, ids) == dict.fromkeys(ids, dossier)


def _ins(number: int) -> str:
    body = f"18505780060{number:02}"
    return f"{body}{97 - int(body) % 97:02}"


async def test_a_wrong_line_leaves_nothing(database: Database) -> None:
    """Neither of what stands before it nor of what was there: the state is the one before the file."""
    await _import(database, *EVERYTHING)
    before = await _rows(database)
    with pytest.raises(ImportRefusedError, match="line 2: kind"):
        await _import(database, LINES["dossier"] | {"state": "closed"}, {"kind": "nothing"})
    assert await _rows(database) == before
    assert (await _import(database, *EVERYTHING)).changed == 0


async def test_a_file_that_breaks_off_leaves_nothing(database: Database) -> None:
    """Whatever the lines' source raises passes, and nothing is stored."""

    def broken() -> Iterator[bytes]:
        yield json.dumps(LINES["dossier"]).encode()
        raise EOFError("the disk is gone")

    with pytest.raises(EOFError):
        await import_facts(database, lambda _: ALICE, broken())
    assert await database.read("SELECT * FROM dossier") == []


async def test_empty_files_and_empty_lines(database: Database) -> None:
    """Nothing is nothing; empty lines count, but say nothing."""
    assert await _import(database) == Imported(0, dict.fromkeys(_COUNTED, 0), 0)
    assert await _import(database, b"\n", b"  \r\n", b"") == Imported(3, dict.fromkeys(_COUNTED, 0), 0)


_COUNTED = ("organization", "professional", "staff", "dossier", "relation", "representation", "document")


async def test_progress_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then on the way, and at the end; whatever is held in memory, all is stored."""
    monkeypatch.setattr(running_module, "_TOLD_EVERY", 10)
    monkeypatch.setattr(running_module, "_CHUNK", 7)
    told: list[int] = []
    people = [LINES["staff"] | {"id": f"sec-{number}"} for number in range(24)]
    await _import(database, LINES["organization"], *people, progress=told.append)
    assert told == [10, 20, 25]
    assert [tuple(row) for row in await database.read("SELECT COUNT(*) FROM staff")] == [(24,)]


async def test_what_was_changed_by_use_stays(database: Database) -> None:
    """A file imported again neither brings back what was deleted nor parts the versions of a document."""
    deleted = "00000000-0000-4000-8000-000000000001"
    await _import(database, *EVERYTHING, LINES["document"] | {"id": deleted})
    second = Document(UUID(int=2), "11488-4", STORED.author, AT)
    async with database.begin() as connection:
        await add_version(connection, ALICE, second, replaces=STORED.id)
        await set_visibility(connection, ALICE, second.id, masked=True)
        await set_status(connection, ALICE, UUID(deleted), DocumentStatus.DELETED, was=DocumentStatus.CURRENT)
    before = await _rows(database)
    again = [*EVERYTHING, LINES["document"] | {"id": deleted}, LINES["document"] | {"id": str(second.id)}]
    assert (await _import(database, *again)).changed == 0
    assert await _rows(database) == before


async def test_a_document_superseded_by_a_file_may_be_current_again(database: Database) -> None:
    """It has no other version, so the file alone says what it is."""
    await _import(database, *EVERYTHING, LINES["document"] | {"status": "superseded"})
    assert (await _import(database, LINES["document"])).changed == 1


@dataclass(frozen=True)
class _Sealed:
    dossier: UUID
    version: int
    key_id: str
    wrapped: bytes
    ins_sealed: bytes


class _Sealer:
    """Counts in its keys, so that no two are the same."""

    def __init__(self) -> None:
        self.asked: list[tuple[UUID, bytes]] = []
        self.settled: list[int] = []

    async def seal(
        self, connection: AsyncConnection, dossiers: Sequence[tuple[UUID, bytes]]
    ) -> Sequence[SealedDossier]:
        await asyncio.sleep(0)
        sealed = []
        for dossier, ins in dossiers:
            self.asked.append((dossier, ins))
            key = b"key %d" % len(self.asked)
            sealed.append(_Sealed(dossier, 1, "k1", key, ins[::-1] + key))
        return sealed

    async def settle(self, connection: AsyncConnection) -> None:
        self.settled.append((await connection.execute(text("SELECT count(*) FROM dossier_key"))).scalar_one())


async def test_numbers_are_sealed_with_a_key_of_the_dossier(database: Database) -> None:
    """Each new dossier has a key, and its INS under that very key; it stands nowhere else."""
    sealer = _Sealer()
    other = LINES["dossier"] | {"ins": OTHER_INS}
    await _import(database, LINES["dossier"], other, seal=sealer)
    assert set(sealer.asked) == {(ALICE, INS.encode()), (BASILE, OTHER_INS.encode())}
    assert sealer.settled == [2]
    rows = await _rows(database)
    keys = {row[0]: row[-1] for row in rows["dossier_key"]}
    columns = [column.name for column in tables.dossier.c]
    sealed = {row[0]: row[columns.index("ins_sealed")] for row in rows["dossier"]}
    assert sealed == {ALICE: INS.encode()[::-1] + keys[ALICE], BASILE: OTHER_INS.encode()[::-1] + keys[BASILE]}
    assert INS not in repr(rows)


async def test_who_has_a_key_is_not_sealed_again(database: Database) -> None:
    """Another import asks for no key and replaces none."""
    await _import(database, LINES["dossier"], seal=_Sealer())
    before = await _rows(database)
    sealer = _Sealer()
    assert (await _import(database, LINES["dossier"], seal=sealer)).changed == 0
    assert sealer.asked == []
    assert await _rows(database) == before


async def test_a_dossier_named_twice_has_one_key(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever line counts, its sealed number and the stored key belong together."""
    monkeypatch.setattr(running_module, "_CHUNK", 1)
    await _import(database, LINES["dossier"], LINES["dossier"] | {"protected": True}, seal=_Sealer())
    (key,) = await database.read("SELECT wrapped FROM dossier_key")
    (sealed,) = await database.read("SELECT ins_sealed FROM dossier")
    assert sealed[0].endswith(key[0])


async def test_a_number_missing_so_far_is_sealed_later(database: Database) -> None:
    """A dossier imported without its number gets it from an import that can seal."""
    await _import(database, LINES["dossier"])
    assert (await _import(database, LINES["dossier"], seal=_Sealer())).changed == 1
    (sealed,) = await database.read("SELECT ins_sealed FROM dossier")
    assert sealed[0] == INS.encode()[::-1] + b"key 1"


async def test_an_import_and_the_service_work_side_by_side(database: Database) -> None:
    """What reads while a file is imported sees all of it or nothing."""
    seen: set[int] = set()

    def lines() -> Iterator[bytes]:
        for number in range(50):
            fact = LINES["document"] | {"id": str(UUID(int=number + 1))}
            yield json.dumps(fact).encode()

    await _import(database, *EVERYTHING[:5])

    async def watch() -> None:
        seen.add(len(documents_in((await _sheet(database)).documents)))

    async def run() -> None:
        await import_facts(database, lambda ins: ins.pseudonym(SECRET), lines())

    importing = asyncio.create_task(run())
    while not importing.done():
        await watch()
        await asyncio.sleep(0)
    await importing
    await watch()
    assert seen <= {0, 50}
    async with database.begin() as connection:
        await add_document(connection, ALICE, Document(UUID(int=99), "11488-4", STORED.author, AT))
