"""Column types that mean the same on both engines.

On SQLite their declared names (UUID, INSTANT) are what `models.database.sqlite` converts by.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# asyncpg takes the first and last instants that Python knows for -infinity and infinity, and gives those back without
# their zone. So these two are stored as their neighbours.
_FIRST = datetime.min.replace(tzinfo=UTC) + _MICROSECOND
_LAST = datetime.max.replace(tzinfo=UTC) - _MICROSECOND


def storable(value: datetime) -> datetime:
    """The instant, or its neighbour if it is the first or the last of all."""
    return min(max(value, _FIRST), _LAST)


def instant_to_integer(value: datetime) -> int:
    """Microseconds since 1970, exact. Raises TypeError on an instant without a zone."""
    return (value - _EPOCH) // _MICROSECOND


def instant_from_integer(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


class _SqliteUuid(UserDefinedType[bytes]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "UUID"


class _SqliteInstant(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "INSTANT"


class Id(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, 16 bytes on SQLite."""

    impl = postgresql.UUID
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_SqliteUuid() if dialect.name == "sqlite" else postgresql.UUID())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value.bytes if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _: Dialect) -> UUID | None:
        return UUID(bytes=value) if isinstance(value, bytes) else value


class Instant(TypeDecorator[datetime]):
    """An instant with its time zone: native on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_SqliteInstant() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return instant_to_integer(storable(value)) if dialect.name == "sqlite" else storable(value)

    def process_result_value(self, value: Any, _: Dialect) -> datetime | None:
        return instant_from_integer(value) if isinstance(value, int) else value
