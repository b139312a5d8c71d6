"""All documents of a dossier judged at once: those between which the rules cannot tell are judged once.

What may be looked at of a document is what `policy.documents.document_facts` looks at: its type, mask, withholding,
hiding and status, whether the subject is its author, and the age of reimbursements.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from models.decisions import Decision
from models.facts import Case, Document, Reference
from models.reference import REIMBURSEMENTS
from models.sheets import looks_of
from models.vocabulary import ResourceType
from policy.engine import Engine
from policy.situation import Situation


class Verdict(Struct, frozen=True):
    """A case, its situation, and what the rules say of it."""

    case: Case
    situation: Situation
    decision: Decision


def judge_documents(engine: Engine, case: Case, documents: bytes) -> dict[bytes, Verdict]:
    """The verdict on each document of a sheet, deleted ones included, by the bytes of its id, in the sheet's order.

    `case` is that of the question asked about the dossier itself: its action is one on documents. Documents that are
    judged together share their verdict, whose case is of one of them.
    """
    looks = looks_of(documents, case.question.subject, REIMBURSEMENTS)
    verdicts: Sequence[Verdict] = [_judge(engine, case, example) for example in looks.examples]
    return {identity: verdicts[number] for identity, number in zip(looks.ids, looks.numbers, strict=True)}


def _judge(engine: Engine, case: Case, document: Document) -> Verdict:
    about = replace(case.question, resource=Reference(ResourceType.DOCUMENT.value, str(document.id)))
    of_document = replace(case, question=about, document=document)
    situation = engine.situation_of(of_document)
    return Verdict(of_document, situation, engine.judge(situation))
