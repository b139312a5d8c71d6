"""A bundle has one spelling, and nothing in it that would not be read."""

import json
from typing import Any

import pytest

from policy.bundles.form import FORMAT, MAX_SIZE, parse
from policy.errors import BundleError
from tests.policy.bundles.reviewers import canonical, rewritten, signed, unsigned


def refusal(data: bytes) -> str:
    """The word by which it is refused; its sentence repeats nothing that was read."""
    with pytest.raises(BundleError) as refused:
        parse(data)
    assert "hush" not in str(refused.value)
    return refused.value.reason


def test_what_is_encoded_is_parsed() -> None:
    """Signed or not."""
    assert parse(unsigned().encode()) == unsigned()
    assert parse(signed().encode()) == signed()


def test_a_bundle_is_plain_canonical_json() -> None:
    """Anyone's JSON library makes the same bytes, and those that are signed."""
    data = signed().encode()
    told = json.loads(data)
    assert canonical(told) == data
    del told["signatures"]
    assert signed().signed_bytes() == FORMAT.encode() + b"\n" + canonical(told)


def test_signatures_are_not_signed() -> None:
    """So a second reviewer signs what the first one did."""
    assert signed().signed_bytes() == unsigned().signed_bytes()


@pytest.mark.parametrize("kept", [0, 1, 1000, -1])
def test_a_truncated_bundle_is_refused(kept: int) -> None:
    """Wherever it ends."""
    assert refusal(signed().encode()[:kept]) == "malformed"


@pytest.mark.parametrize("more, reason", [(b"{}", "malformed"), (b"\n", "not-canonical"), (b" ", "not-canonical")])
def test_bytes_behind_a_bundle_are_refused(more: bytes, reason: str) -> None:
    """A final line end included."""
    assert refusal(signed().encode() + more) == reason


@pytest.mark.parametrize(
    "members, reason",
    [
        ({"hush": 1}, "malformed"),
        ({"author": None}, "malformed"),
        ({"files": None}, "malformed"),
        ({"signatures": None}, "not-canonical"),
        ({"format": None}, "not-canonical"),
        ({"format": "dmp-authz/policy-bundle@v0"}, "format"),
        ({"format": "dmp-authz/policy-bundle@v2"}, "format"),
        ({"format": "hush"}, "format"),
        ({"version": 0}, "malformed"),
        ({"version": -2}, "malformed"),
        ({"version": 2**53}, "malformed"),
        ({"version": 10**30}, "malformed"),
        ({"version": 2.0}, "malformed"),
        ({"version": "2"}, "malformed"),
        ({"version": True}, "malformed"),
        ({"created": "2026-02-30"}, "malformed"),
        ({"created": "20261126"}, "malformed"),
        ({"created": "2026-11-26T00:00:00Z"}, "malformed"),
        ({"revision": "hush"}, "malformed"),
        ({"revision": "A" * 64}, "malformed"),
        ({"author": ""}, "malformed"),
        ({"author": "Hush"}, "malformed"),
        ({"author": "hush "}, "malformed"),
        ({"author": "hush\n"}, "malformed"),
        ({"author": "hush..hush"}, "malformed"),
        ({"author": "h" * 65}, "malformed"),
        ({"author": "аnne"}, "malformed"),  # noqa: RUF001 - the first letter is Cyrillic
        ({"signatures": [{"key": "k", "reviewer": "Hush", "signature": "s"}]}, "malformed"),
        ({"signatures": [{"key": "k", "reviewer": "hush"}]}, "malformed"),
        ({"signatures": [{"key": "k", "reviewer": "hush", "signature": "s", "more": 1}]}, "malformed"),
        ({"signatures": [{"key": "k", "reviewer": f"r{n}", "signature": "s"} for n in range(33)]}, "malformed"),
        ({"files": {"model.conf": "", "reasons.csv": ""}}, "files"),
    ],
)
def test_a_member_that_is_not_what_it_must_be_is_refused(members: dict[str, Any], reason: str) -> None:
    """Missing, unknown, of another kind, out of bounds."""
    assert refusal(rewritten(signed(), **members)) == reason


@pytest.mark.parametrize(
    "name",
    [
        "hush.csv",
        "README.md",
        "engine.py",
        "rules/hush.txt",
        "rules/hush",
        "rules/.hush.csv",
        "rules/hush/hush.csv",
        "rules/../hush.csv",
        "../rules/hush.csv",
        "/rules/hush.csv",
        "rules//hush.csv",
        "rules\\hush.csv",
        "Rules/hush.csv",
        "rules/hush.csv\n",
        "rules/hüsh.csv",
        "other/hush.csv",
        "",
    ],
)
def test_a_file_that_no_policy_folder_has_is_refused(name: str) -> None:
    """Above all one that leads out of the folder."""
    files = {**unsigned().files, name: "text"}
    assert refusal(rewritten(signed(), files=files)) == "files"


@pytest.mark.parametrize("name", ["rules/99-more.csv", "laws/10-laws.csv", "cases/personas.csv", "sources.csv"])
def test_a_file_that_a_policy_folder_may_have_is_taken(name: str) -> None:
    """Laws, cases and sources travel with the rules."""
    assert parse(rewritten(signed(), files={**unsigned().files, name: "text"})).files[name] == "text"


def spaced(data: bytes) -> bytes:
    return json.dumps(json.loads(data), ensure_ascii=False, sort_keys=True).encode()


def unsorted(data: bytes) -> bytes:
    told = json.loads(data)
    return json.dumps(dict(reversed(told.items())), ensure_ascii=False, separators=(",", ":")).encode()


def escaped(data: bytes) -> bytes:
    return json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode()


def twice(data: bytes) -> bytes:
    return data.replace(b'"version":2}', b'"version":1,"version":2}')


def file_twice(data: bytes) -> bytes:
    return data.replace(b'"files":{', b'"files":{"model.conf":"hush",')


@pytest.mark.parametrize("spell", [spaced, unsorted, escaped, twice, file_twice])
def test_another_spelling_of_the_same_bundle_is_refused(spell: Any) -> None:
    """Else readers could differ on what was signed."""
    data = spell(signed().encode())
    assert data != signed().encode()
    assert refusal(data) == "not-canonical"


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"files":' * 100_000, b"null", b"\xff\xfe", b'{"author":"\xff"}'])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    """However deep it nests."""
    assert refusal(data) == "malformed"


def test_a_bundle_that_is_too_large_is_refused_unread() -> None:
    """By its size alone."""
    assert refusal(bytes(MAX_SIZE + 1)) == "too-large"
    assert refusal(bytes(MAX_SIZE)) == "malformed"
