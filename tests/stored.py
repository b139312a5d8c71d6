"""What the sheets of a database hold, for tests that look beneath the service."""

from models.database import Database
from models.facts import Document
from models.sheets import documents_in


async def stored_documents(database: Database) -> list[Document]:
    """The documents of all dossiers, deleted ones included, by dossier in the order in which they came."""
    rows = await database.read("SELECT documents FROM dossier WHERE documents IS NOT NULL ORDER BY id")
    return [document for row in rows for document in documents_in(row[0])]
