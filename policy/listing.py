"""All documents of a dossier judged at once: those between which the rules cannot tell are judged once.

What may be looked at of a document is what `policy.documents.document_facts` looks at: its mask, withholding, hiding
and status, whether its type is open to the subject's profession, whether the subject is its author, and whether a
reimbursement has expired.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from models.decisions import Decision
from models.facts import Case, Document, Professional, Reference
from models.reference import REIMBURSEMENTS
from models.sheets import DOCUMENT_SIZE, entries_at, looks_of
from models.vocabulary import ResourceType
from policy.documents import have_expired
from policy.engine import Engine
from policy.situation import Situation


class Verdict(Struct, frozen=True):
    """A case, its situation, and what the rules say of it."""

    case: Case
    situation: Situation
    decision: Decision


class Verdicts(NamedTuple):
    """The verdicts, and the number of that on each document of a sheet, deleted ones included.

    Documents that are in one situation share their verdict, whose case is of one of them.
    """

    verdicts: list[Verdict]
    numbers: list[int]


def judge_documents(engine: Engine, case: Case, documents: bytes) -> Verdicts:
    """The verdicts on the documents of a sheet, in its order.

    `case` is that of the question asked about the dossier itself: its action is one on documents.
    """
    subject, question = case.subject, case.question

    def is_open(document_type: str) -> bool:
        return isinstance(subject, Professional) and engine.rules.habilitations.opens(subject.profession, document_type)

    are_past = partial(have_expired, at=question.at)
    looks = looks_of(documents, question.subject, is_open, REIMBURSEMENTS, are_past)
    situations = engine.situations_of(_about(case, None), list(looks.examples.values()))
    examples = dict(zip(situations, looks.examples.values(), strict=True))
    numbers = dict(zip(examples, range(len(examples)), strict=True))
    of_look = dict(zip(looks.examples, map(numbers.__getitem__, situations), strict=True))
    return Verdicts(
        [Verdict(_about(case, example), situation, engine.judge(situation)) for situation, example in examples.items()],
        list(map(of_look.__getitem__, looks.numbers)),
    )


def judge_in_turn(
    engine: Engine, case: Case, documents: bytes, numbers: Iterable[int], at_first: int
) -> Iterator[tuple[list[int], Verdicts]]:
    """As `judge_documents`, those of a sheet that have these numbers, in this order.

    So many at first, twice as many each time: none before it is its turn, and together they cost as little as at once.
    """
    left = iter(numbers)
    while some := list(islice(left, at_first)):
        if len(some) * DOCUMENT_SIZE < len(documents):
            yield some, judge_documents(engine, case, entries_at(documents, some))
        else:
            verdicts, of_each = judge_documents(engine, case, documents)
            yield some, Verdicts(verdicts, list(map(of_each.__getitem__, some)))
        at_first *= 2


def _about(case: Case, document: Document | None) -> Case:
    """The same asked about a document."""
    resource = Reference(ResourceType.DOCUMENT.value, "" if document is None else str(document.id))
    return replace(case, question=replace(case.question, resource=resource), document=document)
