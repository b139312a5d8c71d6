"""Where exceptions of the database libraries end, each as one of `models.errors`.

The library's text is dropped: drivers quote the values of the row that they refuse.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import sqlalchemy.exc

from models.errors import ConstraintError, DatabaseError, DatabaseUnavailableError

# What these libraries raise is theirs alone. The second tuple may also come from elsewhere (a blob store that is
# used within a transaction), so it is only taken for the database's where nothing else runs.
_FOREIGN = (
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sqlalchemy.exc.DBAPIError,
    sqlalchemy.exc.TimeoutError,
)
_TRANSPORT = (OSError, TimeoutError)

_UNAVAILABLE = (
    *_TRANSPORT,
    asyncpg.InterfaceError,  # the connection is closed
    asyncpg.InternalClientError,  # it is closing: the server's last word has come, the end of the stream has not
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,  # shutdown, and statements cancelled for their length
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.TransactionRollbackError,  # a deadlock, and whatever else succeeds when tried again
    sqlalchemy.exc.TimeoutError,
)
# What Citus says of another node comes without its code.
_TAKEN = "duplicate key value violates unique constraint"
_LOST = "failure on connection marked as essential"
_CONSTRAINT = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


@contextmanager
def translated() -> Iterator[None]:
    """What a database library raises inside leaves as a DatabaseError; anything else passes."""
    try:
        yield
    except _FOREIGN as error:
        raise _translation(error) from None


@contextmanager
def reached() -> Iterator[None]:
    """As `translated`, for code that does nothing but speak to the database: its transport's faults count too."""
    try:
        yield
    except (*_FOREIGN, *_TRANSPORT) as error:
        raise _translation(error) from None


def _translation(error: BaseException) -> DatabaseError:
    cause = _root(error)
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    name = f"{type(cause).__name__} {code}" if code else type(cause).__name__
    of_node = str(cause) if isinstance(cause, asyncpg.InternalServerError) else ""
    if of_node.startswith(_TAKEN) or isinstance(cause, _CONSTRAINT):
        return ConstraintError(f"what was to be written contradicts what is stored ({name})")
    # On SQLite one class stands for both: SQLITE_ERROR is a wrong statement, the others a file that cannot be used.
    unusable_file = isinstance(cause, sqlite3.OperationalError) and code != "SQLITE_ERROR"
    is_gone = unusable_file or of_node.startswith(_LOST) or getattr(error, "connection_invalidated", False)
    if is_gone or isinstance(cause, _UNAVAILABLE):
        return DatabaseUnavailableError(f"the database does not answer ({name})")
    return DatabaseError(f"the database refused a statement ({name})")


def _root(error: BaseException) -> BaseException:
    """The driver's own exception, inside SQLAlchemy's and inside its adapter's."""
    while isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    return error.__cause__ if isinstance(error.__cause__, _FOREIGN) else error
