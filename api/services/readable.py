"""What views tell beside the documents that may be read: what may be done with each, which directives are in force."""

from uuid import UUID

from msgspec.structs import replace

from api.identity import Client
from api.services.judging import Judgement, Judging
from api.services.references import of_dossier
from models.database import Database
from models.facts import Particulars, Question
from models.queries import fetch_listing
from models.vocabulary import ACTIONS_ON, Action, DocumentStatus, ResourceType

ADVANCE_DIRECTIVES = "EXPPAT_3"

_DOCUMENT_ACTIONS = tuple(action for action in Action if action in ACTIONS_ON[ResourceType.DOCUMENT])


def permitted_actions(judging: Judging, client: Client, judgement: Judgement) -> tuple[Action, ...]:
    """What the subject may do with a document of which the facts are at hand, by the rules that judged it."""
    case = judgement.case
    asked = {
        action: replace(case, question=replace(case.question, action=action.value)) for action in _DOCUMENT_ACTIONS
    }
    return tuple(
        action for action, about in asked.items() if judging.verdict(client, about, judgement.engine).decision.allowed
    )


async def directive_in_force(database: Database, dossier: UUID, question: Question) -> UUID | None:
    """The latest current advance directives of a dossier (RULES §7), whoever may read them."""
    asked = replace(question, resource=of_dossier(dossier), particulars=Particulars())
    directives = await fetch_listing(database, asked, document_types={ADVANCE_DIRECTIVES})
    return next(
        (each.document.id for each in directives if each.document and each.document.status is DocumentStatus.CURRENT),
        None,
    )
