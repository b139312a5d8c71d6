"""JSON as a security service may read it: one meaning for every body, or none.

Two readers of one body must never disagree about it (a proxy that checks, a service that decides). So the I-JSON
profile (RFC 7493), which AuthZEN recommends, is enforced: UTF-8 without byte-order mark, no member twice, no lone
surrogate, no number beyond a double. NUL is refused too, which PostgreSQL cannot store. Nesting is bounded before
anything recursive looks at the body.
"""

import json
import math
import re
import string
from typing import Any, NoReturn, TypeVar

import msgspec

from api.errors import MalformedRequestError

MAX_DEPTH = 64
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(character for character in range(256) if character not in b"{}[]")
_LARGEST_INTEGER = 10**308
_DIGITS_AS_ZERO = bytes(ord("0") if chr(character) in string.digits else ord(" ") for character in range(256))
_LONG_NUMBER = b"0" * 300
_PATH = re.compile(r" - at (?P<in_key>`key` in )?`\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]*)`")
_KINDS = {
    "object": "an object",
    "array": "an array",
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "uuid": "a UUID",
    "date": "a date",
    "datetime": "an instant",
    "null": "null",
}

Kind = TypeVar("Kind")

_plain = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type says JSON in UTF-8, which is the only JSON there is (RFC 8259, 8.1)."""
    media_type, *parameters = content_type.split(b";")
    if media_type.strip().lower() != b"application/json":
        return False
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip().lower() == b"charset" and value.strip().strip(b'"').lower() not in {b"utf-8", b"utf8"}:
            return False
    return True


def parse_object(body: bytes) -> dict[str, Any]:
    """The one object that the body is. Raises MalformedRequestError."""
    value = _parse(body)
    if not isinstance(value, dict):
        raise MalformedRequestError("The body must be a JSON object.")
    return value


def convert(value: object, kind: type[Kind]) -> Kind:
    """What was parsed, as the struct `kind`. Raises MalformedRequestError, whose sentence names the member."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise MalformedRequestError(_sentence(str(error))) from None


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """A body as the struct `kind`. Raises MalformedRequestError."""
    return convert(parse_object(body), kind)


def _parse(body: bytes) -> object:
    if not body:
        raise MalformedRequestError("The body is empty; a JSON object is expected.")
    if _is_too_deep(body):
        raise MalformedRequestError(f"The body nests more than {MAX_DEPTH} deep, or its brackets do not match.")
    try:
        return _read(body)
    except ValueError:
        raise MalformedRequestError("The body is not valid JSON in UTF-8.") from None


def _read(body: bytes) -> object:
    escapes = b"\\u" in body
    if (
        not escapes
        and _LONG_NUMBER not in body.translate(_DIGITS_AS_ZERO)
        and (value := _read_canonical(body)) is not None
    ):
        return value
    value = _exact.decode(body.decode("utf-8"))
    if escapes:
        _check_strings(value)
    return value


def _read_canonical(body: bytes) -> object | None:
    """The value of a body that the encoder would write byte for byte; None for any other.

    Such a body has no member twice, no white space, nothing ambiguous. Most programs send such bodies, and this is
    three times faster than the exact reader, which has the last word on all others.
    """
    try:
        value: object = _plain.decode(body)
    except (ValueError, msgspec.MsgspecError):
        return None
    return value if _encoder.encode(value) == body else None


def _is_too_deep(body: bytes) -> bool:
    """Whether the body nests too deep, or its brackets do not match; no parser has looked at it yet.

    The number of openings bounds the depth. Only when there are many, the innermost pairs are taken away, level by
    level, and nothing must remain.
    """
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    outside = _STRINGS.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])
    brackets = outside.translate(_AS_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return brackets != b""


def _check_strings(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise MalformedRequestError("A string of the body contains NUL.")
        value.encode()
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_strings(name)
            _check_strings(member)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise MalformedRequestError("An object of the body has the same member twice.")
    return value


def _integer(digits: str) -> int:
    if len(digits) <= len(str(_LARGEST_INTEGER)) and abs(value := int(digits)) <= _LARGEST_INTEGER:
        return value
    return _not_a_number(digits)


def _float(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _not_a_number(digits)


def _not_a_number(_digits: str) -> NoReturn:
    raise MalformedRequestError("A number of the body is beyond what a double holds.")


_exact = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_not_a_number
)


def _sentence(message: str) -> str:
    """The library's message in our words: nothing of it is passed on but names of members that we declare."""
    place = _PATH.search(message)
    path = "" if place is None else place["path"].lstrip(".")
    if missing := _MISSING.match(message):
        return f"The member {_member(path, missing['name'])} is missing."
    subject = f"The member {_member(path)}" if path else "The body"
    if message.startswith("Object contains unknown field"):
        return f"{subject} has a member that this service does not know."
    expected = _EXPECTED.match(message)
    kinds = [] if expected is None else [_KINDS.get(kind.strip()) for kind in expected["kinds"].split("|")]
    known = [kind for kind in kinds if kind]
    if known and not (place and place["in_key"]) and len(known) == len(kinds) and ", got" in message:
        return f"{subject} must be {' or '.join(known)}."
    return f"{subject} has a value that is not allowed."


def _member(path: str, name: str = "") -> str:
    """`a.b[2].c` as a caller would write it. `[...]` is a member whose name the caller chose: it is not repeated."""
    return ".".join(part for part in (path.replace("[...]", "[…]"), name) if part)
