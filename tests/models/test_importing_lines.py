"""What a line of an import may be: INTERFACES, "Import"."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from models.errors import ImportRefusedError
from models.identifiers import Ins
from models.importing.lines import MAX_LINE, Reader

INS, OTHER_INS = "185057800608491", "160127511200161"
RPPS, FINESS = "10001234565", "750000002"
DOCUMENT = "7c0f2f5e-86a5-4e6f-9d83-3b7c2f1a9e10"
ALICE, BASILE = UUID(int=1), UUID(int=2)
PSEUDONYMS = {INS: ALICE, OTHER_INS: BASILE}

LINES: dict[str, dict[str, Any]] = {
    "professional": {
        "kind": "professional",
        "rpps": RPPS,
        "profession": "physician",
        "samu_regulator": False,
        "organizations": [FINESS],
        "ins": None,
    },
    "organization": {"kind": "organization", "id": FINESS, "type": "health_facility", "name": "CHU"},
    "staff": {"kind": "staff", "id": "sec-1", "organization": FINESS},
    "dossier": {
        "kind": "dossier",
        "ins": INS,
        "state": "open",
        "born": "1985-05-12",
        "protected": False,
        "care_team_consent": True,
        "refuses_break_glass": False,
        "refuses_centre_15": False,
        "masked_in_emergency": False,
    },
    "relation": {
        "kind": "relation",
        "dossier_ins": INS,
        "professional": RPPS,
        "relation": "care_team",
        "since": None,
        "until": "2027-01-01T00:00:00Z",
    },
    "block": {"kind": "relation", "dossier_ins": INS, "organization": FINESS, "relation": "blocked"},
    "representation": {
        "kind": "representation",
        "dossier_ins": INS,
        "person_ins": OTHER_INS,
        "as": "legal_representative",
        "until": None,
    },
    "document": {
        "kind": "document",
        "id": DOCUMENT,
        "dossier_ins": INS,
        "document_type": "11488-4",
        "author": {"type": "professional", "id": RPPS},
        "created_at": "2026-10-01T08:00:00Z",
        "masked": False,
        "withheld_until": None,
        "hidden_from_representatives": False,
        "status": "current",
    },
}
CREATED = datetime(2026, 10, 1, 8, tzinfo=UTC)


@pytest.fixture
def reader() -> Reader:
    """Knows two persons."""
    return Reader(lambda ins: PSEUDONYMS[ins.value])


def _rows(reader: Reader, fact: dict[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    return list(reader.rows(7, json.dumps(fact).encode()))


ROWS = {
    "professional": [("professional", (7, RPPS, "physician", False, None)), ("exercise", (7, RPPS, FINESS))],
    "organization": [("organization", (7, FINESS, "health_facility", "CHU"))],
    "staff": [("staff", (7, "sec-1", FINESS))],
    "dossier": [
        ("dossier", (7, ALICE, "open", date(1985, 5, 12), False, True, False, False, False, INS.encode())),
    ],
    "relation": [
        ("relation", (7, ALICE, "professional", RPPS, "care_team", None, datetime(2027, 1, 1, tzinfo=UTC))),
    ],
    "block": [("relation", (7, ALICE, "organization", FINESS, "blocked", None, None))],
    "representation": [("representation", (7, ALICE, BASILE, "legal_representative", None))],
    "document": [
        (
            "document",
            (7, ALICE, UUID(DOCUMENT), "11488-4", "professional", RPPS, CREATED, False, None, False, "current"),
        ),
    ],
}


@pytest.mark.parametrize("kind", LINES)
def test_the_lines_of_the_specification(reader: Reader, kind: str) -> None:
    """Each kind of fact as INTERFACES shows it becomes its rows, persons under their pseudonyms."""
    assert _rows(reader, LINES[kind]) == ROWS[kind]


@pytest.mark.parametrize(
    "author, stored",
    [
        ({"type": "organization", "id": FINESS}, ("organization", FINESS)),
        ({"type": "person", "ins": OTHER_INS}, ("person", str(BASILE))),
    ],
)
def test_authors(reader: Reader, author: dict[str, str], stored: tuple[str, str]) -> None:
    """An organization by its number, a person by the pseudonym of his INS."""
    ((_, row),) = _rows(reader, LINES["document"] | {"author": author})
    assert row[4:6] == stored


def test_a_professional_s_own_ins(reader: Reader) -> None:
    """It is kept as a pseudonym, and an organization named twice is one."""
    fact = LINES["professional"] | {"ins": OTHER_INS, "organizations": [FINESS, FINESS]}
    assert _rows(reader, fact) == [
        ("professional", (7, RPPS, "physician", False, BASILE)),
        ("exercise", (7, RPPS, FINESS)),
    ]


def test_what_may_be_left_out(reader: Reader) -> None:
    """Switches are then false, periods without bounds, and a document is current and visible."""
    assert _rows(reader, {"kind": "dossier", "ins": INS, "state": "none"})[0][1][2:-1] == (
        ("none", None) + (False,) * 5
    )
    short = {name: LINES["document"][name] for name in ("kind", "id", "dossier_ins", "document_type", "author")}
    assert _rows(reader, short | {"created_at": "2026-10-01T10:00:00+02:00"}) == ROWS["document"]
    assert _rows(reader, {"kind": "professional", "rpps": RPPS, "profession": "physician"}) == [
        ("professional", (7, RPPS, "physician", False, None))
    ]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("dossier", {"nickname": "x"}, "a member that this kind of fact does not have"),
    ("dossier", {"kind": "patient"}, "kind: not one of those that can be imported"),
    ("dossier", {"kind": 1}, "Expected `str` (kind)"),
    ("dossier", {"protected": 1}, "Expected `bool`, got `int` (protected)"),
    ("dossier", {"protected": "false"}, "Expected `bool`, got `str` (protected)"),
    ("dossier", {"born": "1985-13-12"}, "Invalid RFC3339 encoded date (born)"),
    ("dossier", {"born": "12/05/1985"}, "Invalid RFC3339 encoded date (born)"),
    ("dossier", {"state": INS}, "state: not one of its words"),
    ("dossier", {"ins": INS[:-1]}, "an INS is 15 digits, with 2A or 2B allowed as the department"),
    ("dossier", {"ins": INS[:-1] + "2"}, "the control key of this INS is wrong"),
    ("dossier", {"ins": int(INS)}, "Expected `str`, got `int` (ins)"),
    ("professional", {"rpps": "10001234560"}, "the control key of an RPPS is wrong"),
    ("professional", {"profession": "wizard"}, "profession: not one that the reference names"),
    ("professional", {"organizations": ["750000003"]}, "the control key of an organization's identifier"),
    ("professional", {"organizations": FINESS}, "Expected `array`, got `str` (organizations)"),
    ("organization", {"type": "hospital"}, "type: not one of its words"),
    ("organization", {"name": "a\u0000b"}, "name: empty, or with characters that do not print"),
    ("organization", {"name": " "}, "name: empty, or with characters that do not print"),
    ("staff", {"id": ""}, "id: empty, or with characters that do not print"),
    ("staff", {"id": "a\nb"}, "id: empty, or with characters that do not print"),
    ("relation", {"organization": FINESS}, "a relation has either a professional or an organization"),
    ("relation", {"professional": None}, "a relation has either a professional or an organization"),
    ("relation", {"until": "2027-01-01T00:00:00"}, "Expected `datetime` with a timezone component (until)"),
    ("relation", {"until": "2027-01-01"}, "Invalid RFC3339 encoded datetime (until)"),
    ("relation", {"until": 1798761600}, "Expected `datetime | null`, got `int` (until)"),
    ("relation", {"relation": "friend"}, "relation: not one of its words"),
    ("representation", {"as": "uncle"}, "as: not one of its words"),
    ("representation", {"person_ins": None}, "Expected `str`, got `null` (person_ins)"),
    ("document", {"id": "7c0f"}, "Invalid UUID (id)"),
    ("document", {"document_type": "11488"}, "document_type: not one that the reference names"),
    ("document", {"status": "draft"}, "status: not one of its words"),
    ("document", {"author": {"type": "staff", "id": "x"}}, "author.type: not one of its words"),
    ("document", {"author": {"type": "person", "id": INS}}, "author: a person is named by ins alone"),
    ("document", {"author": {"type": "person", "ins": INS, "id": "x"}}, "author: a person is named by ins alone"),
    ("document", {"author": {"type": "professional", "ins": INS}}, "author: a professional or an organization"),
    ("document", {"author": {"type": "professional", "id": INS}}, "an RPPS has 11 digits"),
    ("document", {"author": {"type": "professional", "id": RPPS, "name": "x"}}, "a member that this kind"),
    ("document", {"author": INS}, "Expected `object`, got `str` (author)"),
]


@pytest.mark.parametrize("kind, change, reason", REFUSED, ids=[reason for _, _, reason in REFUSED])
def test_refused_lines(reader: Reader, kind: str, change: dict[str, Any], reason: str) -> None:
    """The number of the line and the reason are told, with the name of the member."""
    with pytest.raises(ImportRefusedError) as caught:
        _rows(reader, LINES[kind] | change)
    assert caught.value.line == 7
    assert caught.value.reason.startswith(reason)
    assert str(caught.value) == f"line 7: {caught.value.reason}"


@pytest.mark.parametrize("kind", LINES)
def test_what_may_not_be_left_out(reader: Reader, kind: str) -> None:
    """Whatever identifies a fact, or says what it is, is named when it is missing."""
    required = {
        "professional": ["rpps", "profession"],
        "organization": ["id", "type", "name"],
        "staff": ["id", "organization"],
        "dossier": ["ins", "state"],
        "relation": ["dossier_ins", "relation"],
        "block": ["dossier_ins", "relation"],
        "representation": ["dossier_ins", "person_ins", "as"],
        "document": ["id", "dossier_ins", "document_type", "author", "created_at"],
    }
    for member in required[kind]:
        with pytest.raises(ImportRefusedError) as caught:
            _rows(reader, {name: value for name, value in LINES[kind].items() if name != member})
        assert caught.value.reason == f"Object missing required field `{member}`"


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"null",
        b'"185057800608491"',
        b"185057800608491",
        b"{",
        b"{}",
        b'{"185057800608491": 1}',
        b'{"kind": "185057800608491"}',
        b'{"kind":"dossier","185057800608491":1}',
        b'{"kind":"dossier","ins":"185057800608491","state":"open"} 185057800608491',
        b'\xef\xbb\xbf{"kind":"staff","id":"185057800608491","organization":"750000002"}',
        b'{"kind":"staff","id":"\xff185057800608491","organization":"750000002"}',
        b'{"kind":"staff","id":"\\ud800185057800608491","organization":"750000002"}',
        b'{"kind":"staff","id":"' + b"185057800608491" * MAX_LINE + b'","organization":"750000002"}',
    ],
)
def test_no_reason_repeats_a_number(reader: Reader, line: bytes) -> None:
    """Whatever stands in a file, and wherever, a refusal repeats nothing of it: it may be somebody's INS."""
    with pytest.raises(ImportRefusedError) as caught:
        list(reader.rows(1, line))
    assert "1850578" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_member_s_refusal_repeats_its_value(reader: Reader) -> None:
    """The same, for a number put in the place of each member's value."""
    for fact in LINES.values():
        for member in fact:
            for wrong in (OTHER_INS + "0", [OTHER_INS], {OTHER_INS: OTHER_INS}, int(OTHER_INS)):
                try:
                    _rows(reader, fact | {member: wrong})
                except ImportRefusedError as error:
                    assert OTHER_INS[:-2] not in str(error)  # noqa: PT017  # what else it may raise passes


def test_pseudonyms_are_asked_for_valid_numbers_only() -> None:
    """What is not an INS never reaches the secret, and Corsican numbers arrive as written."""
    asked: list[Ins] = []

    def pseudonym_of(ins: Ins) -> UUID:
        asked.append(ins)
        return ALICE

    reader = Reader(pseudonym_of)
    with pytest.raises(ImportRefusedError):
        _rows(reader, {"kind": "dossier", "ins": "999999999999999", "state": "open"})
    assert asked == []
    corsican = "285052A00608470"
    digits = int(corsican[:5] + "19" + corsican[7:13])
    corsican = corsican[:13] + f"{97 - digits % 97:02}"
    _rows(reader, {"kind": "dossier", "ins": corsican, "state": "open"})
    assert asked == [Ins(corsican)]


def test_instants_at_the_ends_of_time(reader: Reader) -> None:
    """The last instant of all stands for no infinity."""
    ((_, row),) = _rows(reader, LINES["relation"] | {"until": "9999-12-31T23:59:59.999999Z"})
    assert row[-1] == datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC)
