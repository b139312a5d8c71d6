"""What a caller's free-form words mean: a question in the DMP's vocabulary.

Whatever is stated in another type than RULES §3 says counts as not stated, which never opens; only the flags of a
deposit, whose absence means no, must be what they are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api.errors import MalformedRequestError
from api.schemas.authzen import EvaluationRequest
from models.facts import Context, Particulars, Question, Reference
from models.vocabulary import Mode, ResourceType

_NOTHING: Mapping[str, Any] = {}
_NO_PARTICULARS = Particulars()


def question_of(request: EvaluationRequest, at: datetime) -> Question:
    """The question of an AuthZEN request. Raises MalformedRequestError on a flag that is no boolean."""
    action, resource = request.action, request.resource
    return Question(
        Reference(request.subject.type, request.subject.id),
        action.name,
        Reference(resource.type, resource.id),
        at,
        context_of(request.context),
        particulars_of(action.properties, resource.properties),
    )


def are_alike(requests: Sequence[EvaluationRequest]) -> bool:
    """Whether the same is asked of several documents, as a batch asks whose members are all but one its defaults."""
    first, *others = requests
    return bool(others) and all(
        each.subject is first.subject
        and each.action is first.action
        and each.context is first.context
        and each.resource.type == ResourceType.DOCUMENT
        and each.resource.properties == first.resource.properties
        for each in requests
    )


def context_of(stated: Mapping[str, Any] | None) -> Context:
    """The facts that a caller may state."""
    if not stated:
        return Context()
    mode = stated.get("mode", Mode.NORMAL.value)
    return Context(
        mode=mode if isinstance(mode, str) else "",
        reason=_text(stated, "reason") or "",
        authentication=_text(stated, "authentication"),
        patient_present=stated.get("patient_present") is True,
        organization=_text(stated, "organization"),
    )


def particulars_of(of_action: Mapping[str, Any] | None, of_resource: Mapping[str, Any] | None = None) -> Particulars:
    """What an action needs to be known by. Raises MalformedRequestError on a flag that is no boolean."""
    if not of_action and not of_resource:
        return _NO_PARTICULARS
    action, resource = of_action or _NOTHING, of_resource or _NOTHING
    return Particulars(
        document_type=_text(action, "document_type"),
        masked=_flag(action, "masked"),
        withheld=_flag(action, "withheld"),
        hidden_from_representatives=_flag(action, "hidden_from_representatives"),
        professional=_text(action, "professional"),
        organization=_text(action, "organization"),
        dossier=_claimed_dossier(resource),
    )


def _claimed_dossier(resource: Mapping[str, Any]) -> str | None:
    """A dossier that is claimed in another type than text is claimed wrongly."""
    if resource.get("dossier") is None:
        return None
    return _text(resource, "dossier") or ""


def _text(stated: Mapping[str, Any], name: str) -> str | None:
    value = stated.get(name)
    return value if isinstance(value, str) else None


def _flag(stated: Mapping[str, Any], name: str) -> bool:
    value = stated.get(name, False)
    if not isinstance(value, bool):
        msg = f"The member action.properties.{name} must be true or false."
        raise MalformedRequestError(msg)
    return value
