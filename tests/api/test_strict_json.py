"""One meaning for every body, or none."""

import json
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from api.errors import MalformedRequestError
from api.strict_json import MAX_DEPTH, convert, decode, is_json, parse_object

_TOO_DEEP = f"The body nests more than {MAX_DEPTH} deep, or its brackets do not match."
_INVALID = "The body is not valid JSON in UTF-8."
_TWICE = "An object of the body has the same member twice."
_NUL = "A string of the body contains NUL."
_NUMBER = "A number of the body is beyond what a double holds."
_NO_OBJECT = "The body must be a JSON object."

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Inner(Struct, forbid_unknown_fields=True):
    name: str
    size: Annotated[int, Meta(ge=0)] = 0
    identity: UUID | None = None
    tags: dict[str, int] = {}


class Outer(Struct):
    inner: Inner
    many: list[Inner] = []


@pytest.mark.parametrize(
    "header",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"application/json;charset=UTF-8",
        b'Application/JSON ; Charset="utf-8"',
        b"application/json; profile=x",
    ],
)
def test_json_in_utf_8_is_json(header: bytes) -> None:
    """The media type counts, in any case and with any parameter but another charset (RFC 9110, 8.3.1)."""
    assert is_json(header)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"text/plain",
        b"application/json; charset=latin-1",
        b"application/json5",
        b"application/problem+json",
        b"application/json, text/plain",
        b"multipart/form-data; boundary=application/json",
    ],
)
def test_anything_else_is_not(header: bytes) -> None:
    """Another media type, or JSON in another charset, is not read."""
    assert not is_json(header)


@pytest.mark.parametrize(
    "body, sentence",
    [
        (b"", "The body is empty; a JSON object is expected."),
        (b" ", _INVALID),
        (b"{", _INVALID),
        (b"{} {}", _INVALID),
        (b'{"a":1,}', _INVALID),
        (b"{'a':1}", _INVALID),
        (b'{"a":1 /* c */}', _INVALID),
        (b'{"a":01}', _INVALID),
        (b'\xef\xbb\xbf{"a":1}', _INVALID),
        (b'{"a":"\xff"}', _INVALID),
        (b'{"a":"\xed\xa0\x80"}', _INVALID),
        (b'{"a":"\xc0\xaf"}', _INVALID),
        ('{"a":1}'.encode("utf-16"), _INVALID),
        (b'{"a":"\\ud800"}', _INVALID),
        (b'{"\\udfff":1}', _INVALID),
        (b'{"a":["\\ud800"]}', _INVALID),
        (b'{"a":"\n"}', _INVALID),
        (b'{"a":"\x00"}', _INVALID),
        (b'{"a":"\\u0000"}', _NUL),
        (b'{"\\u0000":1}', _NUL),
        (b'{"a":[{"b":"x\\u0000y"}]}', _NUL),
        (b'{"a":1,"a":1}', _TWICE),
        (b'{"a":1,"\\u0061":2}', _TWICE),
        (b'{"x":[{"a":1,"b":2,"a":3}]}', _TWICE),
        (b'{"a":NaN}', _NUMBER),
        (b'{"a":Infinity}', _NUMBER),
        (b'{"a":-Infinity}', _NUMBER),
        (b'{"a":1e400}', _NUMBER),
        (b'{"a":-1e400}', _NUMBER),
        (b'{"a":1' + b"0" * 309 + b"}", _NUMBER),
        (b'{"a":' + b"9" * 5000 + b"}", _NUMBER),
        (b"[]", _NO_OBJECT),
        (b'"a"', _NO_OBJECT),
        (b"null", _NO_OBJECT),
        (b"1", _NO_OBJECT),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes, sentence: str) -> None:
    """Each ambiguity, and each thing that is no JSON, is refused with its sentence (RFC 7493, RFC 8259)."""
    with pytest.raises(MalformedRequestError) as refused:
        parse_object(body)
    assert refused.value.sentence == sentence


@pytest.mark.parametrize(
    "body, value",
    [
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (b' { "a" : [ 1 , 2.5 , -0 , 1e3 ] } ', {"a": [1, 2.5, 0, 1000.0]}),
        (b'{"a":{"a":{"a":null}},"b":[{"a":1},{"a":2}]}', {"a": {"a": {"a": None}}, "b": [{"a": 1}, {"a": 2}]}),
        ('{"é":"ç"}'.encode(), {"é": "ç"}),
        (b'{"a":12345678901234567890123}', {"a": 12345678901234567890123}),
    ],
)
def test_what_means_one_thing_is_read(body: bytes, value: dict[str, Any]) -> None:
    """White space, escapes, large integers and repeated names in different objects are ordinary JSON."""
    assert parse_object(body) == value


@pytest.mark.parametrize("opening, closing", [(b'{"a":', b"}"), (b"[", b"]")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    """As deep as allowed is read; one deeper, or a hundred thousand, is refused, closed or not."""
    inner = MAX_DEPTH - 1
    parse_object(b'{"a":' + opening * inner + b"1" + closing * inner + b"}")
    for depth in (inner + 1, 100_000):
        for body in (b'{"a":' + opening * depth + b"1" + closing * depth + b"}", b'{"a":' + opening * depth):
            with pytest.raises(MalformedRequestError) as refused:
                parse_object(body)
            assert refused.value.sentence == _TOO_DEEP


def test_width_is_not_depth() -> None:
    """Many brackets beside each other, or inside strings, are no depth."""
    value = {"a": [{"b": []}] * 1000, "c": '[{"\\' * 1000}
    assert parse_object(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text(), _VALUES, max_size=4))
def test_every_spelling_of_a_value_reads_the_same(value: dict[str, Any]) -> None:
    """Compact, spaced and escaped spellings of any value give that value, or are all refused for a NUL."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    spellings = [compact, json.dumps(value, ensure_ascii=False, indent=1), json.dumps(value)]
    outcomes = [_outcome(spelling.encode()) for spelling in spellings]
    expected = _NUL if _has_nul(value) else value
    assert outcomes == [expected] * 3


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Any bytes are an object or refused; nothing else comes out."""
    assert isinstance(_outcome(body), dict | str)


@pytest.mark.parametrize(
    "body, sentence",
    [
        (b"{}", "The member inner is missing."),
        (b'{"inner":{}}', "The member inner.name is missing."),
        (b'{"inner":1}', "The member inner must be an object."),
        (b'{"inner":{"name":1}}', "The member inner.name must be a string."),
        (b'{"inner":{"name":"a","size":-1}}', "The member inner.size has a value that is not allowed."),
        (b'{"inner":{"name":"a","size":"1"}}', "The member inner.size must be an integer."),
        (b'{"inner":{"name":"a","identity":1}}', "The member inner.identity must be a UUID or null."),
        (b'{"inner":{"name":"a","identity":"x"}}', "The member inner.identity has a value that is not allowed."),
        (b'{"inner":{"name":"a","tags":{"secret":"x"}}}', "The member inner.tags[…] must be an integer."),
        (b'{"inner":{"name":"a","secret":1}}', "The member inner has a member that this service does not know."),
        (b'{"inner":{"name":"a"},"many":[{"name":"b"},{}]}', "The member many[1].name is missing."),
        (b'{"inner":{"name":"a"},"many":{}}', "The member many must be an array."),
    ],
)
def test_a_wrong_member_is_named(body: bytes, sentence: str) -> None:
    """The sentence gives the path of the member and what it must be, and repeats nothing of the body."""
    with pytest.raises(MalformedRequestError) as refused:
        decode(body, Outer)
    assert refused.value.sentence == sentence


@pytest.mark.parametrize(
    "kind, value, sentence",
    [
        (Inner, {"secret": 1, "name": "a"}, "The body has a member that this service does not know."),
        (int, "a", "The body must be an integer."),
        (dict[int, int], {"secret": 1}, "The body has a value that is not allowed."),
    ],
)
def test_a_wrong_body_is_the_body(kind: Any, value: object, sentence: str) -> None:
    """What is wrong with the whole is said of the body."""
    with pytest.raises(MalformedRequestError) as refused:
        convert(value, kind)
    assert refused.value.sentence == sentence


def _outcome(body: bytes) -> object:
    try:
        return parse_object(body)
    except MalformedRequestError as error:
        return error.sentence


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(_has_nul(item) for item in value)
        case dict():
            return any(_has_nul(part) for member in value.items() for part in member)
    return False
