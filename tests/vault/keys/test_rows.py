"""Rows under a MAC."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from models.database import Database
from models.tables import content
from tests.vault.keys.rotating import rotate
from vault.errors import SealBrokenError
from vault.keys import RowKeys, ShardKeys, Tree, shard_key_id
from vault.local_keys import LocalKeyring

ROW: dict[str, Any] = {
    "dossier": UUID(int=1),
    "document": UUID(int=2),
    "object_name": "0123456789abcdef",
    "head": b"head",
    "data_key": b"key",
    "content_type": "text/plain",
    "size": 5,
    "sha256": b"digest",
    "title_sealed": b"title",
    "deposited_at": datetime(2026, 10, 15, 12, 0, 0, 1, tzinfo=UTC),
}
OTHERS: dict[str, Any] = {
    "dossier": UUID(int=2),
    "document": UUID(int=3),
    "object_name": "fedcba9876543210",
    "head": b"heads",
    "data_key": b"keys",
    "content_type": "text/html",
    "size": 6,
    "sha256": b"digests",
    "title_sealed": b"titles",
    "deposited_at": datetime(2026, 10, 15, 12, 0, 0, 2, tzinfo=UTC),
}


async def written(database: Database, rows: RowKeys) -> dict[str, Any]:
    """A row with its MAC."""
    async with database.begin() as connection:
        return {**ROW, "mac": await rows.mac(connection, content, ROW)}


async def test_a_row_is_as_it_was_written(database: Database, rows: RowKeys, keyring: LocalKeyring) -> None:
    """In another process too; the MAC names its key."""
    row = await written(database, rows)
    await rows.verify(content, row)
    await RowKeys(ShardKeys(database, keyring)).verify(content, row)
    assert (row["mac"][:4], len(row["mac"])) == (b"\x00\x00\x00\x01", 36)


@pytest.mark.parametrize("column", [column.name for column in content.columns if column.name != "mac"])
@pytest.mark.parametrize("other", ["value", "kind"])
async def test_no_column_of_a_row_can_be_edited(database: Database, rows: RowKeys, column: str, other: str) -> None:
    """To another value of its kind, or to one of another kind."""
    row = await written(database, rows)
    with pytest.raises(SealBrokenError):
        await rows.verify(content, row | {column: OTHERS[column] if other == "value" else None})


async def test_no_bit_of_a_mac_can_be_flipped_and_none_cut_off(database: Database, rows: RowKeys) -> None:
    """Nor can it be made under a key that is not there."""
    row = await written(database, rows)
    mac = row["mac"]
    altered = [mac[:length] for length in range(len(mac))] + [mac + b"\x00", b"\xff" * 36]
    for bit in range(8 * len(mac)):
        flipped = bytearray(mac)
        flipped[bit // 8] ^= 1 << bit % 8
        altered.append(bytes(flipped))
    for each in altered:
        with pytest.raises(SealBrokenError):
            await rows.verify(content, row | {"mac": each})


async def test_a_mac_is_a_bytes(database: Database, rows: RowKeys) -> None:
    """SQLite takes any value in any column."""
    row = await written(database, rows)
    with pytest.raises(SealBrokenError):
        await rows.verify(content, row | {"mac": "text"})


async def test_new_rows_are_under_the_primary_and_old_ones_still_verify(
    database: Database, keyring: LocalKeyring, shards: ShardKeys, rows: RowKeys
) -> None:
    """Until their key is out of use."""
    before = await written(database, rows)
    key = await rotate(database, keyring, Tree.ROWS)
    after = await written(database, rows)
    assert (before["mac"][3], after["mac"][3]) == (1, 2)
    for row in (before, after):
        await rows.verify(content, row)
    assert (await shards.key(shard_key_id(Tree.ROWS, 0, 2))).key == key
