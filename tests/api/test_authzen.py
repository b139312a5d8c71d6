"""OpenID AuthZEN Authorization API 1.0, where the conformance suite does not look."""

import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest

from api.errors import ForbiddenError, UnavailableError
from api.identity import Caller, Client
from api.judge import ActionPage, EntityPage, PageRequest
from api.schemas.authzen import ActionAsked, ActionSearch, Answer, Entity, EvaluationRequest, ResourceSearch
from models.vocabulary import Scope, SubjectType
from tests.api.judges import ConformanceJudge, SmallJudge, load
from tests.api.service import JSON, bearer, caller, service

ALICE = {"type": "user", "id": "alice"}
BOB = {"type": "user", "id": "bob"}
READ = {"name": "read"}
WRITE = {"name": "write"}
RECORD_1 = {"type": "record", "id": "record-1"}
RECORD_2 = {"type": "record", "id": "record-2"}
QUESTION = {"subject": ALICE, "action": READ, "resource": RECORD_1}
SUBJECT_SEARCH = {"subject": {"type": "user"}, "action": READ, "resource": RECORD_1}
RESOURCE_SEARCH = {"subject": ALICE, "action": READ, "resource": {"type": "record"}}
ACTION_SEARCH = {"subject": ALICE, "resource": RECORD_1}

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
ENDPOINTS = [
    (EVALUATION, QUESTION),
    (EVALUATIONS, {"evaluations": [QUESTION]}),
    ("/access/v1/search/subject", SUBJECT_SEARCH),
    ("/access/v1/search/resource", RESOURCE_SEARCH),
    ("/access/v1/search/action", ACTION_SEARCH),
]
PERMITTED, DENIED = {"decision": True}, {"decision": False}


def in_error(sentence: str) -> dict[str, Any]:
    return {"decision": False, "context": {"error": {"status": 400, "message": sentence}}}


class Explaining(SmallJudge):
    """Answers with a context."""

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        return False

    async def evaluate(
        self, caller: Caller, questions: Sequence[EvaluationRequest], *, stop_after: bool | None
    ) -> Sequence[Answer]:
        return [Answer(decision=False, context={"rule": "masked"}) for _ in questions]


class Failing(SmallJudge):
    """Fails whenever it is asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        raise self.error


async def ask(path: str, body: object, judge: SmallJudge | None = None, client: Client | None = None) -> Any:
    app = service(judge or ConformanceJudge(), client) if client else service(judge or ConformanceJudge())
    async with caller(app) as http:
        return await http.post(path, json=body)


# Messages


async def test_requests_and_answers_follow_the_published_schemas() -> None:
    """Each evaluation that the suite has accepted is valid by the standard's schema, and so is our answer to it."""
    asks = jsonschema.Draft202012Validator(load("evaluation-request.schema.json"))
    tells = jsonschema.Draft202012Validator(load("evaluation-response.schema.json"))
    vectors = load("conformance_vectors.json")["tests"]
    for vector in vectors:
        if vector["path"] == EVALUATION and vector["accept_status"] == [200]:
            asks.validate(vector["json_body"])
            tells.validate((await ask(EVALUATION, vector["json_body"])).json())
    tells.validate((await ask(EVALUATION, QUESTION, Explaining())).json())


async def test_an_answer_has_no_member_but_the_decision() -> None:
    """Unasked, nothing is told but yes or no, and a no is an answer."""
    answer = await ask(EVALUATION, QUESTION | {"subject": BOB, "action": WRITE})
    assert (answer.status_code, answer.content) == (200, b'{"decision":false}')


async def test_the_judges_context_is_passed_on() -> None:
    """What the judge adds to a decision travels beside it."""
    answer = await ask(EVALUATION, QUESTION, Explaining())
    assert answer.json() == {"decision": False, "context": {"rule": "masked"}}


@pytest.mark.parametrize("path, body", [(EVALUATION, QUESTION), (EVALUATIONS, {"evaluations": [QUESTION]})])
async def test_the_judge_knows_who_asks(path: str, body: object) -> None:
    """The judge gets the client and the request's id, by which the journal names them."""
    judge = ConformanceJudge()
    async with caller(service(judge), bearer() | {"X-Request-ID": "r-1"}) as http:
        await http.post(path, json=body)
    assert [(asked.client.name, asked.request_id) for asked in judge.callers] == [("tests", "r-1")]


@pytest.mark.parametrize("member", ["context", "subject.properties", "action.properties", "resource.properties"])
async def test_a_null_is_an_absence(member: str) -> None:
    """Optional members may be null."""
    body = json.loads(json.dumps(QUESTION))
    *path, name = member.split(".")
    (body[path[0]] if path else body)[name] = None
    assert (await ask(EVALUATION, body)).json() == PERMITTED


@pytest.mark.parametrize(
    "body, sentence",
    [
        ({"action": READ, "resource": RECORD_1}, "The member subject is missing."),
        (QUESTION | {"subject": None}, "The member subject must be an object."),
        (QUESTION | {"resource": {"type": "record", "id": 1}}, "The member resource.id must be a string."),
        (QUESTION | {"context": []}, "The member context must be an object or null."),
        (
            QUESTION | {"action": {"name": "read", "properties": 1}},
            "The member action.properties must be an object or null.",
        ),
    ],
)
async def test_an_error_is_a_sentence(body: object, sentence: str) -> None:
    """AuthZEN's errors have a message string as their body (10.1.2)."""
    answer = await ask(EVALUATION, body)
    assert (answer.status_code, answer.text) == (400, sentence)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_missing_content_type_is_an_error() -> None:
    """A body that does not say what it is, or says it twice, is not read."""
    async with caller(service(ConformanceJudge())) as http:
        without = await http.post(EVALUATION, content=json.dumps(QUESTION))
        twice = await http.post(
            EVALUATION,
            content=json.dumps(QUESTION),
            headers=[("Content-Type", "application/json"), ("Content-Type", "text/plain")],
        )
    assert [without.status_code, twice.status_code] == [400, 400]
    assert without.text == "The header Content-Type must be application/json, in UTF-8."


async def test_a_large_body_is_refused() -> None:
    """More than one MiB is 413, however it comes."""
    body = json.dumps(QUESTION | {"context": {"a": "x" * 1024 * 1024}}).encode()

    async def parts() -> Any:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    async with caller(service(ConformanceJudge()), bearer() | JSON) as http:
        answers = [await http.post(EVALUATION, content=body), await http.post(EVALUATION, content=parts())]
    assert [answer.status_code for answer in answers] == [413, 413]


async def test_a_body_in_parts_is_one_body() -> None:
    """A body sent in chunks is put together."""
    body = json.dumps(QUESTION).encode()

    async def parts() -> Any:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    async with caller(service(ConformanceJudge()), bearer() | JSON) as http:
        assert (await http.post(EVALUATION, content=parts())).json() == PERMITTED


# Who may ask


@pytest.mark.parametrize("path, body", ENDPOINTS)
async def test_every_endpoint_needs_the_scope(path: str, body: object) -> None:
    """Without the scope `decide` nothing is answered, whatever other scopes there are, and nothing is read."""
    client = Client("tests", frozenset(Scope) - {Scope.DECIDE})
    for content in (body, []):
        answer = await ask(path, content, client=client)
        assert (answer.status_code, answer.text) == (403, "This client lacks the scope decide.")
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path, body", ENDPOINTS)
async def test_the_key_is_looked_at_before_the_body(path: str, body: object) -> None:
    """Without a key, a request that could not be read is 401, not 400."""
    async with caller(service(ConformanceJudge()), {}) as http:
        answers = [await http.post(path, json=body), await http.post(path, content=b"\xff")]
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize("path, body", ENDPOINTS)
async def test_a_client_speaks_for_its_kinds_of_subject_only(path: str, body: dict[str, Any]) -> None:
    """For any other kind of subject it is 403, single or in a batch, decided or searched."""
    client = Client("tests", frozenset({Scope.DECIDE}), frozenset({SubjectType.PERSON}))
    text = json.dumps(body).replace('"user"', '"professional"')
    judge = ConformanceJudge()
    answer = await ask(path, json.loads(text), judge, client)
    assert (answer.status_code, answer.text, judge.asked) == (403, "This client may not ask this.", [])
    assert (await ask(path, json.loads(text.replace("professional", "person")), client=client)).status_code == 200


async def test_an_unknown_kind_of_subject_is_judged() -> None:
    """A word that is no kind of subject is the rules' to refuse, not the protocol's."""
    client = Client("tests", frozenset({Scope.DECIDE}), frozenset({SubjectType.PERSON}))
    assert (await ask(EVALUATION, QUESTION, client=client)).json() == PERMITTED


@pytest.mark.parametrize("path, wrap", [(EVALUATION, False), (EVALUATIONS, True)])
async def test_explaining_needs_the_scope_policy(path: str, wrap: bool) -> None:
    """Who asks for the rules behind an answer needs `policy`; any other value than true does not ask."""
    without = Client("tests", frozenset({Scope.DECIDE}))
    for explain, client, status in ((True, without, 403), ("true", without, 200), (True, None, 200)):
        question = QUESTION | {"context": {"explain": explain}}
        answer = await ask(path, {"evaluations": [QUESTION, question]} if wrap else question, client=client)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "error, status, sentence",
    [
        (ForbiddenError(), 403, "This client may not ask this."),
        (UnavailableError(), 503, "The service cannot answer at the moment; the same request may succeed later."),
        (
            RuntimeError("alice"),
            500,
            "The service failed to answer; the failure is recorded under the request's X-Request-ID.",
        ),
    ],
)
async def test_a_judge_that_fails_is_told_in_a_fixed_sentence(error: Exception, status: int, sentence: str) -> None:
    """Nothing of the error's own text leaves."""
    answer = await ask(EVALUATION, QUESTION, Failing(error))
    assert (answer.status_code, answer.text) == (status, sentence)


# Batches


async def test_items_inherit_whole_members() -> None:
    """A member of an item replaces the default; no property is merged into it, no context either."""
    judge = ConformanceJudge()
    body = {
        "subject": ALICE | {"properties": {"role": "admin"}},
        "action": WRITE,
        "resource": RECORD_2 | {"properties": {"status": "active"}},
        "context": {"time": "now", "place": "here"},
        "evaluations": [{}, {"subject": ALICE}, {"resource": {"id": "record-2"}}, {"context": {"time": "later"}}],
    }
    await ask(EVALUATIONS, body, judge)
    assert [question.subject.properties for question in judge.asked] == [{"role": "admin"}, None] + 2 * [
        {"role": "admin"}
    ]
    assert [question.resource.properties for question in judge.asked] == [
        {"status": "active"},
        {"status": "active"},
        None,
        {"status": "active"},
    ]
    assert [question.resource.type for question in judge.asked] == ["record"] * 4
    assert judge.asked[3].context == {"time": "later"}


@pytest.mark.parametrize(
    "item, sentence",
    [
        ({"resource": RECORD_1, "subject": None}, "The member subject must be an object."),
        ({"resource": RECORD_1, "subject": {"id": "alice"}}, "The member subject.type is missing."),
        ({"resource": {"type": "record"}}, "The member resource.id is missing."),
        ({"resource": "record-1"}, "The member resource must be an object."),
        ({}, "The member resource is missing."),
        ("record-1", "The item must be an object."),
        (None, "The item must be an object."),
    ],
)
async def test_an_item_that_makes_no_question_is_denied_in_its_place(item: object, sentence: str) -> None:
    """It says why, as the standard shows (7.2.1), is not judged, and spoils no other."""
    judge = ConformanceJudge()
    body = {"subject": ALICE, "action": READ, "evaluations": [{"resource": RECORD_1}, item, {"resource": RECORD_2}]}
    answer = await ask(EVALUATIONS, body, judge)
    assert answer.json() == {"evaluations": [PERMITTED, in_error(sentence), PERMITTED]}
    assert [question.resource.id for question in judge.asked] == ["record-1", "record-2"]


@pytest.mark.parametrize(
    "semantic, actions, answers, asked",
    [
        ("execute_all", "rwxrw", [True, False, None, True, False], "rwrw"),
        ("deny_on_first_deny", "rrwrw", [True, True, False], "rrw"),
        ("deny_on_first_deny", "rxwr", [True, None], "r"),
        ("deny_on_first_deny", "xr", [None], ""),
        ("deny_on_first_deny", "rr", [True, True], "rr"),
        ("permit_on_first_permit", "wxwrw", [False, None, False, True], "wwr"),
        ("permit_on_first_permit", "wrx", [False, True], "wr"),
        ("permit_on_first_permit", "wwx", [False, False, None], "ww"),
        (None, "wr", [False, True], "wr"),
    ],
)
async def test_a_batch_ends_where_its_semantic_says(
    semantic: str | None, actions: str, answers: list[bool | None], asked: str
) -> None:
    """What comes after the end is neither answered nor asked of the judge; an item in error is a denial (7.1.2.1)."""
    judge = ConformanceJudge()
    names = {"r": {"action": READ}, "w": {"action": WRITE}, "x": {"action": {}}}
    body: dict[str, Any] = {"subject": BOB, "resource": RECORD_1, "evaluations": [names[letter] for letter in actions]}
    if semantic:
        body["options"] = {"evaluations_semantic": semantic, "another": 1}
    told = (await ask(EVALUATIONS, body, judge)).json()["evaluations"]
    expected = {True: PERMITTED, False: DENIED, None: in_error("The member action.name is missing.")}
    assert told == [expected[answer] for answer in answers]
    assert "".join(question.action.name[0] for question in judge.asked) == asked


@pytest.mark.parametrize(
    "part, sentence",
    [
        ({"evaluations": {}}, "The member evaluations must be an array or null."),
        ({"evaluations": [{}] * 1001}, "The member evaluations has more than 1000 items."),
        (
            {"options": {"evaluations_semantic": "x"}},
            "The member options.evaluations_semantic has a value that is not allowed.",
        ),
        ({"options": []}, "The member options must be an object or null."),
        ({"subject": "alice"}, "The member subject must be an object or null."),
        ({"evaluations": [], "resource": None}, "The member resource is missing."),
    ],
)
async def test_a_wrong_batch_is_refused_as_a_whole(part: dict[str, Any], sentence: str) -> None:
    """What is wrong with the batch itself is no item's error."""
    body = QUESTION | {"evaluations": [{}]} | part
    answer = await ask(EVALUATIONS, body)
    assert (answer.status_code, answer.text) == (400, sentence)


# Searches


async def test_a_page_follows_another() -> None:
    """The token leads on, with the limit or without it, until an empty one ends the search (8.2)."""
    path = "/access/v1/search/action"
    async with caller(service(ConformanceJudge())) as http:
        first = (await http.post(path, json=ACTION_SEARCH | {"page": {"limit": 1}})).json()
        token = first["page"]["next_token"]
        again = (await http.post(path, json=ACTION_SEARCH | {"page": {"limit": 1, "token": token}})).json()
        without = (await http.post(path, json=ACTION_SEARCH | {"page": {"token": token}})).json()
    assert list(first) == ["page", "results"]
    assert (first["results"], first["page"]["count"]) == ([READ], 1)
    assert again == without == {"page": {"next_token": "", "count": 1}, "results": [WRITE]}


async def test_a_whole_result_has_a_page_only_if_asked() -> None:
    """`page` is there when it was asked for, or when there is more."""
    assert (await ask("/access/v1/search/action", ACTION_SEARCH)).json() == {"results": [READ, WRITE]}
    asked = await ask("/access/v1/search/action", ACTION_SEARCH | {"page": {}})
    assert asked.json() == {"page": {"next_token": "", "count": 2}, "results": [READ, WRITE]}


@pytest.mark.parametrize(
    "search", [SUBJECT_SEARCH, SUBJECT_SEARCH | {"page": {"token": ""}}, SUBJECT_SEARCH | {"page": None}]
)
async def test_without_a_token_a_search_begins(search: object) -> None:
    """No page, no token and an empty token are the beginning."""
    assert (await ask("/access/v1/search/subject", search)).json()["results"] == [ALICE, BOB]


@pytest.mark.parametrize("path, search", ENDPOINTS[2:])
async def test_a_limit_of_nothing_gives_nothing(path: str, search: dict[str, Any]) -> None:
    """Zero is a limit (8.2.1): no result, and a token that leads to where the search stands."""
    async with caller(service(ConformanceJudge())) as http:
        answer = (await http.post(path, json=search | {"page": {"limit": 0}})).json()
        token = answer["page"]["next_token"]
        again = (await http.post(path, json=search | {"page": {"limit": 0, "token": token}})).json()
    assert answer == again == {"page": {"next_token": token, "count": 0}, "results": []}


async def test_a_limit_is_bounded() -> None:
    """The judge is never asked for more than a thousand results, nor for less than the caller's limit below that."""
    limits: list[int] = []

    class Counting(ConformanceJudge):
        async def search_actions(self, caller: Caller, search: ActionSearch, page: PageRequest) -> ActionPage:
            limits.append(page.limit)
            return ActionPage([])

    for page in ({}, {"limit": 7}, {"limit": 10**6}):
        await ask("/access/v1/search/action", ACTION_SEARCH | {"page": page}, Counting())
    assert limits == [100, 7, 1000]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": BOB},
        {"resource": RECORD_2},
        {"context": {"time": "now"}},
        {"page": {"limit": 2}},
        {"page": {"limit": 1, "properties": {"order": "name"}}},
    ],
)
async def test_a_token_belongs_to_its_search(change: dict[str, Any]) -> None:
    """Anything but the token changed between pages is an error (8.2)."""
    async with caller(service(ConformanceJudge())) as http:
        path, search = "/access/v1/search/action", ACTION_SEARCH | {"page": {"limit": 1}}
        token = (await http.post(path, json=search)).json()["page"]["next_token"]
        page = (search | change)["page"] | {"token": token}
        answer = await http.post(path, json=search | change | {"page": page})
    assert (answer.status_code, answer.text) == (400, "The member page.token belongs to another search.")


async def test_a_token_of_another_kind_of_search_is_refused() -> None:
    """A subject search is not continued as a resource search of the same members."""
    body = {"subject": ALICE, "action": READ, "resource": RECORD_1, "page": {"limit": 1}}
    async with caller(service(ConformanceJudge())) as http:
        token = (await http.post("/access/v1/search/subject", json=body)).json()["page"]["next_token"]
        answer = await http.post("/access/v1/search/resource", json=body | {"page": {"limit": 1, "token": token}})
    assert answer.status_code == 400


@pytest.mark.parametrize("token", ["x", "é", "====", "bnVsbA", "W10", "WyJhIiwxLCJhIiwxXQ", "a" * 2000])
async def test_a_token_that_was_never_given_is_refused(token: str) -> None:
    """Garbage, JSON that is no token and what is far too long get the same sentence."""
    answer = await ask("/access/v1/search/action", ACTION_SEARCH | {"page": {"token": token}})
    assert (answer.status_code, answer.text) == (400, "The member page.token is not one that this service gave.")


@pytest.mark.parametrize("limit", [-1, 1.5, "1", True])
async def test_a_limit_is_a_non_negative_integer(limit: object) -> None:
    """Anything else is refused."""
    answer = await ask("/access/v1/search/action", ACTION_SEARCH | {"page": {"limit": limit}})
    assert answer.status_code == 400


async def test_the_judge_says_where_a_search_goes_on() -> None:
    """The judge's own word comes back to it, whatever it is."""
    seen: list[str | None] = []

    class Wordy(ConformanceJudge):
        async def search_resources(self, caller: Caller, search: ResourceSearch, page: PageRequest) -> EntityPage:
            seen.append(page.after)
            return EntityPage([], "é|\n1")

    async with caller(service(Wordy())) as http:
        path = "/access/v1/search/resource"
        page: dict[str, str] = {}
        for _ in range(2):
            answer = (await http.post(path, json=RESOURCE_SEARCH | {"page": page})).json()
            page = {"token": answer["page"]["next_token"]}
    assert seen == [None, "é|\n1"]


# Discovery


async def test_the_configuration_is_open_and_absolute() -> None:
    """Every address is absolute, under the name by which the caller came (9)."""
    async with caller(service(ConformanceJudge()), {}) as http:
        answer = await http.get("/.well-known/authzen-configuration")
    assert answer.json() == {
        "policy_decision_point": "https://pdp.example",
        "access_evaluation_endpoint": "https://pdp.example/access/v1/evaluation",
        "access_evaluations_endpoint": "https://pdp.example/access/v1/evaluations",
        "search_subject_endpoint": "https://pdp.example/access/v1/search/subject",
        "search_resource_endpoint": "https://pdp.example/access/v1/search/resource",
        "search_action_endpoint": "https://pdp.example/access/v1/search/action",
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


async def test_the_configuration_leads_to_the_endpoints() -> None:
    """Each address of the configuration answers."""
    async with caller(service(ConformanceJudge())) as http:
        configuration = (await http.get("/.well-known/authzen-configuration")).json()
        addresses = [address for name, address in configuration.items() if name.endswith("_endpoint")]
        answers = [await http.post(address, json=QUESTION) for address in addresses]
    assert [answer.status_code for answer in answers] == [200] * 5
