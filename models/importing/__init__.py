"""Import of facts: newline-delimited JSON, one fact a line, all or nothing per file.

Pure: `lines` says what a line may be, `gathering` packs what goes into sheets, `filing` puts it there. `staging` holds
the temporary tables into which lines go, `references` checks what they refer to, `merging` and `sheets` carry them over
into what decisions read; `running` does it all in one transaction.
"""

from models.importing.lines import Reader
from models.importing.running import Imported, SealedDossier, import_facts

__all__ = ["Imported", "Reader", "SealedDossier", "import_facts"]
