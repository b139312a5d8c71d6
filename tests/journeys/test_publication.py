"""The journal published, and verified against what is published of it, whoever changed what."""

from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from api.cli import setting_up, verifying
from api.parts import Parts
from models.tables import journal_chain, journal_checkpoint, journal_entry, journal_head, journal_leaf, journal_node
from tests.journeys.operators import entries, execute, note, with_parts, write
from tests.journeys.people import HOSPITAL, TREATING_RPPS, Who
from tests.journeys.processes import Stack, until
from tests.journeys.service import populated
from tests.journeys.stores import objects_of
from tests.vault.journal.entries import DOSSIER, OTHER_DOSSIER
from vault.errors import ProofError
from vault.journal.checkpoint import Signer
from vault.journal.tree import Frontier


@pytest.fixture
def stack(fresh_stack: Stack) -> Stack:
    """A journal of 600 entries, published at 300 and at 600; no service runs."""
    setting_up.initialise(fresh_stack.settings)
    write(fresh_stack, entries(0, 300))
    write(fresh_stack, entries(300, 600))
    return fresh_stack


def found(stack: Stack, *checkpoints: Path) -> list[str]:
    """What the operator is told of a journal that is not what was signed."""
    with pytest.raises(ProofError) as refusal:
        verifying.verify(stack.settings, checkpoints, [])
    return str(refusal.value).split("\n")


def test_what_was_published_verifies(stack: Stack, tmp_path: Path) -> None:
    """All entries, all checkpoints, all tiles; also by a checkpoint that somebody kept."""
    kept = tmp_path / "kept"
    kept.write_text(note(stack, 300))
    verified = stack.dmp("journal", "verify", "--checkpoint", str(kept))
    first, second = verified.stdout.splitlines()
    assert (verified.returncode, verified.stderr) == (0, "")
    assert first.startswith("600 entries verified, root ")
    assert second == PUBLISHED


def forged(stack: Stack, size: int) -> str:
    """A checkpoint that another key signed, under the log's name."""
    text = note(stack, size).split("\n")
    signer = Signer(text[0], Ed25519PrivateKey.generate())
    return signer.sign(size, b64decode(text[2]))


UNSIGNED = "the checkpoint is not signed by a key of this log"


def test_a_checkpoint_replaced_in_the_table(stack: Stack) -> None:
    """By one of another key, and by one whose signature was taken off."""
    at_300 = update(journal_checkpoint).where(journal_checkpoint.c.size == 300)
    for forgery, why in ((forged(stack, 300), UNSIGNED), (note(stack, 300).split("\n\n")[0], "not a signed note")):
        execute(stack, at_300.values(note=forgery))
        assert found(stack) == [
            f"the journal is broken at entry 299: the checkpoint that was signed after it: {why}",
            "checkpoint 300 in the object store is not the one in the database",
        ]


# What is in a folder has no lock: a bucket keeps what was first written.
without_lock = pytest.mark.parametrize("stack_name", ["embedded"])


def overwrite(file: Path, data: bytes) -> None:
    file.chmod(0o600)
    file.write_bytes(data)
    file.chmod(0o400)


@without_lock
def test_a_checkpoint_replaced_in_table_and_store(stack: Stack) -> None:
    """The same forgery in both places is found by its signature."""
    forgery = forged(stack, 300)
    execute(stack, update(journal_checkpoint).where(journal_checkpoint.c.size == 300).values(note=forgery))
    overwrite(stack.home / f"vault/journal/checkpoint/{300:020}", forgery.encode())
    assert found(stack) == [f"the journal is broken at entry 299: the checkpoint that was signed after it: {UNSIGNED}"]


@without_lock
def test_a_tile_altered(stack: Stack) -> None:
    """The entry whose hash was altered is told, although the journal itself is whole."""
    file = stack.home / "vault/journal/tile/0/001"
    data = file.read_bytes()
    overwrite(file, data[: 45 * 32] + bytes(32) + data[46 * 32 :])
    assert found(stack) == ["entry 301: not what journal/tile/0/001 was published of"]


@pytest.mark.parametrize("stack_name", ["production"])
def test_what_a_bucket_with_a_lock_was_given(stack: Stack) -> None:
    """Removed by whoever has the service's access, it is there all the same; written over, that is told."""
    with objects_of(stack) as store:
        bucket: Any = store
        bucket.client.remove_object(bucket.bucket, "journal/tile/0/001")
        bucket.client.remove_object(bucket.bucket, f"journal/checkpoint/{600:020}")
        assert verifying.verify(stack.settings, [], []).endswith(PUBLISHED)
        forgery = forged(stack, 300).encode()
        bucket.client.put_object(bucket.bucket, f"journal/checkpoint/{300:020}", BytesIO(forgery), len(forgery))
    assert found(stack) == [
        "checkpoint 300 in the object store is not the one in the database",
        f"checkpoint 300 in the object store: {UNSIGNED}",
    ]


PUBLISHED = "2 checkpoints and 6 tiles in the object store are of this journal"


def set_back(stack: Stack, size: int) -> None:
    """The database as it was when it had so many entries: head, entries, chains and checkpoints together."""

    async def doing(parts: Parts) -> None:
        async with parts.database.begin() as connection:
            leaves = (await connection.scalars(select(journal_leaf.c.leaf).order_by(journal_leaf.c.position))).all()
            grown, _ = Frontier().extend(leaves[:size])
            gone = select(journal_leaf.c.leaf).where(journal_leaf.c.position >= size)
            await connection.execute(delete(journal_entry).where(journal_entry.c.leaf.in_(gone)))
            for dossier in (DOSSIER, OTHER_DOSSIER):
                last = select(journal_entry).where(journal_entry.c.dossier == dossier)
                row = (await connection.execute(last.order_by(journal_entry.c.sequence.desc()).limit(1))).one()
                chain = update(journal_chain).where(journal_chain.c.dossier == dossier)
                await connection.execute(chain.values(sequence=row.sequence, leaf=row.leaf))
            await connection.execute(delete(journal_leaf).where(journal_leaf.c.position >= size))
            await connection.execute(delete(journal_node).where(journal_node.c.position >= size >> 8))
            await connection.execute(update(journal_head).values(size=size, frontier=grown.encode()))
            await connection.execute(delete(journal_checkpoint).where(journal_checkpoint.c.size > size))

    with_parts(stack, doing)


def test_table_and_head_set_back_together(stack: Stack, tmp_path: Path) -> None:
    """Nothing in the database tells; the object store does, and so does a checkpoint that somebody kept."""
    kept = tmp_path / "kept"
    kept.write_text(note(stack, 600))
    set_back(stack, 300)
    missing = "the journal is broken at entry 300: is missing, since a checkpoint was signed over it"
    told = found(stack)
    assert told[:2] == [missing, "checkpoint 600 is in the object store and not in the database"]
    assert "entry 512: not what journal/tile/0/002.p/88 was published of" in told
    assert found(stack, kept)[0] == missing


def test_a_fork_after_it_was_set_back(stack: Stack) -> None:
    """Another history in the place of what was taken back: it is not even signed."""
    set_back(stack, 300)
    with pytest.raises(ProofError, match="the object store holds a checkpoint that the database does not know"):
        write(stack, entries(700, 1_000))
    told = found(stack)
    assert told[0] == "the journal is broken at entries 300 to 599: not what a checkpoint was signed over"
    assert told[1] == "checkpoint 600 is in the object store and not in the database"


def test_a_running_service_publishes(fresh_stack: Stack) -> None:
    """Without being asked; readiness tells up to where, and how long ago, and Prometheus how often."""
    stack = replace(fresh_stack, variables={**fresh_stack.variables, "DMP_JOURNAL_PUBLISH_SECONDS": "1"})
    with populated(stack) as service:
        record = service.opened()
        record.read(record.deposited(HOSPITAL), Who(f"professional/{TREATING_RPPS}"))

        def facts() -> dict[str, Any]:
            told: dict[str, Any] = service.http.get("/health/ready").json()["checks"]["journal"]
            return told

        until(lambda: facts().get("published_entries", 0) == facts()["entries"], lambda: service.server.said()[-2000:])
        assert facts()["published_age_seconds"] >= 0
        assert 'dmp_journal_publications_total{outcome="published"}' in service.http.get("/metrics").text
        verified = stack.dmp("journal", "verify")
        assert (verified.returncode, verified.stderr) == (0, "")
        assert "checkpoints and" in verified.stdout
