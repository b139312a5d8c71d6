"""Dossiers' journal keys: who remembers them, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import pytest

from models.database import Database
from models.facts import Reference
from tests.vault.journal.entries import DOSSIER, NURSE, OTHER_DOSSIER, PHYSICIAN
from tests.vault.journal.shards import FixedShards
from vault.errors import SealBrokenError
from vault.journal.keys import DRAWN, JournalKey, JournalKeys
from vault.keys.service import WrappedKey

INDEX = b"\x06" * 32
DRAWING = bytes(range(DRAWN))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Known:
    """Keys of which is counted how often they are unwrapped."""

    shards: FixedShards = field(default_factory=FixedShards)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.keys = JournalKeys(self.shards, INDEX, clock=self.clock, capacity=2, seconds=60)


async def fresh(database: Database, keys: JournalKeys, dossier: UUID = DOSSIER) -> tuple[WrappedKey, JournalKey]:
    async with database.begin() as connection:
        return (await keys.generate(connection, [dossier]))[dossier]


async def test_a_key_comes_back_from_its_row(database: Database) -> None:
    """What was sealed under the key that was made opens under the key that was read."""
    known = Known()
    wrapped, made = await fresh(database, known.keys)
    sealed = made.seal(7, b"entry", DRAWING)
    read = await known.keys.unwrap(DOSSIER, wrapped)
    assert read.open(7, sealed) == (DRAWING[:32], b"entry")
    assert known.shards.unwrapped == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key, sealed: key.open(8, sealed),
        lambda key, sealed: key.open(-7, sealed),
        lambda key, sealed: key.open(7, sealed[:-1]),
        lambda key, _: key.open(7, b""),
        lambda _, sealed: JournalKey(OTHER_DOSSIER, b"\x01" * 32).open(7, sealed),
        lambda _, sealed: JournalKey(DOSSIER, b"\x02" * 32).open(7, sealed),
    ],
)
def test_an_entry_opens_in_its_place_only(spoil: Callable[[JournalKey, bytes], object]) -> None:
    """Under its dossier's key, for its dossier and its number."""
    key = JournalKey(DOSSIER, b"\x01" * 32)
    with pytest.raises(SealBrokenError):
        spoil(key, key.seal(7, b"entry", DRAWING))


async def test_a_key_of_another_dossier_does_not_unwrap(database: Database) -> None:
    """A row that was given another's key gives none."""
    known = Known()
    wrapped, _ = await fresh(database, known.keys)
    with pytest.raises(SealBrokenError):
        await known.keys.unwrap(OTHER_DOSSIER, wrapped)


async def test_keys_are_remembered_for_a_while(database: Database) -> None:
    """And only under the wrapped bytes that they came from."""
    known = Known()
    wrapped, _ = await fresh(database, known.keys)
    assert not known.keys.remembers(DOSSIER)
    first = await known.keys.unwrap(DOSSIER, wrapped)
    assert await known.keys.unwrap(DOSSIER, wrapped) is first
    assert known.keys.remembers(DOSSIER)
    other, _ = await fresh(database, known.keys)
    second = await known.keys.unwrap(DOSSIER, other)
    assert second is not first
    known.clock.now = 60
    assert not known.keys.remembers(DOSSIER)
    assert await known.keys.unwrap(DOSSIER, other) is not second
    known.keys.forget(DOSSIER)
    known.keys.forget(OTHER_DOSSIER)
    assert not known.keys.remembers(DOSSIER)


async def test_so_many_keys_are_remembered(database: Database) -> None:
    """The one that was not used for longest goes."""
    known = Known()
    dossiers = [uuid5(DOSSIER, str(number)) for number in range(3)]
    wrapped = {dossier: (await fresh(database, known.keys, dossier))[0] for dossier in dossiers}
    for dossier in (dossiers[0], dossiers[1], dossiers[0], dossiers[2]):
        await known.keys.unwrap(dossier, wrapped[dossier])
    assert [known.keys.remembers(dossier) for dossier in dossiers] == [True, False, True]


def test_subjects_are_hidden_under_a_key() -> None:
    """The same subject is always the same 16 bytes under the same key, and another's are others."""
    keys, others = JournalKeys(FixedShards(), INDEX), JournalKeys(FixedShards(), b"\x07" * 32)
    hidden = keys.subject(PHYSICIAN)
    assert (hidden, len(hidden)) == (JournalKeys(FixedShards(), INDEX).subject(PHYSICIAN), 16)
    assert hidden not in {
        keys.subject(NURSE),
        others.subject(PHYSICIAN),
        keys.subject(Reference("staff", PHYSICIAN.id)),
    }
