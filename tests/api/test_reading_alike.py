"""Batches that ask the same of many resources: whatever is read by its ids is what the strict reader reads."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.alike import read_alike
from api.batches import items_of, stop_after
from api.errors import MalformedRequestError
from api.judge import OfEach
from api.schemas.authzen import EvaluationRequest, EvaluationsRequest
from api.strict_json import decode
from tests.api.judges import ConformanceJudge
from tests.api.service import caller, service

Json = dict[str, Any]

SUBJECT, ACTION = {"type": "professional", "id": "10001234565"}, {"name": "document:read"}
IDS = [str(UUID(int=0xABCDEF << 100 | number)) for number in range(1, 9)]
QUESTION = {"subject": SUBJECT, "action": ACTION, "context": {"authentication": "cps"}}


def resource(identity: str) -> Json:
    return {"resource": {"type": "document", "id": identity}}


def batch(**more: Any) -> Json:
    return QUESTION | {"evaluations": [resource(each) for each in IDS]} | more


def read(body: bytes) -> list[Any] | None:
    """What the strict reader makes of a body, and the batches of that."""
    try:
        read = decode(body, EvaluationsRequest)
        return [stop_after(read), *items_of(read)] if read.evaluations else None
    except MalformedRequestError:
        return None


def is_read_alike(body: bytes) -> bool:
    """Whether it is; then it is read as the strict reader reads it."""
    alike = read_alike(body)
    if alike is not None:
        assert [stop_after(alike.batch), *alike.questions] == read(body)
        assert alike.questions.values == [UUID(each).bytes for each in alike.questions.ids]
    return alike is not None


SPELLINGS: list[Json] = [
    {},
    {"separators": (",", ":")},
    {"indent": 2},
    {"sort_keys": True},
    {"indent": 1, "sort_keys": True, "ensure_ascii": False},
]
LIKE: list[Json] = [
    batch(),
    batch(options={"evaluations_semantic": "deny_on_first_deny"}),
    batch(context={"reason": "douleur à l’épaule", "evaluations": [1]}),
    batch(subject={"type": "person", "id": IDS[0]}),
    batch(evaluations=[resource(each.upper()) for each in IDS]),
    batch(evaluations=[resource(IDS[0])] * 4),
    batch(evaluations=[QUESTION | resource(each) for each in IDS]),
    batch(evaluations=[{**resource(each), "action": ACTION} for each in IDS]),
    batch(evaluations=[{"resource": {"id": each, "type": "dossier", "properties": {"x": 1}}} for each in IDS]),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
@pytest.mark.parametrize("body", LIKE)
def test_what_differs_in_ids_alone_is_read_by_them(body: Json, spelling: Json) -> None:
    """In whatever order members come, however they are spaced, and whatever else the batch says."""
    assert is_read_alike(json.dumps(body, **spelling).encode())


UNLIKE: list[Json] = [
    batch(evaluations=[]),
    batch(evaluations=[resource(each) for each in IDS[:3]]),
    batch(evaluations=[*(resource(each) for each in IDS), {}]),
    batch(evaluations=[*(resource(each) for each in IDS), resource("nothing"), resource(IDS[0])]),
    batch(evaluations=[*(resource(each) for each in IDS), resource(IDS[0][1:] + "x")]),
    batch(evaluations=[resource(each.replace("-", "0")) for each in IDS]),
    batch(evaluations=[*(resource(each) for each in IDS), 1]),
    batch(evaluations=[*(resource(each) for each in IDS), resource('quo"ted')]),
    batch(evaluations=[*(resource(each) for each in IDS), {"resource": {"type": "dossier", "id": IDS[0]}}]),
    batch(evaluations=[resource(each) for each in IDS] * 126),
    batch(evaluations=[{**resource(each), "context": {"n": n}} for n, each in enumerate(IDS)]),
    batch(evaluations=[{"subject": {"type": "person", "id": each}} | resource(each) for each in IDS]),
    batch(evaluations=[{"subject": {"type": "person", "id": each}} for each in IDS], resource={"type": "d", "id": "1"}),
    batch(evaluations=[{"resource": {"type": "d", "id": "1", "properties": {"dossier": each}}} for each in IDS]),
    batch(evaluations=[{"x": each} for each in IDS], resource={"type": "document", "id": IDS[0]}),
    batch(context={"ids": IDS}, evaluations=[{}], resource={"type": "document", "id": IDS[0]}),
    batch(context={"reason": "~"}),
    batch(context={"evaluations": IDS[0]}),
    batch(context={"reason": "x" * 20_000}),
    batch(action=None),
    batch(options={"evaluations_semantic": "x"}),
]


@pytest.mark.parametrize("body", UNLIKE)
def test_whatever_else_there_is_is_left_to_the_strict_reader(body: Json) -> None:
    """Items of another form, too few or too many of them, and members that are wrong."""
    assert not is_read_alike(json.dumps(body).encode())


ITEM = b',{"resource":{"type":"document","id":"%b"}}'
PLAIN = json.dumps(batch(), separators=(",", ":")).encode()
TWICE_BETWEEN = PLAIN.replace(b'"}},{"resource":{"type"', b'","type":"x"}},{"resource":{"type"')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff" + PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN[:-1],
        PLAIN + b"}",
        PLAIN[:-2] + b',{"evaluations":[]}',
        PLAIN[:-1] + b',"evaluations":[]}',
        PLAIN.replace(b'"name"', b'"name":"x","name"'),
        PLAIN.replace(b'"evaluations":[', b'"evaluations":[['),
        PLAIN.replace(b'{"resource"', b'{"resource":{},"resource"'),
        TWICE_BETWEEN,
        PLAIN[:-2] + ITEM % b"\x00" + PLAIN[-2:],
        PLAIN[:-2] + ITEM % b"\\ud800" + PLAIN[-2:],
        PLAIN[:-2] + ITEM % b"\xc3\xa9" + PLAIN[-2:],
        PLAIN.replace(b"[", b"[1,", 1),
    ],
)
def test_what_is_wrong_is_not_read(body: bytes) -> None:
    """Each of these has another meaning to another reader, or none: the strict reader says which."""
    assert not is_read_alike(body)


WORDS = b"""" } { ] [ , : \\ ~0 {} }},{ "type":"document" "id":"x", "evaluations":[ "resource": \xc3""".split()
pieces = st.sampled_from([*WORDS, b" ", b'"context":{"dry_run":true},', IDS[0].encode(), b'"%b"' % IDS[1].encode()])
edits = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 3), pieces | st.just(b"")), min_size=1, max_size=3)


@settings(max_examples=300)
@example(PLAIN, [(len(PLAIN) - 2, 0, b'"id":"x",')])
@given(st.sampled_from([json.dumps(body, **spelling).encode() for body in LIKE for spelling in SPELLINGS]), edits)
def test_no_reader_finds_another_meaning(body: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """Whatever is done to a body: it is read as the strict reader reads it, or not at all."""
    for place, gone, piece in changes:
        body = body[:place] + piece + body[place + gone :]
    is_read_alike(body)


@settings(max_examples=200)
@given(st.sampled_from([json.dumps(body).encode() for body in LIKE]), st.binary(max_size=6), pieces, st.data())
def test_what_stands_between_ids_is_read_wherever_it_stands(
    body: bytes, gone: bytes, piece: bytes, data: st.DataObject
) -> None:
    """The same is done to every item: they stay alike, whether or not they make sense."""
    item = b'"}}, {"resource": {"type": "document", "id": "'
    place = data.draw(st.integers(0, len(item)))
    is_read_alike(body.replace(item, item[:place] + piece + item[place + len(gone) :]))


async def test_a_judge_is_asked_each_of_the_questions() -> None:
    """One that knows nothing of resources that are alike answers each, in order, and ends where it is told to."""
    judge = ConformanceJudge()
    alice = {"type": "user", "id": "alice"}
    asked = batch(subject=alice, action={"name": "read"}, options={"evaluations_semantic": "deny_on_first_deny"})
    async with caller(service(judge)) as http:
        answer = await http.post("/access/v1/evaluations", json=asked)
        assert (answer.status_code, answer.json()) == (200, {"evaluations": [{"decision": False}]})
        answer = await http.post("/access/v1/evaluations", json=asked | {"options": {}})
    assert answer.json() == {"evaluations": [{"decision": False}] * 8}
    assert [each.resource.id for each in judge.asked] == [IDS[0], *IDS]


def test_some_of_the_questions_are_questions_of_each() -> None:
    """They are a sequence like any other."""
    alike = read_alike(PLAIN)
    assert alike is not None
    some = alike.questions[2:4]
    assert isinstance(some, OfEach)
    assert [each.resource.id for each in some] == IDS[2:4]
    assert isinstance(some[-1], EvaluationRequest)
