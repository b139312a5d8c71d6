"""What the AuthZEN endpoints take and answer, shown in the description of the service."""

from api.openapi import Documented
from api.schemas.authzen import (
    ActionSearch,
    Answer,
    Answers,
    EvaluationRequest,
    EvaluationsRequest,
    FoundActions,
    FoundEntities,
    ResourceSearch,
    SubjectSearch,
)

_DOSSIER = "5b0c2e4e-7f0b-4b52-9b6e-0c5d8f3a1d11"
_DOCUMENT = "7c0f6a52-3a3e-4f0e-8a36-2b1f0d9c4e77"
_OTHER_DOCUMENT = "0e9a2a35-0a4c-4d9b-9d5e-6f2b7c1a8b90"
_PHYSICIAN = {"type": "professional", "id": "10001234565"}
_STRONG = {"authentication": "cps"}
_READ = {"name": "document:read"}
_IN_DOSSIER = {"type": "document", "properties": {"dossier": _DOSSIER}}
_GO_ON = {"page": {"next_token": "WyI3ZDU1NGEzMjUxYjAxYTUyIiwxMDAsIjEwMDAxMjM0NTgwIl0", "count": 0}, "results": []}

EVALUATION = Documented(
    "The decision; a denial is one.",
    body=EvaluationRequest,
    answer=Answer,
    body_examples={
        "a physician reads a document": {
            "subject": _PHYSICIAN,
            "action": _READ,
            "resource": {"type": "document", "id": _DOCUMENT},
            "context": _STRONG,
        },
        "the same in an emergency, as a what-if, explained": {
            "subject": _PHYSICIAN,
            "action": _READ,
            "resource": {"type": "document", "id": _DOCUMENT, "properties": {"dossier": _DOSSIER}},
            "context": {
                "authentication": "e_cps",
                "mode": "break_glass",
                "reason": "unconscious, no relative reached",
                "dry_run": True,
                "explain": True,
            },
        },
    },
    answer_examples={
        "permitted": {"decision": True, "context": {"obligations": [{"id": "write_down"}]}},
        "denied": {"decision": False},
    },
)

EVALUATIONS = Documented(
    "The decisions, in the order of the questions.",
    body=EvaluationsRequest,
    answer=Answers,
    body_examples={
        "two documents, stop at the first denial": {
            "subject": _PHYSICIAN,
            "action": _READ,
            "context": _STRONG,
            "evaluations": [
                {"resource": {"type": "document", "id": _DOCUMENT}},
                {"resource": {"type": "document", "id": _OTHER_DOCUMENT}},
            ],
            "options": {"evaluations_semantic": "deny_on_first_deny"},
        }
    },
    answer_examples={"the second is denied": {"evaluations": [{"decision": True}, {"decision": False}]}},
)

SUBJECT_SEARCH = Documented(
    "Some of the subjects found; with a token, go on, from a short or empty page too.",
    body=SubjectSearch,
    answer=FoundEntities,
    body_examples={
        "who may read this document": {
            "subject": {"type": "professional"},
            "action": _READ,
            "resource": {"type": "document", "id": _DOCUMENT},
            "page": {"limit": 50},
        }
    },
    answer_examples={
        "one": {"page": {"next_token": "", "count": 1}, "results": [_PHYSICIAN]},
        "none of those looked at so far": _GO_ON,
    },
)

RESOURCE_SEARCH = Documented(
    "Some of the resources found; with a token, go on, from a short or empty page too.",
    body=ResourceSearch,
    answer=FoundEntities,
    body_examples={
        "which documents of this dossier may be read": {
            "subject": _PHYSICIAN,
            "action": _READ,
            "resource": _IN_DOSSIER,
            "context": _STRONG,
        },
        "which dossiers are open to me": {
            "subject": _PHYSICIAN,
            "action": {"name": "document:list"},
            "resource": {"type": "dossier"},
            "context": _STRONG,
        },
    },
    answer_examples={
        "one": {"results": [{"type": "document", "id": _DOCUMENT}]},
        "none of those looked at so far": _GO_ON,
    },
)

ACTION_SEARCH = Documented(
    "Some of the actions found.",
    body=ActionSearch,
    answer=FoundActions,
    body_examples={
        "what may be done to this document": {
            "subject": _PHYSICIAN,
            "resource": {"type": "document", "id": _DOCUMENT},
            "context": _STRONG,
        }
    },
    answer_examples={"two": {"results": [_READ, {"name": "document:mask"}]}},
)
