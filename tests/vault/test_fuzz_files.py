"""What operators and administrators may hand us is spoilt as `test_fuzz` spoils what anybody may: files, rows, names.

Each run counts its executions, as there.
"""

import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.vault.journal.entries import an_entry
from tests.vault.journal.forest import publication
from tests.vault.mutations import mutants
from tests.vault.test_fuzz import EXECUTIONS, KEY, SIGNER
from vault.errors import JournalEntryError, KeyringError, NoObjectError, ProofError, SealBrokenError
from vault.journal.entry import Entry, Line
from vault.journal.published import checkpoint_name, hold_of_one_log, size_of
from vault.journal.tiles import LARGEST_TILE, Tile
from vault.keyring_file import Content, KeyFile, Passphrase, Protection, Unprotected, decode, encode
from vault.keys import Tree, shard_key_id
from vault.keys.shards import parse_shard_key_id
from vault.locations import keyring_from_url, store_from_url

pytestmark = pytest.mark.no_cover
DOSSIER = an_entry().dossier


@pytest.fixture
def seed() -> int:
    """Another one each time; a failure shows it."""
    return random.randrange(2**32)


def zeros(size: int) -> bytes:
    return bytes(size)


def a_keyring(protection: Protection) -> bytes:
    """Of two generations of a tree."""
    content = Content.new(zeros).rotated(Tree.DOSSIER, KEY)
    return encode(7, content, protection, zeros)


@pytest.mark.parametrize(
    "protection, executions",
    [(KeyFile(KEY), EXECUTIONS), (Passphrase(b"secret", cost=2**10), EXECUTIONS // 100)],
    ids=["key file", "passphrase"],
)
def test_no_spoilt_keyring_that_is_sealed_escapes(seed: int, protection: Protection, executions: int) -> None:
    """It is what it was, or it is refused; a passphrase is slow to try, which is its purpose."""
    original = a_keyring(protection)
    expected, executed = decode(original, protection), 0
    for data in mutants(seed, [original], executions):
        executed += 1
        try:
            read = decode(data, protection)
        except KeyringError:
            continue
        assert read == expected, seed
    assert executed == executions


def test_no_spoilt_keyring_escapes(seed: int) -> None:
    """One that is not sealed may have become another keyring: a whole one, which is written and read again."""
    protection, executed = Unprotected(), 0
    for data in mutants(seed, [a_keyring(protection)], EXECUTIONS):
        executed += 1
        try:
            generation, content = decode(data, protection)
        except KeyringError:
            continue
        assert decode(encode(generation, content, protection, zeros), protection) == (generation, content), seed
        assert {
            tree: keyset.primary in content.keys[tree] for tree, keyset in content.keysets.items()
        } == dict.fromkeys(Tree, True), seed
    assert executed == EXECUTIONS


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"format":' * 100_000], ids=["lists", "objects"])
def test_a_keyring_of_endless_depth_is_refused(data: bytes) -> None:
    """As any other damage."""
    with pytest.raises(KeyringError, match=r"^the keyring is damaged$"):
        decode(data, Unprotected())


@dataclass(frozen=True, slots=True)
class Form:
    """What has one canonical form: `parse` reads it, `write` gives the very bytes back, all else is `refused`."""

    parse: Callable[[bytes], object]
    write: Callable[[object], bytes]
    originals: list[bytes]
    refused: type[Exception]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _known(value: object) -> object:
    """What a parser gives that tells by None that there is nothing to read."""
    if value is None:
        raise LookupError
    return value


def _shard_key(value: object) -> bytes:
    return shard_key_id(*value).encode()  # type: ignore[misc]  # the triple that was parsed


LINE = Line.of(an_entry(reason="é «"), 3, KEY, KEY)
LINES = [LINE.encode(), Line.of(an_entry(), 1, b"", KEY).encode()]
ENTRIES = [an_entry(reason="é «", situation=("a", "b")).encode(), an_entry(change={"access": "granted"}).encode()]

FORMS = {
    "entry": Form(partial(Entry.parse, dossier=DOSSIER), lambda entry: entry.encode(), ENTRIES, JournalEntryError),  # type: ignore[attr-defined]  # an Entry
    "line": Form(lambda data: Line.parse(data, None), lambda line: line.encode(), LINES, JournalEntryError),  # type: ignore[attr-defined]  # a Line
    "tile's name": Form(
        lambda data: _known(Tile.parse(_text(data))),
        lambda tile: tile.path().encode(),  # type: ignore[attr-defined]  # a Tile
        [b"tile/0/x001/x234/067.p/45", b"tile/63/000", b"tile/1/255.p/1"],
        LookupError,
    ),
    "checkpoint's name": Form(
        lambda data: _known(size_of(_text(data))),
        lambda size: checkpoint_name(size).encode(),  # type: ignore[arg-type]  # an int
        [checkpoint_name(size).encode() for size in (1, 300, 2**63 - 1)],
        LookupError,
    ),
    "shard key's id": Form(
        lambda data: parse_shard_key_id(_text(data)),
        _shard_key,
        [b"dossier/0a1/3", b"signing/000/1", b"rows/000/123456789"],
        SealBrokenError,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_spoilt_canonical_form_escapes(seed: int, form: str) -> None:
    """It is refused by its error, or it was no other spelling of what it is."""
    tried, executed = FORMS[form], 0
    for data in mutants(seed, tried.originals, EXECUTIONS):
        executed += 1
        try:
            read = tried.parse(data)
        except tried.refused:
            continue
        assert tried.write(read) == data, seed
    assert executed == EXECUTIONS


def test_no_spoilt_entry_passes_for_what_was_committed_to(seed: int) -> None:
    """Salt and entry beside an honest line: only the ones that it commits to."""
    assert LINE.entry is not None
    original, executed = LINE.salt + LINE.entry.encode(), 0
    for data in mutants(seed, [original], EXECUTIONS):
        executed += 1
        try:
            read = Line.parse(LINE.encode(), (data[:32], data[32:]))
        except JournalEntryError:
            continue
        assert (data, read) == (original, LINE), seed
    assert executed == EXECUTIONS


@pytest.mark.parametrize("width", [1, 45, 256])
def test_no_spoilt_tile_escapes(seed: int, width: int) -> None:
    """It is as wide as its name says, or refused."""
    tile, executed = Tile(0, 3, width), 0
    for data in mutants(seed, [bytes(range(256)) * (width * 32 // 256)], EXECUTIONS):
        executed += 1
        try:
            hashes = tile.decode(data)
        except ProofError:
            continue
        assert (len(hashes), b"".join(hashes)) == (width, data), seed
    assert executed == EXECUTIONS


@dataclass(slots=True)
class Published:
    """Records of which one is another's."""

    records: dict[str, bytes]
    spoilt: dict[str, bytes] = field(default_factory=dict)

    async def keep(self, name: str, data: bytes) -> None:
        raise AssertionError("whoever reads what was published keeps nothing")

    async def read_record(self, name: str, most: int) -> bytes:
        data = self.spoilt.get(name, self.records.get(name))
        if data is None:
            raise NoObjectError
        return data[:most]

    async def record_names(self, folder: str, after: str = "") -> AsyncGenerator[str]:
        for name in sorted(self.records):
            if name.startswith(folder) and name > after:
                yield name


async def test_no_spoilt_publication_escapes(seed: int) -> None:
    """A checkpoint or a tile that is another than was published is refused, or nobody has to believe it."""
    records = publication(SIGNER, 300, 700)
    assert max(map(len, records.values())) == LARGEST_TILE
    held = [SIGNER.verifier.open(records[checkpoint_name(size)].decode()) for size in (300, 700)]
    chance, executed = random.Random(seed), 0
    for data in mutants(seed, list(records.values()), EXECUTIONS // 10):
        executed += 1
        spoilt = chance.choice(sorted(records))
        try:
            newest = await hold_of_one_log(Published(records, {spoilt: data}), [SIGNER.verifier], held)
        except ProofError:
            continue
        assert newest == held[1], seed
    assert executed == EXECUTIONS // 10


URLS = [
    b"s3://ACCESS:hush-hush@host:9000/bucket?secure=false&region=eu&lock=on&retention_days=30",
    b"s3://ACCESS:hush-hush@[::1]:9000/bucket?lock=off",
    b"s3://ACCESS:hush-hush@host/bucket",
]


def test_no_spoilt_url_of_a_store_escapes(seed: int) -> None:
    """It names a store, or is refused by a sentence that does not tell the secret."""
    sentences, executed = set(), 0
    for data in mutants(seed, URLS, EXECUTIONS):
        executed += 1
        try:
            store_from_url(_text(data))
        except ValueError as refusal:
            sentences.add(str(refusal))
    assert [sentence for sentence in sentences if "hush-hush" in sentence] == [], seed
    assert executed == EXECUTIONS


def test_no_spoilt_url_of_a_keyring_escapes(seed: int, tmp_path: Path) -> None:
    """It names a file, whether or not there is one, or is refused."""
    path, executed = f"file://{tmp_path}/keyring.json?passphrase_file={tmp_path}/passphrase", 0
    for data in mutants(seed, [path.encode()], EXECUTIONS // 10):
        executed += 1
        try:
            keyring_from_url(_text(data))
        except (ValueError, KeyringError):
            continue
    assert executed == EXECUTIONS // 10
