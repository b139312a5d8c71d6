"""Rows of the database that say where something is and how it is keyed, under a MAC. Bytes in vault/FORMAT.md §5.

Sealed values prove what they say; nothing but this proves that they belong to one row.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Id, Instant, instant_to_integer
from vault.errors import SealBrokenError
from vault.keys.service import Tree
from vault.keys.shards import ShardKeys, shard_key_id
from vault.sealing import pack

_VERSION_SIZE = 4
_MAC = "mac"

_TYPES: Mapping[type, type] = {Id: UUID, Instant: datetime}
_BYTES: Mapping[type, Callable[[Any], bytes]] = {
    UUID: lambda value: value.bytes,
    bytes: bytes,
    str: str.encode,
    int: lambda value: value.to_bytes(8, "big", signed=True),
    datetime: lambda value: instant_to_integer(value).to_bytes(8, "big", signed=True),
}


class RowKeys:
    """The keys of the tree `rows`: one primary, of which new MACs are, and those before it."""

    def __init__(self, shards: ShardKeys) -> None:
        self._shards = shards

    async def mac(self, connection: AsyncConnection, table: Table, row: Mapping[str, Any]) -> bytes:
        """The column `mac` of a row that is written in this transaction."""
        (mac,) = await self.macs(connection, table, [row])
        return mac

    async def macs(self, connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[bytes]:
        """As `mac`, of many rows."""
        key = (await self._shards.hold(connection, Tree.ROWS, [0]))[0]
        version = mac_version(key.version)
        return [version + _digest(key.key, table, row) for row in rows]

    async def verify(self, table: Table, row: Mapping[str, Any]) -> None:
        """Raises SealBrokenError unless the row is as it was written, to the last column."""
        mac = row[_MAC]
        if not isinstance(mac, bytes):
            raise SealBrokenError
        version, digest = int.from_bytes(mac[:_VERSION_SIZE], "big"), mac[_VERSION_SIZE:]
        key = await self._shards.key(shard_key_id(Tree.ROWS, 0, version))
        if not hmac.compare_digest(digest, _digest(key.key, table, row)):
            raise SealBrokenError


def mac_version(version: int) -> bytes:
    """With which the MACs begin of this version of the key."""
    return version.to_bytes(_VERSION_SIZE, "big")


def _digest(key: bytes, table: Table, row: Mapping[str, Any]) -> bytes:
    fields = (_encoded(row[name], kind) for name, kind in _columns(table))
    return hmac.digest(key, pack(table.name.encode(), *fields), "sha256")


@lru_cache
def _columns(table: Table) -> tuple[tuple[str, type], ...]:
    """Names and types in the order of the table, without the MAC."""
    return tuple(
        (column.name, _TYPES.get(type(column.type)) or column.type.python_type)
        for column in table.columns
        if column.name != _MAC
    )


def _encoded(value: object, kind: type) -> bytes:
    if not isinstance(value, kind):
        raise SealBrokenError
    return _BYTES[kind](value)
