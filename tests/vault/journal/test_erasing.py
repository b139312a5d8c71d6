"""An erased journal: every hash stands, and nothing that anybody has opens an entry."""

from typing import Any

import pytest
from sqlalchemy import select, update

from models.database import Database
from models.tables import journal_chain, journal_entry, metadata, shard_key
from tests.vault.journal.entries import AT, DOSSIER, HOLDER, OTHER_DOSSIER, PHYSICIAN, an_entry
from vault.errors import SealBrokenError
from vault.journal.audit import verify_log
from vault.journal.checkpoint import Signer
from vault.journal.erasing import erase_journal
from vault.journal.keys import JournalKey, JournalKeys
from vault.journal.ledger import Ledger
from vault.journal.proof import Proof, verify_inclusion
from vault.journal.reading import Reader, by_professional
from vault.journal.sequencer import integrate_all
from vault.keys import ShardKeys
from vault.keys.service import Name, Tree, WrappedKey

LONG_AFTER = AT.replace(year=2100)


@pytest.fixture
def journal_keys(shards: ShardKeys) -> JournalKeys:
    """Keys of a real key service, since its keys are what an attacker takes."""
    return JournalKeys(shards, b"\x06" * 32)


async def lived(ledger: Ledger) -> None:
    """Two dossiers have a journal of three entries each."""
    entries = [an_entry(dossier=dossier, reason="tombé") for dossier in (DOSSIER, OTHER_DOSSIER) for _ in range(3)]
    await ledger.record_all(entries)


async def erase(database: Database) -> None:
    async with database.begin() as connection:
        await erase_journal(connection, DOSSIER)


async def test_proofs_hold_after_an_erasure(
    ledger: Ledger, database: Database, reader: Reader, journal_keys: JournalKeys, signer: Signer
) -> None:
    """Those given before prove the entry still, those given afterwards its line; and the whole journal verifies."""
    await lived(ledger)
    before = await reader.proof(DOSSIER, 2)
    await erase(database)
    after = await reader.proof(DOSSIER, 2)
    assert before is not None
    assert after is not None
    assert verify_inclusion(before, [signer.verifier]).entry == an_entry(reason="tombé")
    line = verify_inclusion(Proof.parse(after.encode()), [signer.verifier])
    assert (line.entry, line.sequence, after.line) == (None, 2, before.line)
    checkpoint = signer.verifier.open(before.checkpoint)
    verdict = await verify_log(database, journal_keys, [signer.verifier], [checkpoint])
    assert (verdict.size, verdict.erased, verdict.broken) == (6, 3, None)


async def test_nothing_is_shown_of_what_was_erased(
    ledger: Ledger, database: Database, reader: Reader, journal_keys: JournalKeys
) -> None:
    """Neither to the patient nor to the authorities; another dossier is left as it was."""
    await lived(ledger)
    await erase(database)
    assert await reader.read(DOSSIER, limit=9) == []
    assert [line.sequence for line in await reader.read(OTHER_DOSSIER, limit=9)] == [3, 2, 1]
    line = await reader.line(DOSSIER, 2)
    assert line is not None
    assert line.entry is None
    found = by_professional(database, journal_keys, PHYSICIAN.id, AT, LONG_AFTER)
    assert {line.dossier async for line in found} == {OTHER_DOSSIER}


async def test_entries_that_wait_are_erased_too(
    ledger: Ledger, database: Database, reader: Reader, signer: Signer
) -> None:
    """What is not in the tree yet comes into it as a line."""
    await ledger.record(an_entry())
    await erase(database)
    proof = await reader.proof(DOSSIER, 1)
    assert proof is not None
    assert verify_inclusion(proof, [signer.verifier]).entry is None


async def test_a_dossier_goes_on_after_an_erasure(
    ledger: Ledger, database: Database, reader: Reader, journal_keys: JournalKeys
) -> None:
    """A dossier that is opened again goes on with its numbers, under another key; others remember none of the old."""
    await lived(ledger)
    other = Ledger(database, JournalKeys(journal_keys._shards, b"\x06" * 32))  # noqa: SLF001 - another instance of the service
    await other.record(an_entry(subject=HOLDER))
    old = await chain_of(database)
    await erase(database)
    for each in (ledger, other, ledger):
        await each.record(an_entry(subject=HOLDER))
    assert [line.sequence for line in await reader.read(DOSSIER, limit=9)] == [7, 6, 5]
    assert (await chain_of(database)).wrapped not in {None, old.wrapped}
    await integrate_all(database)
    verdict = await verify_log(database, journal_keys, ())
    assert (verdict.erased, verdict.broken) == (4, None)


async def chain_of(database: Database) -> Any:
    async with database.connect() as connection:
        return (await connection.execute(select(journal_chain).where(journal_chain.c.dossier == DOSSIER))).one()


async def test_no_key_opens_an_erased_entry(
    ledger: Ledger, database: Database, shards: ShardKeys, journal_keys: JournalKeys
) -> None:
    """An attacker who kept the sealed bytes, and has all keys of the service and every byte of the database."""
    await lived(ledger)
    async with database.connect() as connection:
        statement = select(journal_entry.c.sequence, journal_entry.c.sealed).where(journal_entry.c.dossier == DOSSIER)
        kept = (await connection.execute(statement)).all()
    await erase(database)
    keys = await every_key(database, shards)
    assert len(keys) > 3
    for row in kept:
        for key in keys:
            with pytest.raises(SealBrokenError):
                JournalKey(DOSSIER, key).open(row.sequence, row.sealed)
    assert not [value for value in await every_value(database) if value in {row.sealed for row in kept}]


async def every_key(database: Database, shards: ShardKeys) -> list[bytes]:
    """Of all shards, and of every dossier that the database has one for."""
    found: list[bytes] = []
    async with database.connect() as connection:
        held = (await connection.execute(select(shard_key.c.tree, shard_key.c.shard).distinct())).all()
        chains = (await connection.execute(select(journal_chain))).all()
    for tree, shard in held:
        found += [key.key for _, key in (await shards.versions(Tree(tree), shard)).values()]
    for chain in chains:
        if chain.wrapped is not None:
            name = Name("journal", chain.dossier.bytes, 1)
            found.append(await shards.unwrap(name, WrappedKey(chain.key_id, chain.wrapped)))
    values = await every_value(database)
    return found + [value[:32] for value in values if isinstance(value, bytes) and len(value) >= 32]


async def every_value(database: Database) -> list[Any]:
    async with database.connect() as connection:
        return [
            value
            for table in metadata.sorted_tables
            for row in await connection.execute(select(table))
            for value in row
        ]


async def test_a_key_that_was_put_back(ledger: Ledger, database: Database, reader: Reader) -> None:
    """From a backup of the key's row alone nothing is won: what it sealed is gone."""
    await lived(ledger)
    old = await chain_of(database)
    await erase(database)
    async with database.begin() as connection:
        back = update(journal_chain).where(journal_chain.c.dossier == DOSSIER)
        await connection.execute(back.values(key_id=old.key_id, wrapped=old.wrapped))
    assert await reader.read(DOSSIER, limit=9) == []


async def test_erasing_what_never_was(ledger: Ledger, database: Database) -> None:
    """A dossier without a journal is left without one."""
    await erase(database)
    assert (await ledger.record(an_entry())).sequence == 1
