"""AuthZEN on real facts: decisions, batches, searches, and who may ask what."""

import uuid

import httpx
import pytest

from models.vocabulary import Scope
from tests.journeys.people import (
    FUND,
    HOSPITAL,
    HOSPITAL_ID,
    INSURER,
    LABORATORY,
    NOTE,
    NURSE,
    NURSE_RPPS,
    OTHER_RPPS,
    REPORT,
    SAMU,
    SAMU_RPPS,
    SECRETARY,
    STRANGER,
    STRANGER_RPPS,
    TREATING,
    TREATING_RPPS,
    UNKNOWN,
    Json,
    Who,
    carded,
    new_rpps,
)
from tests.journeys.service import Record, Service, question

READ = {"name": "document:read"}


def searched(service: Service, kind: str, body: Json, limit: int | None = None) -> list[str]:
    """All results of a search, page by page to the end."""
    found: list[str] = []
    token = ""
    while True:
        page = ({} if limit is None else {"limit": limit}) | ({"token": token} if token else {})
        asked = body | ({"page": page} if page else {})
        answer = service.http.post(f"/access/v1/search/{kind}", json=asked).raise_for_status().json()
        assert limit is None or len(answer["results"]) <= limit
        found += [each.get("id", each.get("name")) for each in answer["results"]]
        token = answer.get("page", {}).get("next_token", "")
        if not token:
            return found


def test_a_permission_says_what_it_obliges_to(record: Record) -> None:
    """And a refusal nothing at all."""
    record.declare_treating_physician()
    about = ("document", record.deposited(HOSPITAL, withheld=True, hidden_from_representatives=True))
    given = record.service.evaluate(TREATING, "document:read", about).json()
    assert given == {
        "decision": True,
        "context": {
            "obligations": [
                {"id": "notify_patient"},
                {"id": "alert_withheld"},
                {"id": "alert_hidden_from_representatives"},
                {"id": "write_down"},
            ]
        },
    }
    assert record.service.evaluate(STRANGER, "document:read", about).json() == {"decision": False}
    assert record.service.evaluate(STRANGER, "dossier:exists", record.resource).json() == {"decision": True}


def test_a_dry_run_says_that_it_was_one(record: Record) -> None:
    """Same decision, same obligations, and `dry_run`; a word that is not true is not one."""
    answer = record.service.evaluate(STRANGER, "document:list", record.resource, dry_run=True).json()
    assert answer == {"decision": False, "context": {"dry_run": True}}
    with record.traced() as entries:
        answer = record.service.evaluate(STRANGER, "document:list", record.resource, dry_run="true").json()
    assert (answer, len(entries)) == ({"decision": False}, 1)


def test_an_explanation_names_every_rule(record: Record) -> None:
    """All that refuse and all that allow, in the order of the tables, the sentences, the facts and the rule set."""
    record.grant()
    document = record.deposited(HOSPITAL, masked=True)
    answer = record.service.evaluate(
        NURSE.without_card(), "document:read", ("document", document), dry_run=True, explain=True
    ).json()
    told = answer["context"]
    assert (answer["decision"], told["rule"], told["refused_by"], told["allowed_by"]) == (
        False,
        "weak-authentication",
        ["weak-authentication", "masked"],
        ["granted"],
    )
    assert set(told["reason"]) == {"fr", "en"}
    assert told["revision"] == record.service.http.get("/v1/policy").json()["revision"]
    assert {"document:read", "masked", "granted"} <= set(told["situation"])
    stranger = record.service.evaluate(STRANGER, "document:list", record.resource, explain=True).json()["context"]
    assert (stranger["rule"], stranger["refused_by"], stranger["allowed_by"]) == ("not-permitted", [], [])


@pytest.mark.parametrize(
    "who, action, resource, properties, rule",
    [
        (STRANGER, "dossier:sell", "dossier", {}, "unknown-action"),
        (STRANGER, "document:read", "dossier", {}, "unknown-action"),
        (STRANGER, "document:read", "invoice", {}, "unknown-action"),
        (STRANGER, "document:deposit", "dossier", {"document_type": REPORT}, "depositor"),
        (STRANGER, "document:deposit", "dossier", {"document_type": NOTE}, "not-permitted"),
        (STRANGER, "document:deposit", "dossier", {}, "not-permitted"),
        (FUND, "dossier:suspend", "dossier", {}, "fund"),
        (INSURER, "dossier:exists", "dossier", {}, "prohibited-party"),
        (UNKNOWN, "dossier:exists", "dossier", {}, "unknown-subject"),
        (SECRETARY, "dossier:exists", "dossier", {}, "exists"),
        (STRANGER.with_patient(), "access:grant", "dossier", {"professional": STRANGER_RPPS}, "record-consent"),
        (STRANGER.with_patient(), "access:grant", "dossier", {"professional": OTHER_RPPS}, "not-permitted"),
        (STRANGER.regulating(), "document:list", "dossier", {}, "not-permitted"),
        (SAMU.regulating(), "document:list", "dossier", {}, "centre-15"),
        (SAMU.regulating(), "journal:read", "dossier", {}, "emergency-scope"),
    ],
)
def test_decisions_on_stored_facts(
    record: Record, who: Who, action: str, resource: str, properties: Json, rule: str
) -> None:
    """Each question, and the rule that decides it."""
    assert record.service.explained(who, action, (resource, record.id), **properties)[1] == rule


def test_what_a_caller_says_of_a_subject_widens_nothing(record: Record) -> None:
    """Profession, relations and roles come from the stored facts."""
    asked = question(carded(new_rpps()), "document:list", record.resource, dry_run=True)
    asked["subject"]["properties"] = {"profession": "physician", "relation": "treating_physician"}
    answer = record.service.http.post("/access/v1/evaluation", json=asked).json()
    assert answer["decision"] is False


def test_a_flag_that_is_no_flag_is_refused(record: Record) -> None:
    """A deposit is masked or not."""
    answer = record.service.evaluate(HOSPITAL, "document:deposit", record.resource, properties={"masked": "yes"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "semantic, answered",
    [
        ("execute_all", [True, False, True, False]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_ends_where_its_semantics_say(record: Record, semantic: str, answered: list[bool]) -> None:
    """What is not evaluated is not answered, and not written down; the rest is one entry with its items."""
    documents = [record.deposited(HOSPITAL, masked=number % 2 == 1) for number in range(4)]
    record.grant()
    batch = {
        "subject": NURSE.entity(),
        "action": READ,
        "context": NURSE.context(),
        "evaluations": [{"resource": {"type": "document", "id": each}} for each in documents],
        "options": {"evaluations_semantic": semantic},
    }
    with record.traced() as entries:
        answer = record.service.http.post("/access/v1/evaluations", json=batch).json()["evaluations"]
    assert [each["decision"] for each in answer] == answered
    (entry,) = entries
    told = [(item["resource"]["id"], item["decision"]) for item in entry.get("items", [])]
    expected = list(zip(documents, answered, strict=False))
    assert told == (expected if len(expected) > 1 else [])
    assert entry["decision"] is True


def test_a_batch_about_several_dossiers_is_written_in_each(service: Service) -> None:
    """One entry for each, with the items that are its own."""
    one, two = service.opened(), service.opened()
    batch = {
        "subject": STRANGER.entity(),
        "action": {"name": "document:list"},
        "context": STRANGER.context(),
        "evaluations": [
            {"resource": {"type": "dossier", "id": each.id}, "context": STRANGER.context() | {"dry_run": dry}}
            for each, dry in ((one, False), (two, False), (one, True))
        ],
    }
    with one.traced() as first, two.traced() as second:
        answers = service.http.post("/access/v1/evaluations", json=batch).json()["evaluations"]
    assert answers == [{"decision": False}, {"decision": False}, {"decision": False, "context": {"dry_run": True}}]
    assert [(len(entries), entries[0].get("items")) for entries in (first, second)] == [(1, None), (1, None)]


def test_searched_documents_are_those_that_may_be_read(record: Record) -> None:
    """Page by page to the end: as many as judging each one gives, newest first, none twice."""
    documents = [
        record.deposited(HOSPITAL if number % 3 else LABORATORY, masked=number % 2 == 0,
                         created_at=f"2026-01-{number + 1:02}T00:00:00Z")
        for number in range(9)
    ]  # fmt: skip
    record.grant()
    service = record.service
    one_by_one = [
        each for each in documents if service.explained(NURSE, "document:read", ("document", each))[0]
    ][::-1]  # fmt: skip
    about = {"type": "document", "properties": {"dossier": record.id}}
    body = {"subject": NURSE.entity(), "action": READ, "resource": about, "context": NURSE.context()}
    with record.traced() as entries:
        assert searched(service, "resource", body) == one_by_one
        assert searched(service, "resource", body, 2) == one_by_one
    assert (entries, len(one_by_one)) == ([], 4)
    without = service.http.post("/access/v1/search/resource", json=body | {"resource": {"type": "document"}})
    assert without.status_code == 400


def test_searched_dossiers_are_those_open_to_a_professional(service: Service) -> None:
    """Through any relation that opens, and no other."""
    rpps = new_rpps()
    service.learn(
        {"kind": "professional", "rpps": rpps, "profession": "nurse", "samu_regulator": False, "organizations": [],
         "ins": None}
    )  # fmt: skip
    records = [service.opened() for _ in range(5)]
    for record in records:
        record.grant(rpps)
    records[1].block(rpps)
    records[3].ask("PUT", "/state", records[3].holder, {"state": "closed"})
    who = carded(rpps)
    body = {
        "subject": who.entity(),
        "action": {"name": "document:list"},
        "resource": {"type": "dossier"},
        "context": who.context(),
    }
    expected = sorted(records[number].id for number in (0, 2, 4))
    assert searched(service, "resource", body) == expected
    assert searched(service, "resource", body, 1) == expected


def test_searched_professionals_are_those_who_may_read(record: Record) -> None:
    """Of a dossier, and of a document that is masked: then the treating physician alone."""
    record.declare_treating_physician()
    record.grant(NURSE_RPPS)
    record.block(STRANGER_RPPS)
    document = record.deposited(HOSPITAL, masked=True)
    service, stated = record.service, {"authentication": "cps"}

    def found(action: str, resource: tuple[str, str], limit: int | None = None) -> list[str]:
        body = {
            "subject": {"type": "professional"},
            "action": {"name": action},
            "resource": {"type": resource[0], "id": resource[1]},
            "context": stated,
        }
        return searched(service, "subject", body, limit)

    assert found("document:list", record.resource) == [TREATING_RPPS, NURSE_RPPS]
    assert found("document:list", record.resource, 1) == [TREATING_RPPS, NURSE_RPPS]
    assert found("document:read", ("document", document)) == [TREATING_RPPS]
    assert found("document:read", ("document", str(uuid.uuid4()))) == []


def test_searched_actions_are_what_a_subject_may_do(record: Record) -> None:
    """Each is what asking for it gives."""
    document = record.deposited(HOSPITAL)
    resource = {"type": "document", "id": document}
    body = {"subject": record.holder.entity(), "resource": resource, "context": {}}
    expected = ["document:read", "document:mask", "document:unmask", "document:contest"]
    assert searched(record.service, "action", body) == expected
    assert searched(record.service, "action", body, 1) == expected
    body = {"subject": INSURER.entity(), "resource": {"type": "dossier", "id": record.id}}
    assert searched(record.service, "action", body) == []


ENDPOINTS: list[tuple[str, str, Scope]] = [
    ("POST", "/access/v1/evaluation", Scope.DECIDE),
    ("POST", "/v1/dossiers", Scope.DOSSIERS),
    ("POST", "/v1/dossiers/exist", Scope.DOSSIERS),
    ("GET", "/v1/messages", Scope.DOCUMENTS),
    ("GET", f"/v1/documents/{uuid.UUID(int=1)}", Scope.DOCUMENTS),
    ("GET", f"/v1/dossiers/{uuid.UUID(int=1)}/journal", Scope.JOURNAL),
    ("POST", "/v1/policy/reload", Scope.POLICY),
]


@pytest.mark.parametrize("method, path, scope", ENDPOINTS)
def test_a_scope_is_needed(service: Service, method: str, path: str, scope: Scope) -> None:
    """403 without it, saying which; 401 without a key; nothing is decided."""
    name = f"all-but-{scope}-{uuid.uuid4()}"
    with service.add_client(name, *(each for each in Scope if each is not scope)) as http:
        answer = http.request(method, path, headers=STRANGER.headers())
    assert answer.status_code == 403
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]
    answer = httpx.request(method, f"{service.server.address}{path}")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="dmp-authz"')


def test_explaining_needs_the_scope_policy(record: Record) -> None:
    """Who may decide may not therefore look into the rules."""
    with record.service.add_client(f"decides-{record.id}", Scope.DECIDE) as http, record.traced() as entries:
        answer = record.service.evaluate(STRANGER, "document:list", record.resource, http=http, explain=True)
        assert answer.status_code == 403
        plain = record.service.evaluate(STRANGER, "document:list", record.resource, http=http)
        assert plain.json() == {"decision": False}
    assert len(entries) == 1


def test_a_client_speaks_for_its_kinds_of_subject(record: Record) -> None:
    """A patients' portal asks for persons, and for nobody else: by either door."""
    scopes = (Scope.DECIDE, Scope.DOCUMENTS, Scope.DOSSIERS)
    with record.service.add_client(f"portal-{record.id}", *scopes, speaks_for=("person",)) as http:
        given = record.service.evaluate(record.holder, "document:list", record.resource, http=http)
        assert given.json()["decision"] is True
        assert record.service.evaluate(STRANGER, "document:list", record.resource, http=http).status_code == 403
        assert http.get(record.path(), headers=record.holder.headers()).status_code == 200
        assert http.get(record.path(), headers=TREATING.headers()).status_code == 403
        assert http.get("/v1/messages", headers=TREATING.headers()).status_code == 403


def test_a_client_tied_to_an_organization_speaks_for_those_who_are_there(record: Record) -> None:
    """Itself, its staff, those who exercise there; whoever else is 403, whatever there is to find."""
    service = record.service
    scopes = (Scope.DECIDE, Scope.DOCUMENTS)
    with service.add_client(f"hospital-{record.id}", *scopes, organization=HOSPITAL_ID) as http:
        for who in (HOSPITAL, SECRETARY, SAMU):
            assert service.evaluate(who, "dossier:exists", record.resource, http=http).status_code == 200
        for who in (LABORATORY, STRANGER, record.holder, UNKNOWN):
            assert service.evaluate(who, "dossier:exists", record.resource, http=http).status_code == 403
        about = {"type": "document", "properties": {"dossier": record.id}}
        body = {"subject": STRANGER.entity(), "action": READ, "resource": about, "context": STRANGER.context()}
        empty = http.post("/access/v1/search/resource", json=body)
        record.deposited(HOSPITAL)
        full = http.post("/access/v1/search/resource", json=body)
        assert (empty.status_code, full.status_code, empty.content) == (403, 403, full.content)
        record.grant(STRANGER_RPPS)
        record.grant(SAMU_RPPS)
        search = {
            "subject": {"type": "professional"},
            "action": {"name": "document:list"},
            "resource": {"type": "dossier", "id": record.id},
            "context": {"authentication": "cps"},
        }
        found = http.post("/access/v1/search/subject", json=search).json()["results"]
        assert [each["id"] for each in found] == [SAMU_RPPS]
