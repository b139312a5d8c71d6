"""What can go wrong where facts are stored.

    DatabaseError                   a statement was refused; nothing of the transaction remains
    ├── DatabaseUnavailableError    not reached, lost, locked or too late: the same request may succeed later
    └── ConstraintError             what was to be written contradicts what is stored
    ImportRefusedError              a file of facts is refused as a whole, with the line and the reason

No message carries a parameter of a statement or a value of a file.
"""


class DatabaseError(Exception):
    """A statement was refused; nothing of the transaction remains."""


class DatabaseUnavailableError(DatabaseError):
    """The database was not reached, was lost, is locked or answers too late: the same request may succeed later."""


class ConstraintError(DatabaseError):
    """What was to be written contradicts what is stored: a duplicate, or a reference to nothing."""


class ImportRefusedError(Exception):
    """A file of facts is refused as a whole; `line` counts from 1, `reason` never repeats an identifier."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason
