"""A batch that asks the same of many resources, read by what differs: their ids.

Two hundred items that are one but for their ids are not parsed two hundred times. The body is cut where the text
between two ids stands again and again; of the same body with three items and other ids, the strict reader and the
batches have their say. Where these find three questions that are one but for those ids, so is every other item: what
stands between two ids was read before, between and after. Whatever is not just so is no matter of this module.
"""

import re
from typing import NamedTuple

from msgspec.structs import replace

from api.batches import MAX_EVALUATIONS, items_of
from api.errors import MalformedRequestError
from api.judge import OfEach
from api.schemas.authzen import EvaluationRequest, EvaluationsRequest
from api.strict_json import decode

_ID_SIZE = 36
_BEFORE_ID = re.compile(f'"(?=[0-9A-Fa-f-]{{{_ID_SIZE}}}")')
_MOST_ELSE = 16_384  # characters that are no ids: so many, at most, are read in vain
_ITEMS = '"evaluations"'
_MARK = "~"
_STAND_INS = [f"{_MARK}{number}" for number in range(3)]


class Alike(NamedTuple):
    """The questions; `batch` is that of three of them, for what it says besides."""

    batch: EvaluationsRequest
    questions: OfEach


def read_alike(body: bytes) -> Alike | None:
    """The batch of a body, if it asks the same of more than three resources; None for any other body, good or bad."""
    cut = _cut(body)
    if cut is None:
        return None
    ids, before, between, after = cut
    try:
        batch = decode((before + between.join(_STAND_INS) + after).encode(), EvaluationsRequest)
        items = items_of(batch) if batch.evaluations else []
    except MalformedRequestError:
        return None
    questions = [item for item in items if isinstance(item, EvaluationRequest)]
    if not len(questions) == len(items) == len(_STAND_INS):
        return None
    first = questions[0]
    if not all(_differs_in_id(each, first, stand_in) for each, stand_in in zip(questions, _STAND_INS, strict=True)):
        return None
    return Alike(batch, OfEach(replace(first, resource=replace(first.resource, id=ids[0])), ids))


def _cut(body: bytes) -> tuple[list[str], str, str, str] | None:
    """The ids, and what stands before the first, between any two, and after the last of them."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    first = _BEFORE_ID.search(text, max(text.find(_ITEMS), 0))
    second = None if first is None else _BEFORE_ID.search(text, first.end() + _ID_SIZE + 1)
    if first is None or second is None:
        return None
    between = text[first.end() + _ID_SIZE : second.end()]
    *ids, rest = text[first.end() :].split(between)
    last, quote, after = rest.partition('"')
    ids.append(last)
    before, after, together = text[: first.end()], quote + after, "".join(ids)
    # An id of letters, digits and dashes has nothing that JSON would have escaped: it is a string as it stands.
    plain = together.isascii() and together.encode("ascii").translate(None, b"-").isalnum()
    else_ = before + between + after
    if not plain or not len(_STAND_INS) < len(ids) <= MAX_EVALUATIONS or len(else_) > _MOST_ELSE or _MARK in else_:
        return None
    return ids, before, between, after


def _differs_in_id(question: EvaluationRequest, first: EvaluationRequest, stand_in: str) -> bool:
    return (
        question.subject is first.subject
        and question.action is first.action
        and question.context is first.context
        and question.resource == replace(first.resource, id=stand_in)
    )
