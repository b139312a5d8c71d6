"""A batch of questions: which they are once the defaults are applied, and in what order they end (AuthZEN 7.1).

An item that makes no question is denied in its place and spoils no other; it is not judged, so not journaled.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from api.errors import MalformedRequestError
from api.schemas.authzen import Answer, Entity, EvaluationRequest, EvaluationsRequest
from api.strict_json import convert

MAX_EVALUATIONS = 1000
_STOPS_AFTER = {None: None, "execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}

_BUT_RESOURCE = ("subject", "action", "context")
_encode = msgspec.json.Encoder().encode

Item = EvaluationRequest | Answer


def stop_after(batch: EvaluationsRequest) -> bool | None:
    """The decision that ends the batch, None if it is carried out to the end."""
    return _STOPS_AFTER[None if batch.options is None else batch.options.evaluations_semantic]


def items_of(batch: EvaluationsRequest) -> list[Item]:
    """Each item as a question, or as the denial that says why it makes none. Raises MalformedRequestError."""
    given = batch.evaluations or []
    if len(given) > MAX_EVALUATIONS:
        msg = f"The member evaluations has more than {MAX_EVALUATIONS} items."
        raise MalformedRequestError(msg)
    defaults = defaults_of(batch)
    items = _of_resources(defaults, given) or [_item(defaults, item) for item in given]
    if stop_after(batch) is False:
        first = next((place for place, item in enumerate(items) if isinstance(item, Answer)), len(items))
        del items[first + 1 :]
    return items


def defaults_of(batch: EvaluationsRequest) -> dict[str, Any]:
    """The members that items inherit, whole (7.1.1)."""
    members = {
        "subject": batch.subject,
        "action": batch.action,
        "resource": batch.resource,
        "context": batch.context,
    }
    return {name: member for name, member in members.items() if member is not None}


def interleave(items: Sequence[Item], judged: Sequence[Answer], *, ends: bool | None) -> list[Answer]:
    """The answers of the judge, and the denials of items that make no question, in the order of the items."""
    if len(judged) == len(items):
        return list(judged)
    answers: list[Answer] = []
    waiting = iter(judged)
    for item in items:
        answer = item if isinstance(item, Answer) else next(waiting)
        answers.append(answer)
        if answer.decision is ends:
            break
    return answers


def _of_resources(defaults: dict[str, Any], given: list[Any]) -> list[Item]:
    """The items of a batch that asks the same of many resources: they share all the rest. None if it does not."""
    first = given[0]
    if not isinstance(first, dict) or "resource" not in first:
        return []
    shared = {name: first.get(name, defaults.get(name)) for name in _BUT_RESOURCE}
    if not all(isinstance(item, dict) and _asks(item, shared, defaults) for item in given):
        return []
    try:
        one = convert(shared | {"resource": first["resource"]}, EvaluationRequest)
        resources = convert([item["resource"] for item in given], list[Entity])
    except MalformedRequestError:
        return []
    return [EvaluationRequest(one.subject, one.action, resource, one.context) for resource in resources]


def _asks(item: dict[str, Any], shared: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    """Whether an item names a resource of its own and is otherwise as the first one is."""
    return "resource" in item and all(
        _is_same(item.get(name, defaults.get(name)), shared[name]) for name in _BUT_RESOURCE
    )


def _is_same(one: object, other: object) -> bool:
    """Whether they say the same: `1` is not `true`, though equal to it."""
    return one is other or (one == other and _encode(one) == _encode(other))


def _item(defaults: dict[str, Any], item: object) -> Item:
    try:
        if not isinstance(item, dict):
            raise MalformedRequestError("The item must be an object.")
        return convert(_with_resource_type(defaults | item, defaults), EvaluationRequest)
    except MalformedRequestError as error:
        return Answer(decision=False, context={"error": {"status": 400, "message": error.sentence}})


def _with_resource_type(item: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The standard inherits whole members; its conformance suite has a resource inherit its `type` alone.

    openid/authzen#640. Nothing else is merged: a property that an item did not state must not count for it.
    """
    resource, default = item.get("resource"), defaults.get("resource")
    if isinstance(resource, dict) and "type" not in resource and default is not None and "type" in default:
        return item | {"resource": resource | {"type": default["type"]}}
    return item
