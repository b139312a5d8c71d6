"""Judges of other domains than ours: the fixture of the conformance suite and the interop scenarios."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from api.identity import Caller
from api.judge import ActionPage, EntityPage, PageRequest
from api.schemas.authzen import (
    ActionAsked,
    ActionSearch,
    Answer,
    Entity,
    EvaluationRequest,
    FoundAction,
    FoundEntity,
    Properties,
    ResourceSearch,
    SubjectSearch,
)

VECTORS = Path(__file__).parent / "vectors"

Stored = dict[tuple[str, str], Properties]


def load(name: str) -> Any:
    """A file of vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


class SmallJudge(ABC):
    """Knows a few subjects and resources by heart, and finds by asking about each.

    `asked` and `callers` hold what it was asked, and by whom.
    """

    subjects: ClassVar[Stored] = {}
    resources: ClassVar[Stored] = {}
    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.asked: list[EvaluationRequest] = []
        self.callers: list[Caller] = []

    @abstractmethod
    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        """The scenario's policy."""

    async def evaluate(
        self, caller: Caller, questions: Sequence[EvaluationRequest], *, stop_after: bool | None
    ) -> Sequence[Answer]:
        answers = []
        for question in questions:
            self.asked.append(question)
            self.callers.append(caller)
            answers.append(Answer(self.permits(question.subject, question.action, question.resource)))
            if answers[-1].decision is stop_after:
                break
        return answers

    async def evaluate_apart(self, asked: Sequence[tuple[Caller, EvaluationRequest]]) -> Sequence[Answer | Exception]:
        return [(await self.evaluate(caller, [question], stop_after=None))[0] for caller, question in asked]

    async def search_subjects(self, caller: Caller, search: SubjectSearch, page: PageRequest) -> EntityPage:
        return _entity_page(
            self.subjects,
            search.subject.type,
            lambda found: self.permits(found, search.action, search.resource),
            page,
            search.subject.properties,
        )

    async def search_resources(self, caller: Caller, search: ResourceSearch, page: PageRequest) -> EntityPage:
        return _entity_page(
            self.resources,
            search.resource.type,
            lambda found: self.permits(search.subject, search.action, found),
            page,
            search.resource.properties,
        )

    async def search_actions(self, caller: Caller, search: ActionSearch, page: PageRequest) -> ActionPage:
        found = [name for name in self.actions if self.permits(search.subject, ActionAsked(name), search.resource)]
        start = 0 if page.after is None else found.index(page.after) + 1
        part = found[start : start + page.limit]
        following = part[-1] if start + page.limit < len(found) else None
        return ActionPage([FoundAction(name) for name in part], following)

    def stored(self, entities: Stored, entity: Entity) -> Properties | None:
        """What is known of an entity, with what the caller says of it before; None if it is unknown."""
        known = entities.get((entity.type, entity.id))
        return None if known is None else known | (entity.properties or {})


def _entity_page(
    entities: Stored, kind: str, permitted: Callable[[Entity], bool], page: PageRequest, properties: Properties | None
) -> EntityPage:
    found = [key for key in entities if key[0] == kind and permitted(Entity(*key, properties))]
    start = 0 if page.after is None else found.index((kind, page.after)) + 1
    part = found[start : start + page.limit]
    following = part[-1][1] if start + page.limit < len(found) else None
    return EntityPage([FoundEntity(*key) for key in part], following)


class ConformanceJudge(SmallJudge):
    """The fixture of the conformance suite (certification scenario, 4).

    Anyone known reads any record; alice writes records that are not archived; an admin writes archived records only;
    alice deletes when `soft` is true.
    """

    subjects: ClassVar[Stored] = {("user", "alice"): {}, ("user", "bob"): {"role": "admin"}}
    resources: ClassVar[Stored] = {
        ("record", "record-1"): {"status": "active"},
        ("record", "record-2"): {"status": "archived"},
    }
    actions = ("read", "write", "delete")

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        who, what = self.stored(self.subjects, subject), self.stored(self.resources, resource)
        if who is None or what is None:
            return False
        archived = what["status"] == "archived"
        match action.name:
            case "read":
                return True
            case "write":
                return archived if who.get("role") == "admin" else subject.id == "alice" and not archived
            case "delete":
                return subject.id == "alice" and (action.properties or {}).get("soft") is True
        return False


class TodoJudge(SmallJudge):
    """The Todo scenario: a viewer reads, an editor writes his own, an evil genius updates all, an admin deletes all."""

    people: ClassVar[dict[str, str]] = {
        "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": "rick@the-citadel.com",
        "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": "morty@the-citadel.com",
        "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": "summer@the-smiths.com",
        "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": "beth@the-smiths.com",
        "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": "jerry@the-smiths.com",
    }
    roles: ClassVar[dict[str, set[str]]] = {
        "rick@the-citadel.com": {"admin", "evil_genius"},
        "morty@the-citadel.com": {"editor"},
        "summer@the-smiths.com": {"editor"},
        "beth@the-smiths.com": {"viewer"},
        "jerry@the-smiths.com": {"viewer"},
    }
    # The first draft states the owner outside `properties`, where the standard has it ignored.
    owners: ClassVar[dict[str, str]] = {
        "7240d0db-8ff0-41ec-98b2-34a096273b91": "morty@the-citadel.com",
        "7240d0db-8ff0-41ec-98b2-34a096273b92": "rick@the-citadel.com",
        "7240d0db-8ff0-41ec-98b2-34a096273b93": "summer@the-smiths.com",
        "7240d0db-8ff0-41ec-98b2-34a096273b94": "beth@the-smiths.com",
        "7240d0db-8ff0-41ec-98b2-34a096273b95": "jerry@the-smiths.com",
    }

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        person = self.people.get(subject.id, subject.id)
        roles = self.roles[person]
        owner = (resource.properties or {}).get("ownerID", self.owners.get(resource.id))
        writes_own = "editor" in roles and owner == person
        return {
            "can_read_user": True,
            "can_read_todos": True,
            "can_create_todo": bool(roles & {"admin", "editor"}),
            "can_update_todo": "evil_genius" in roles or writes_own,
            "can_delete_todo": "admin" in roles or writes_own,
        }[action.name]


class GatewayJudge(SmallJudge):
    """The API gateway scenario: all may GET, viewers may do nothing else."""

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        return action.name == "GET" or "viewer" not in TodoJudge.roles[TodoJudge.people[subject.id]]


class RecordsJudge(SmallJudge):
    """The Search scenario: owners do all, a department views, managers view all and edit their department's.

    The identity provider's scenario is the part of it that asks who may delete what.
    """

    subjects: ClassVar[Stored] = {("user", user["id"]): user for user in load("interop/search/users.json")}
    resources: ClassVar[Stored] = {
        ("record", str(record["id"])): record for record in load("interop/search/records.json")
    }
    actions = ("view", "edit", "delete")

    def permits(self, subject: Entity, action: ActionAsked, resource: Entity) -> bool:
        user, record = self.subjects[subject.type, subject.id], self.resources[resource.type, resource.id]
        owns: bool = record["owner"] == user["id"]
        near: bool = record["department"] == user["department"]
        manages: bool = user["role"] == "manager"
        return owns or {"view": near or manages, "edit": near and manages, "delete": False}[action.name]
