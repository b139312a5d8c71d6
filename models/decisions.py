"""The verdict on a case: a value, never an exception."""

from msgspec import Struct

from models.vocabulary import Obligation

NOT_PERMITTED = "not-permitted"


class Decision(Struct, frozen=True):
    """Whether it may be done, by which rules, and what it asks in return.

    `rule` decides: the first of `refused_by`, else the first of `allowed_by`, else `not-permitted`.
    Both tuples hold every rule that applies, in the order of precedence; `obligations` is empty on a refusal.
    """

    allowed: bool
    rule: str
    refused_by: tuple[str, ...] = ()
    allowed_by: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
