"""Identifiers: what is accepted as one, what is refused without repeating it, and the pseudonym."""

import hashlib
import hmac
import traceback
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identifiers import (
    Ins,
    InvalidIdentifierError,
    parse_organization,
    parse_pseudonym,
    parse_rpps,
    pseudonym_bytes,
    pseudonym_text,
    pseudonym_texts,
    pseudonyms_bytes,
)

SECRET = bytes(range(32))
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}  # digits that int() and UUID() would take

# The specimen of the carte Vitale, 2 69 05 49 588 157: 97 x 27737005032 = 2690489488104, hence the remainder
# 2690549588157 mod 97 = 17 and the key 97 - 17 = 80.
SPECIMEN = "269054958815780"
# 1 85 05 2A 006 084, counted as 1850519006084 = 97 x 19077515526 + 62: key 97 - 62 = 35.
AJACCIO = "185052A00608435"
# 1 85 05 2B 006 084, counted as 1850518006084 = 97 x 19077505217 + 35: key 97 - 35 = 62.
BASTIA = "185052B00608462"
# The same digits in departments 19 (Corrèze) and 18 (Cher), hence the same keys.
TULLE, BOURGES = "185051900608435", "185051800608462"


@st.composite
def matricules(draw: st.DrawFn) -> str:
    """An INS with a right key, Corsican ones included; the key by the definition, taken one digit at a time."""
    body = draw(st.from_regex(r"[0-9]{5}([0-9]{2}|2A|2B)[0-9]{6}", fullmatch=True))
    remainder = 0
    for digit in body.replace("2A", "19").replace("2B", "18"):
        remainder = (10 * remainder + int(digit)) % 97
    return f"{body}{97 - remainder:02}"


def luhn_key(body: str) -> str:
    """The digit that makes the sum a multiple of ten, from the definition: every second digit doubled, then summed."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += sum(int(figure) for figure in str(value))
    return str(-total % 10)


@pytest.mark.parametrize("text", [SPECIMEN, AJACCIO, BASTIA, TULLE, BOURGES, "255081416802538", "185057800608491"])
def test_an_ins_with_its_key_is_accepted(text: str) -> None:
    """13 characters and 97 minus their remainder by 97; 2A counts as 19, 2B as 18."""
    assert Ins.parse(text).value == text


@given(matricules())
def test_every_ins_with_its_key_is_accepted(text: str) -> None:
    """Whatever the 13 characters, the computed key is the accepted one."""
    assert Ins.parse(text).value == text


@given(matricules(), st.integers(0, 99))
def test_no_other_key_is_accepted(text: str, key: int) -> None:
    """Of the hundred keys exactly one is right; 00, 98 and 99 never are."""
    other = f"{text[:13]}{key:02}"
    if other == text:
        return
    with pytest.raises(InvalidIdentifierError, match="control key"):
        Ins.parse(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        SPECIMEN[:-1],
        SPECIMEN + "0",
        SPECIMEN + "\n",
        " " + SPECIMEN,
        SPECIMEN[:13],
        "2 69 05 49 588 157 80",
        AJACCIO.lower(),
        "185052C00608435",
        "18505A200608435",
        "2A5054958815780",
        "26905495881578A",
        SPECIMEN.translate(FULL_WIDTH),
    ],
)
def test_another_shape_is_no_ins(text: str) -> None:
    """15 ASCII digits with 2A or 2B in the department's place, nothing around them."""
    with pytest.raises(InvalidIdentifierError, match="15 digits"):
        Ins.parse(text)


def test_an_ins_is_never_shown() -> None:
    """Neither repr nor str nor formatting shows a character of it."""
    ins = Ins.parse(SPECIMEN)
    assert [repr(ins), str(ins), f"{ins}", f"{[ins]}"] == ["Ins()", "Ins()", "Ins()", "[Ins()]"]


def test_a_pseudonym_is_the_keyed_digest_of_the_characters_as_written() -> None:
    """HMAC-SHA-256 over the 13 characters without the key, first 16 bytes, as a UUID (RULES §5)."""
    digest = hmac.new(SECRET, b"185052A006084", hashlib.sha256).digest()
    assert Ins.parse(AJACCIO).pseudonym(SECRET) == UUID(bytes=digest[:16])


@pytest.mark.parametrize("corsican, continental", [(AJACCIO, TULLE), (BASTIA, BOURGES)])
def test_corsica_is_not_the_department_that_its_key_counts_as(corsican: str, continental: str) -> None:
    """2A and 19, 2B and 18 give the same key and name different people."""
    assert corsican[13:] == continental[13:]
    assert Ins.parse(corsican).pseudonym(SECRET) != Ins.parse(continental).pseudonym(SECRET)


@given(matricules(), matricules())
def test_pseudonyms_tell_people_apart(one: str, other: str) -> None:
    """The same person has one pseudonym, two persons have two."""
    same = Ins.parse(one).pseudonym(SECRET) == Ins.parse(other).pseudonym(SECRET)
    assert same == (one == other)


def test_another_secret_gives_another_pseudonym() -> None:
    """Two deployments cannot join their data."""
    ins = Ins.parse(SPECIMEN)
    assert ins.pseudonym(SECRET) != ins.pseudonym(SECRET[::-1])


@pytest.mark.parametrize("length", [0, 31])
def test_a_short_secret_is_refused(length: int) -> None:
    """A secret that could be tried out would give the INS back."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Ins.parse(SPECIMEN).pseudonym(bytes(length))


# 1000123456: from the right 6 5 4 3 2 1 0 0 0 1, every second doubled: 12 5 8 3 4 1 0 0 0 1; all figures: 25, key 5.
@pytest.mark.parametrize("text", ["10001234565", "00000000000"])
def test_an_rpps_with_its_key_is_accepted(text: str) -> None:
    """Eleven digits, the last the Luhn key of the others."""
    assert parse_rpps(text) == text


# 75000000: from the right 0 0 0 0 0 0 5 7, every second doubled: 0 0 0 0 0 0 10 7; all figures: 8, key 2.
# 73282932, a textbook SIREN: 2 3 9 2 8 2 3 7 from the right, every second doubled: 4 3 18 2 16 2 6 7; sum 40, key 0.
@pytest.mark.parametrize("text", ["750000002", "732829320"])
def test_an_organization_with_its_key_is_accepted(text: str) -> None:
    """Nine digits, the last the Luhn key of the others."""
    assert parse_organization(text) == text


@pytest.mark.parametrize("parse, length", [(parse_rpps, 11), (parse_organization, 9)])
@given(data=st.data())
def test_of_ten_keys_one_is_right(parse: Callable[[str], str], length: int, data: st.DataObject) -> None:
    """Whatever the digits, only the Luhn key is accepted after them."""
    body = data.draw(st.text("0123456789", min_size=length - 1, max_size=length - 1))
    accepted = []
    for key in "0123456789":
        try:
            accepted.append(parse(body + key))
        except InvalidIdentifierError as error:
            assert "control key" in str(error)  # noqa: PT017 - nine of ten raise, which a raises block cannot count
    assert accepted == [body + luhn_key(body)]


@pytest.mark.parametrize(
    "text", ["", "1000123456", "100012345650", "10001234565 ", "1000123456A", "10001234565".translate(FULL_WIDTH)]
)
def test_another_shape_is_no_rpps(text: str) -> None:
    """Eleven ASCII digits, nothing around them."""
    with pytest.raises(InvalidIdentifierError, match=r"^an RPPS has 11 digits$"):
        parse_rpps(text)


@pytest.mark.parametrize("text", ["", "75000000", "7500000020", "2A0000002", "75000000²"])
def test_another_shape_is_no_organization(text: str) -> None:
    """Nine ASCII digits, nothing around them."""
    with pytest.raises(InvalidIdentifierError, match=r"has 9 digits$"):
        parse_organization(text)


@given(st.uuids())
def test_a_pseudonym_is_read_as_it_is_written(value: UUID) -> None:
    """36 characters, capital letters allowed."""
    assert parse_pseudonym(str(value)) == value
    assert parse_pseudonym(str(value).upper()) == value
    assert (pseudonym_bytes(str(value)), pseudonym_text(value.bytes)) == (value.bytes, str(value))


NIL = UUID(int=0)
NEARLY = [
    "",
    "me",
    f"{NIL} "[1:],
    NIL.hex + "----",
    str(NIL).replace("-", "0") + "-",
    f"-{str(NIL)[:-1]}",
    str(NIL)[:-1] + "é",
    str(NIL)[:-1] + "-",
    str(NIL)[:-2] + "  ",
    str(NIL)[:-1] + "g",
    str(NIL) + str(NIL)[1:],
    str(NIL)[1:],
]


@given(st.lists(st.uuids().map(str) | st.sampled_from(NEARLY) | st.uuids().map(lambda value: str(value).upper())))
def test_many_pseudonyms_are_read_and_written_as_each(texts: list[str]) -> None:
    """Whether all of them are some, or one of them nearly."""
    values = [pseudonym_bytes(text) for text in texts]
    assert pseudonyms_bytes(texts) == values
    known = [value for value in values if value is not None]
    assert pseudonym_texts(known) == [pseudonym_text(value) for value in known]


@pytest.mark.parametrize("text", NEARLY)
def test_two_that_are_nearly_pseudonyms_are_none(text: str) -> None:
    """Also where one is as much too long as the other is too short."""
    assert pseudonyms_bytes([text, text]) == [None, None]
    assert pseudonyms_bytes([str(NIL) + "0", str(NIL)[1:]]) == [None, None]


@pytest.mark.parametrize("text", ["", "me", NIL.hex, f"{{{NIL}}}", NIL.urn, f"{NIL} ", str(NIL).translate(FULL_WIDTH)])
def test_other_spellings_are_no_pseudonym(text: str) -> None:
    """What UUID() would also read is not a name here: one person, one spelling of the URL."""
    with pytest.raises(InvalidIdentifierError, match="36 characters"):
        parse_pseudonym(text)


@pytest.mark.parametrize(
    "parse, text",
    [
        (Ins.parse, "269054958815781"),
        (Ins.parse, "26905495881578"),
        (parse_rpps, "10001234564"),
        (parse_rpps, "1000123456"),
        (parse_organization, "750000001"),
        (parse_organization, "75000000"),
        (parse_pseudonym, "269054958815780"),
        (parse_pseudonym, "269054958815780269054958815780"),
    ],
)
def test_an_error_never_repeats_the_value(parse: Callable[[str], object], text: str) -> None:
    """Neither the sentence nor the errors behind it carry what was given, for errors are logged."""
    with pytest.raises(InvalidIdentifierError) as caught:
        parse(text)
    told = "".join(traceback.format_exception_only(caught.value))
    assert text not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
