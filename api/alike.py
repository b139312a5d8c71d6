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
from models.columns import column
from models.identifiers import pseudonyms_in

_ID_SIZE = 36
_BEFORE_ID = re.compile(rb'"(?=[0-9A-Fa-f-]{%d}")' % _ID_SIZE)
_MOST_ELSE = 16_384  # bytes that are no ids: so many, at most, are read in vain
_ITEMS = b'"evaluations"'
_MARK = b"~"
_STAND_INS = [b"%b%d" % (_MARK, number) for number in range(3)]


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
    # An id of hexadecimal digits and dashes has nothing that JSON would have escaped: it is a string as it stands.
    values = pseudonyms_in(b"".join(ids))
    if values is None:
        return None
    try:
        batch = decode(before + between.join(_STAND_INS) + after, EvaluationsRequest)
        items = items_of(batch) if batch.evaluations else []
    except MalformedRequestError:
        return None
    questions = [item for item in items if isinstance(item, EvaluationRequest)]
    if not len(questions) == len(items) == len(_STAND_INS):
        return None
    first = questions[0]
    if not all(_differs_in_id(each, first, stand_in) for each, stand_in in zip(questions, _STAND_INS, strict=True)):
        return None
    texts = b" ".join(ids).decode("ascii").split()
    return Alike(batch, OfEach(replace(first, resource=replace(first.resource, id=texts[0])), texts, values))


def _cut(body: bytes) -> tuple[list[bytes], bytes, bytes, bytes] | None:
    """The ids, and what stands before the first, between any two, and after the last of them."""
    first = _BEFORE_ID.search(body, max(body.find(_ITEMS), 0))
    second = None if first is None else _BEFORE_ID.search(body, first.end() + _ID_SIZE + 1)
    if first is None or second is None:
        return None
    begin = first.end() + _ID_SIZE
    between = body[begin : second.end()]
    end = body.rfind(between) + len(between) + _ID_SIZE
    cells = column(f"{len(between)}s{_ID_SIZE}s", body[begin:end])
    betweens, ids = cells[::2], [body[first.end() : begin], *cells[1::2]]
    before, after = body[: first.end()], body[begin + len(betweens) * (len(between) + _ID_SIZE) :]
    else_ = before + between + after
    if (
        not len(_STAND_INS) < len(ids) <= MAX_EVALUATIONS
        or betweens.count(between) < len(betweens)
        or len(else_) > _MOST_ELSE
        or _MARK in else_
    ):
        return None
    return ids, before, between, after


def _differs_in_id(question: EvaluationRequest, first: EvaluationRequest, stand_in: bytes) -> bool:
    return (
        question.subject is first.subject
        and question.action is first.action
        and question.context is first.context
        and question.resource == replace(first.resource, id=stand_in.decode("ascii"))
    )
