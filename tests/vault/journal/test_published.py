"""Two who hold checkpoints find out from the published tiles alone whether they were shown one log."""

import hashlib
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.doubles.records import MemoryRecords
from tests.vault.journal.forest import leaves, publication
from vault.errors import ProofError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.journal.checkpoint import Checkpoint, Signer
from vault.journal.published import checkpoint_name, hold_of_one_log, newest_published, size_of
from vault.journal.tree import Frontier
from vault.locations import Store

SIZES = (70_000, 70_700)


def checkpoint_of(size: int, signer: Signer, name: str = "leaf", kept: int = 0) -> Checkpoint:
    root = Frontier().extend([*leaves(0, kept), *leaves(kept, size, name)])[0].root()
    return signer.verifier.open(signer.sign(size, root))


@pytest.fixture
def records(signer: Signer) -> MemoryRecords:
    """What a log has published, in two portions."""
    kept = MemoryRecords()
    kept.records |= publication(signer, *SIZES)
    return kept


async def test_checkpoints_of_one_log(records: MemoryRecords, signer: Signer) -> None:
    """Whatever size they are over, published or not, up to the newest one."""
    sizes = (0, 1, 255, 256, 257, 512, 65_535, 65_536, 65_537, 69_999, *SIZES)
    held = [checkpoint_of(size, signer) for size in sizes]
    newest = await hold_of_one_log(records, [signer.verifier], held)
    assert newest == checkpoint_of(SIZES[-1], signer)


async def test_from_every_store(store: Store, signer: Signer) -> None:
    """Where the service publishes."""
    for name, data in publication(signer, 300, 600).items():
        await store.keep(name, data)
    held = [checkpoint_of(size, signer) for size in (300, 412, 600)]
    assert (await hold_of_one_log(store, [signer.verifier], held)).size == 600


@pytest.mark.parametrize("size", [1, 256, 300, 65_536, 69_999, 70_700])
async def test_a_fork_shown_to_two(records: MemoryRecords, signer: Signer, size: int) -> None:
    """One was shown a log in which one entry, the last, was another: his checkpoint does not fit."""
    forked = checkpoint_of(size, signer, "forged", size - 1)
    with pytest.raises(ProofError, match=f"of {size} entries is not of the log that is published: there is a fork"):
        await hold_of_one_log(records, [signer.verifier], [checkpoint_of(300, signer), forked])


async def test_a_fork_is_seen_from_both_sides(records: MemoryRecords, signer: Signer) -> None:
    """The tiles of the fork do not fit what the others hold."""
    other = MemoryRecords()
    other.records |= publication(signer, 80_000, forged=69_000)
    assert (await hold_of_one_log(other, [signer.verifier], [checkpoint_of(69_000, signer)])).size == 80_000
    with pytest.raises(ProofError, match="of 70700 entries is not of the log that is published"):
        await hold_of_one_log(other, [signer.verifier], [checkpoint_of(SIZES[-1], signer)])
    with pytest.raises(ProofError, match="of 80000 entries is newer than what is published, of 70700"):
        await hold_of_one_log(records, [signer.verifier], [await newest_published(other, [signer.verifier])])


@pytest.mark.parametrize(
    "path,what",
    [
        ("tile/0/276.p/44", "the published tiles are not those that the newest checkpoint was signed over"),
        ("tile/2/000.p/1", "the published tiles are not those that the newest checkpoint was signed over"),
        ("tile/1/000", "journal/tile/1/000 is not the tile that the newest checkpoint was signed over"),
        ("tile/0/001", "journal/tile/0/001 is not the tile that the newest checkpoint was signed over"),
    ],
)
async def test_an_altered_tile(records: MemoryRecords, signer: Signer, path: str, what: str) -> None:
    """No tile is believed that does not lead to the signed root; one that is not there proves nothing either."""
    name = f"journal/{path}"
    data = records.records[name]
    for altered in (bytes([data[0] ^ 1]) + data[1:], data[:-1] + bytes([data[-1] ^ 1])):
        records.records[name] = altered
        with pytest.raises(ProofError) as refusal:
            await hold_of_one_log(records, [signer.verifier], [checkpoint_of(300, signer)])
        assert str(refusal.value) == what
    for altered in (data[:-1], data + bytes(32)):
        records.records[name] = altered
        with pytest.raises(ProofError, match="has not the size of a tile"):
            await hold_of_one_log(records, [signer.verifier], [checkpoint_of(300, signer)])
    del records.records[name]
    with pytest.raises(ProofError, match=f"{name} is not there"):
        await hold_of_one_log(records, [signer.verifier], [checkpoint_of(300, signer)])


async def test_a_tile_altered_on_disk(tmp_path: Path, signer: Signer) -> None:
    """Whoever owns the folder can make a file his own and change it: the tile is found out."""
    store = FilesystemBlobStore(tmp_path)
    await store.prepare()
    for name, data in publication(signer, 600).items():
        await store.keep(name, data)
    file = tmp_path / "journal/tile/0/001"
    data = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    file.chmod(0o400)
    with pytest.raises(ProofError, match="journal/tile/0/001 is not the tile"):
        await hold_of_one_log(store, [signer.verifier], [checkpoint_of(300, signer)])
    await store.close()


async def test_where_nothing_is_published(signer: Signer) -> None:
    """No checkpoint, no proof."""
    with pytest.raises(ProofError, match="no checkpoint is published there"):
        await newest_published(MemoryRecords(), [signer.verifier])


async def test_the_newest_checkpoint_is_held_to_its_key_and_name(records: MemoryRecords, signer: Signer) -> None:
    """Another's signature, an older checkpoint under a newer name, bytes that are no text."""
    name = checkpoint_name(SIZES[-1])
    older = records.records[checkpoint_name(SIZES[0])]
    for data, what in (
        (older, "the newest checkpoint does not stand where it was published"),
        (older.replace(b"70000", b"70700"), "the signature of the checkpoint does not hold"),
        (older.rpartition(b"\n\n")[0] + b"\n", "not a signed note"),
        (b"\xff", "not a signed note"),
    ):
        records.records[name] = data
        with pytest.raises(ProofError, match=what):
            await newest_published(records, [signer.verifier])
    records.records[name] = older
    with pytest.raises(ProofError, match="not signed by a key of this log"):
        await newest_published(records, [])


@pytest.mark.parametrize("name", ["", "1", "0" * 21, "\u0661" * 20, "0" * 19 + "x"])
def test_names_that_no_checkpoint_has(name: str) -> None:
    """Twenty digits, and nothing else."""
    assert size_of(f"journal/checkpoint/{name}") is None
    assert size_of(checkpoint_name(2**63 - 1)) == 2**63 - 1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, from leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashlib.sha256(b"\x01" + root_of(hashes[:half]) + root_of(hashes[half:])).digest()


def test_a_reader_of_the_specifications_alone(records: MemoryRecords, signer: Signer) -> None:
    """From names, notes and tiles, without a line of ours, the signed root comes out (vault/FORMAT.md)."""
    checkpoints = sorted(name for name in records.records if name.startswith("journal/checkpoint/"))
    text, _, signature = records.records[checkpoints[-1]].decode().partition("\n\n")
    signer.verifier.key.verify(b64decode(signature.split()[2])[4:], f"{text}\n".encode())
    _, size, root = text.split("\n")
    data = b""
    for index in range((int(size) + 255) // 256):
        width = min(256, int(size) - index * 256)
        data += records.records[f"journal/tile/0/{index:03}" + (f".p/{width}" if width < 256 else "")]
    hashes = [data[start : start + 32] for start in range(0, len(data), 32)]
    assert root_of(hashes) == b64decode(root)
    assert records.records["journal/tile/1/000"][:32] == root_of(hashes[:256])
    assert records.records["journal/tile/2/000.p/1"] == root_of(hashes[:65_536])
