"""The words of AuthZEN, in which ours and Cerbos are asked alike."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from loadtests.peers.client import post
from loadtests.peers.peer import Asked, Decisions

ACTION = {"name": "document:read"}

Entity = Mapping[str, Any]


def evaluation(asking: Entity, resource: Entity, key: str = "") -> Asked:
    """One decision. `asking` is what of the request is not the resource."""
    return Asked(sent("evaluation", {**asking, "resource": resource}, key), _one)


def evaluations(asking: Entity, resources: Iterable[Entity], key: str = "") -> Asked:
    """One decision on each resource."""
    items = [{"resource": resource} for resource in resources]
    return Asked(sent("evaluations", {**asking, "evaluations": items}, key), _many)


def sent(what: str, body: Entity, key: str = "") -> bytes:
    """The bytes of a request."""
    return post(f"/access/v1/{what}", msgspec.json.encode(body), key)


def _one(body: bytes) -> Decisions:
    return (msgspec.json.decode(body)["decision"],)


def _many(body: bytes) -> Decisions:
    return tuple(each["decision"] for each in msgspec.json.decode(body)["evaluations"])
