"""The documents of a dossier that somebody may read, each judged on its own: what every view is computed from."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from models.database import Database
from models.facts import Particulars, Question
from models.queries import fetch_listing
from models.vocabulary import Action, DocumentStatus

ADVANCE_DIRECTIVES = "EXPPAT_3"


async def readable(
    database: Database, judging: Judging, actor: Actor, entered: Judgement, types: Collection[str] | None = None
) -> list[Judgement]:
    """Those permitted, newest first, at the instant and by the rules of `entered`, which let the subject in.

    Nothing is journaled.
    """
    if entered.case.dossier is None:
        return []
    question = Question(
        actor.subject,
        Action.DOCUMENT_READ.value,
        of_dossier(entered.case.dossier.id),
        entered.case.question.at,
        actor.context,
    )
    cases = await fetch_listing(database, question, document_types=types)
    judged = (judging.verdict(actor.caller.client, case, entered.engine) for case in cases)
    return [judgement for judgement in judged if judgement.decision.allowed]


async def directive_in_force(database: Database, dossier: UUID, question: Question) -> UUID | None:
    """The latest current advance directives of a dossier (RULES §7), whoever may read them."""
    asked = replace(question, resource=of_dossier(dossier), particulars=Particulars())
    directives = await fetch_listing(database, asked, document_types={ADVANCE_DIRECTIVES})
    return next(
        (each.document.id for each in directives if each.document and each.document.status is DocumentStatus.CURRENT),
        None,
    )
