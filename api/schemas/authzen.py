"""The messages of OpenID AuthZEN Authorization API 1.0, sections 5 to 9.

Members that the standard does not name are ignored, as it requires (section 10.1.1). An optional member that is null
counts as absent: the standard asks senders to leave it out, and many programs do not.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Properties = dict[str, Any]


class Entity(Struct, frozen=True):
    """A subject or a resource (5.1, 5.2)."""

    type: str
    id: str
    properties: Properties | None = None


class ActionAsked(Struct, frozen=True):
    """An action (5.3)."""

    name: str
    properties: Properties | None = None


class EvaluationRequest(Struct, frozen=True):
    """One question (6.1)."""

    subject: Entity
    action: ActionAsked
    resource: Entity
    context: Properties | None = None

    @property
    def explains(self) -> bool:
        """Whether the rules behind the answer are asked for."""
        return self.context is not None and self.context.get("explain") is True

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be written down."""
        return self.context is not None and self.context.get("dry_run") is True


class EvaluationsOptions(Struct, frozen=True):
    """How a batch is carried out (7.1.2)."""

    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] | None = None


class EvaluationsRequest(Struct, frozen=True):
    """A batch (7.1): defaults, and items that stay as they came, since a bad item spoils no other."""

    subject: Properties | None = None
    action: Properties | None = None
    resource: Properties | None = None
    context: Properties | None = None
    evaluations: list[Any] | None = None
    options: EvaluationsOptions | None = None


class Answer(Struct, frozen=True, omit_defaults=True):
    """A decision (5.5)."""

    decision: bool
    context: Properties | None = None


class Answers(Struct, frozen=True):
    """The decisions of a batch, in the order of its items (7.2)."""

    evaluations: list[Answer]


class Kind(Struct, frozen=True):
    """What a search looks for: a kind of subject or resource. An `id` is ignored (8.4.1, 8.5.1)."""

    type: str
    properties: Properties | None = None


class PageAsked(Struct, frozen=True):
    """Which part of the results (8.2.1)."""

    token: str | None = None
    limit: Annotated[int, Meta(ge=0)] | None = None
    properties: Properties | None = None


class SubjectSearch(Struct, frozen=True):
    """Who may do this to that (8.4)."""

    subject: Kind
    action: ActionAsked
    resource: Entity
    context: Properties | None = None
    page: PageAsked | None = None


class ResourceSearch(Struct, frozen=True):
    """To what may this one do this (8.5)."""

    subject: Entity
    action: ActionAsked
    resource: Kind
    context: Properties | None = None
    page: PageAsked | None = None


class ActionSearch(Struct, frozen=True):
    """What may this one do to that (8.6)."""

    subject: Entity
    resource: Entity
    context: Properties | None = None
    page: PageAsked | None = None


class FoundEntity(Struct, frozen=True):
    """A subject or a resource that a search found."""

    type: str
    id: str


class FoundAction(Struct, frozen=True):
    """An action that a search found."""

    name: str


class PageAnswered(Struct, frozen=True):
    """Where the next page begins; an empty token, and nothing else, says that there is none (8.2.2).

    A page may be shorter than asked for, even empty, and have a token: so many were looked at, and more may be found.
    """

    next_token: str
    count: int


class FoundEntities(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a search of subjects or resources (8.3); `page` comes first, as recommended."""

    page: PageAnswered | None = None
    results: list[FoundEntity]


class FoundActions(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a search of actions (8.3)."""

    page: PageAnswered | None = None
    results: list[FoundAction]


class Configuration(Struct, frozen=True):
    """Where a decision point answers (9.1)."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_subject_endpoint: str
    search_resource_endpoint: str
    search_action_endpoint: str
