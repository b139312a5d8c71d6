"""A dossier's key, read together with what is sealed under it.

Another key takes its place together with everything that it sealed, so the two belong to one statement.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

KEY_COLUMNS = "dossier_key.version, dossier_key.key_id, dossier_key.wrapped"
"""At the end of a row, for `key_of_row`."""


class KeyRow(NamedTuple):
    """A dossier's key as it is kept: wrapped under the shard key that it names."""

    version: int
    key_id: str
    wrapped: bytes


def key_of_row(row: Sequence[Any]) -> KeyRow | None:
    """The key at the end of a row, or None if the dossier has none, or none any more."""
    version, key_id, wrapped = row[-3:]
    return None if version is None else KeyRow(version, key_id, wrapped)
