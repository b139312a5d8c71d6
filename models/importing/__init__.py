"""Import of facts: newline-delimited JSON, one fact a line, all or nothing per file.

`lines` says what a line may be and is pure; `staging` holds the temporary tables into which lines go; `merging` carries
these over into the tables that decisions read; `running` does it all in one transaction.
"""

from models.importing.lines import Reader
from models.importing.running import Imported, SealedDossier, import_facts

__all__ = ["Imported", "Reader", "SealedDossier", "import_facts"]
