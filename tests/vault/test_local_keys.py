"""The keyring in one file. What every key service does is in tests/vault/keys/test_key_services.py."""

import asyncio
import base64
import fcntl
import json
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vault.keys.clock import Clock
from vault import local_keys
from vault.errors import KeyringError, KeyStateError, KeysUnavailableError, SealBrokenError
from vault.keyring_file import KeyFile, Passphrase, Protection, Unprotected, read_key_file
from vault.keys import KeyState, Tree, shard_name
from vault.local_keys import LocalKeyring

CHEAP = 2**10
NAME = shard_name(Tree.DOSSIER, 5, 1)
FIRST = {"1": {"state": "primary", "key": base64.b64encode(bytes(32)).decode()}}


def horse() -> Passphrase:
    """A passphrase, as a process that was just started has it."""
    return Passphrase(b"correct horse", cost=CHEAP)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where there is no keyring yet."""
    return tmp_path / "keyring.json"


def written(path: Path) -> dict[str, Any]:
    """What the file says."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def edited(path: Path, **changes: Any) -> None:
    """The file with other members; None removes one."""
    document = written(path) | changes
    path.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))


async def states(keyring: LocalKeyring, tree: Tree = Tree.DOSSIER) -> list[KeyState]:
    """Of the tree's masters."""
    return [master.state for master in (await keyring.status()).masters if master.tree is tree]


def test_a_new_keyring_has_one_master_for_each_tree(path: Path) -> None:
    """No two alike."""
    LocalKeyring.create(path)
    document = written(path)
    assert (document["format"], document["generation"], document["protection"]) == ("dmp-authz/keyring@v2", 1, "none")
    assert list(document["trees"]) == list(Tree)
    keys = {tree["keys"]["1"]["key"] for tree in document["trees"].values()}
    assert [len(base64.b64decode(key)) for key in keys] == [32] * 5


@pytest.mark.parametrize("protection", [Unprotected(), horse(), KeyFile(bytes(32))], ids=lambda each: each.kind)
async def test_a_keyring_is_changed_and_opened_again(path: Path, protection: Protection) -> None:
    """Each change is one generation, on disk before it is done."""
    keyring = LocalKeyring.create(path, protection)
    (before,) = await keyring.generate(Tree.DOSSIER, [NAME])
    await keyring.rotate(Tree.DOSSIER)
    await keyring.rotate(Tree.DOSSIER)
    await keyring.disable(Tree.DOSSIER, 2)
    await keyring.set_floor(Tree.JOURNAL, 1)
    assert (keyring.generation, written(path)["generation"]) == (4, 4)
    opened = LocalKeyring.open(path, protection)
    assert await states(opened) == [KeyState.ENABLED, KeyState.DISABLED, KeyState.PRIMARY]
    assert await opened.unwrap(NAME, before.wrapped) == before.key
    assert (await opened.status()).service == "local keyring"
    await opened.close()


async def test_a_destroyed_key_stands_in_the_file_no_longer(path: Path) -> None:
    """Its number does."""
    keyring = LocalKeyring.create(path)
    key = written(path)["trees"]["dossier"]["keys"]["1"]["key"]
    await keyring.rotate(Tree.DOSSIER)
    assert key in path.read_text()
    await keyring.destroy(Tree.DOSSIER, 1)
    assert key not in path.read_text()
    assert written(path)["trees"]["dossier"]["keys"]["1"] == {"state": "destroyed"}
    assert await states(LocalKeyring.open(path)) == [KeyState.DESTROYED, KeyState.PRIMARY]


def test_a_keyring_is_for_its_owner_only(path: Path) -> None:
    """Mode 0600, whatever the umask, and so is what lies beside it."""
    before = os.umask(0)
    try:
        keyring = LocalKeyring.create(path)
        asyncio.run(keyring.rotate(Tree.DOSSIER))
    finally:
        os.umask(before)
    beside = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert beside == {"keyring.json": 0o600, "keyring.json.lock": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_keyring_open_to_others_is_refused(path: Path, mode: int) -> None:
    """Whoever may have read it makes it worthless."""
    LocalKeyring.create(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match="open to others"):
        LocalKeyring.open(path)


def test_a_keyring_is_no_link_no_folder_and_somebody_elses_file_neither(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a file of this user counts."""
    LocalKeyring.create(path)
    link = path.with_name("link")
    link.symlink_to(path)
    for wrong in (link, path.with_name("none"), path.parent):
        with pytest.raises(KeyringError, match="cannot be read"):
            LocalKeyring.open(wrong)
    with pytest.raises(KeyringError, match="not a file of this user"):
        LocalKeyring.open(Path("/dev/null"))
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KeyringError, match="not a file of this user"):
        LocalKeyring.open(path)


def test_a_keyring_is_never_overwritten(path: Path) -> None:
    """A second creation fails, leaves the first as it is, and nothing beside it."""
    LocalKeyring.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="there is a keyring already"):
        LocalKeyring.create(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "sealed, given, said",
    [
        (horse(), Passphrase(b"correct house"), "the passphrase is not the keyring's"),
        (KeyFile(bytes(32)), KeyFile(b"\x01" * 32), "the key-file is not the keyring's"),
        (horse(), Unprotected(), "the keyring asks for a passphrase"),
        (horse(), KeyFile(bytes(32)), "the keyring asks for a passphrase"),
        (KeyFile(bytes(32)), horse(), "the keyring asks for a key file"),
        (Unprotected(), horse(), "the keyring is not sealed"),
    ],
)
def test_a_keyring_opens_with_what_sealed_it_and_nothing_else(
    path: Path, sealed: Protection, given: Protection, said: str
) -> None:
    """An open one in the place of a sealed one is somebody else's."""
    LocalKeyring.create(path, sealed)
    with pytest.raises(KeyringError, match=said):
        LocalKeyring.open(path, given)


async def test_a_sealed_keyring_holds_no_key_in_clear(path: Path) -> None:
    """And the same salt as long as its passphrase is the same, so that it is stretched once."""
    keyring = LocalKeyring.create(path, horse())
    first = written(path)
    await keyring.rotate(Tree.DOSSIER)
    second = written(path)
    assert first["scrypt"] == second["scrypt"]
    assert first["nonce"] != second["nonce"]
    assert set(second) == {"format", "generation", "protection", "scrypt", "nonce", "sealed"}


async def test_a_keyring_can_be_sealed_otherwise(path: Path) -> None:
    """The file is replaced at once, with its keys unchanged; who opened it before must be started again."""
    keyring = LocalKeyring.create(path)
    other = LocalKeyring.open(path)
    trees = written(path)["trees"]
    await keyring.protect(horse())
    assert LocalKeyring.open(path, horse()).generation == 2
    await keyring.protect(KeyFile(bytes(32)))
    assert LocalKeyring.open(path, KeyFile(bytes(32))).generation == 3
    with pytest.raises(KeysUnavailableError, match="asks for a key file"):
        await other.probe()
    await keyring.protect(Unprotected())
    expected = {"format": "dmp-authz/keyring@v2", "generation": 4, "protection": "none", "trees": trees}
    assert written(path) == expected
    await other.probe()


async def test_what_another_process_changed_is_seen_after_a_while(path: Path) -> None:
    """Two seconds at most; a master that is not known, at once (tests/vault/keys/test_key_services.py)."""
    clock = Clock()
    keyring = LocalKeyring.create(path)
    (key,) = await keyring.generate(Tree.DOSSIER, [NAME])
    other = LocalKeyring(path, Unprotected(), clock=clock, look_seconds=2)
    await keyring.rotate(Tree.DOSSIER)
    await keyring.destroy(Tree.DOSSIER, 1)
    clock.now += 1.9
    assert await other.unwrap(NAME, key.wrapped) == key.key
    clock.now += 0.1
    with pytest.raises(SealBrokenError):
        await other.unwrap(NAME, key.wrapped)
    assert (await other.generate(Tree.DOSSIER, [NAME]))[0].wrapped.key_id == "dossier/2"


ASKED: list[Callable[[LocalKeyring], Awaitable[object]]] = [
    lambda keyring: keyring.probe(),
    lambda keyring: keyring.status(),
    lambda keyring: keyring.generate(Tree.DOSSIER, [NAME]),
]


@pytest.mark.parametrize("ask", ASKED)
async def test_a_keyring_that_is_set_back_under_a_running_service_is_not_used(
    path: Path, ask: Callable[[LocalKeyring], Awaitable[object]]
) -> None:
    """Nor does it go on with what it remembers, until the right one is there again."""
    clock = Clock()
    LocalKeyring.create(path)
    keyring = LocalKeyring(path, Unprotected(), clock=clock)
    old = path.read_bytes()
    await keyring.rotate(Tree.DOSSIER)
    new = path.read_bytes()
    path.write_bytes(old)
    clock.now += 10
    for _ in range(2):
        with pytest.raises(KeysUnavailableError, match="was of generation 2, and another of generation 1 has taken"):
            await ask(keyring)
    with pytest.raises(KeyringError, match="was of generation 2, and another of generation 1 has taken"):
        await keyring.rotate(Tree.DOSSIER)
    assert path.read_bytes() == old
    path.write_bytes(new)
    await ask(keyring)


async def test_another_keyring_of_the_same_generation_is_not_used(path: Path) -> None:
    """Two changes that were made to two copies; the same file written again is no change."""
    keyring = LocalKeyring.create(path)
    path.write_bytes(path.read_bytes())
    os.utime(path, (1, 1))
    await keyring.probe()
    path.unlink()
    LocalKeyring.create(path)
    with pytest.raises(KeysUnavailableError, match="was of generation 1, and another of generation 1 has taken"):
        await keyring.probe()


async def test_a_keyring_that_is_gone_serves_no_longer(path: Path) -> None:
    """And nothing is written in its place."""
    keyring = LocalKeyring.create(path)
    path.unlink()
    with pytest.raises(KeysUnavailableError, match="cannot be read"):
        await keyring.probe()
    with pytest.raises(KeyringError, match="cannot be read"):
        await keyring.rotate(Tree.DOSSIER)
    assert not path.exists()


async def test_a_refused_change_writes_nothing(path: Path) -> None:
    """Nor one that changes nothing."""
    keyring = LocalKeyring.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyStateError):
        await keyring.destroy(Tree.DOSSIER, 1)
    await keyring.enable(Tree.DOSSIER, 1)
    assert (path.read_bytes(), keyring.generation) == (before, 1)


def rotate_often(path: Path, tree: Tree, times: int) -> None:
    """What one of several processes does."""

    async def rotate() -> None:
        keyring = LocalKeyring.open(path)
        for _ in range(times):
            await keyring.rotate(tree)

    asyncio.run(rotate())


def test_several_processes_that_change_a_keyring_lose_no_change(path: Path) -> None:
    """Each changes what the one before it wrote."""
    LocalKeyring.create(path)
    spawning = multiprocessing.get_context("spawn")
    trees = [Tree.DOSSIER, Tree.DOSSIER, Tree.JOURNAL]
    processes = [spawning.Process(target=rotate_often, args=(path, tree, 5)) for tree in trees]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    keyring = LocalKeyring.open(path)
    assert keyring.generation == 16
    assert [len(asyncio.run(states(keyring, tree))) for tree in (Tree.DOSSIER, Tree.JOURNAL)] == [11, 6]


async def test_a_keyring_that_another_process_holds_is_not_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits too long says so."""
    monkeypatch.setattr(local_keys, "_LOCK_SECONDS", 0.05)
    keyring = LocalKeyring.create(path)
    await keyring.rotate(Tree.DOSSIER)
    with path.with_name("keyring.json.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(KeysUnavailableError, match="another process holds the keyring"):
            await keyring.rotate(Tree.DOSSIER)
    assert (await keyring.rotate(Tree.DOSSIER)).version == 3


async def test_a_keyring_that_cannot_be_written_stays_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses no key."""
    keyring = LocalKeyring.create(path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyringError, match=r"cannot be written: .*No space left on device"):
        await keyring.rotate(Tree.DOSSIER)
    with pytest.raises(KeyringError, match=r"cannot be written: .*No space left on device"):
        LocalKeyring.create(path.with_name("other.json"))
    monkeypatch.undo()
    assert (path.read_bytes(), await states(keyring)) == (before, [KeyState.PRIMARY])
    assert sorted(each.name for each in path.parent.iterdir()) == ["keyring.json", "keyring.json.lock"]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "dmp-authz/keyring@v1"},
        {"format": None},
        {"generation": None},
        {"generation": "x"},
        {"generation": True},
        {"generation": 0},
        {"generation": 2**63},
        {"protection": None},
        {"protection": "else"},
        {"trees": None},
        {"trees": []},
        {"trees": {}},
        {"trees": {tree: {"floor": 1, "keys": FIRST} for tree in (*Tree, "else")}},
        {"trees": {tree: {"floor": 1, "keys": {}} for tree in Tree}},
        {"trees": {tree: {"floor": 2, "keys": FIRST} for tree in Tree}},
        {"trees": {tree: {"floor": "1", "keys": FIRST} for tree in Tree}},
        {"trees": {tree: {"keys": FIRST} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"x": FIRST["1"]}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"01": FIRST["1"]}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"1": FIRST["1"] | {"state": "else"}}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"1": FIRST["1"] | {"key": "AAAA"}}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"1": FIRST["1"] | {"key": "*"}}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": {"1": {"state": "primary"}}} for tree in Tree}},
        {"trees": {tree: {"floor": 1, "keys": []} for tree in Tree}},
    ],
    ids=str,
)
def test_a_damaged_keyring_is_refused(path: Path, changes: dict[str, Any]) -> None:
    """With one sentence and no key in it."""
    LocalKeyring.create(path)
    edited(path, **changes)
    with pytest.raises(KeyringError, match=r"^the keyring (is damaged|is not of the format dmp-authz/keyring@v2, .*)$"):
        LocalKeyring.open(path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b"null", b"\xff"])
def test_what_is_no_keyring_is_refused(path: Path, data: bytes) -> None:
    """As a damaged one."""
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyringError, match=r"^the keyring is damaged$"):
        LocalKeyring.open(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": 2},
        {"generation": -1},
        {"generation": 2**64},
        {"nonce": "AAAAAAAAAAAAAAAA"},
        {"nonce": ""},
        {"sealed": "AAAA"},
        {"scrypt": None},
        {"scrypt": {"n": 2**30, "salt": "AAAA"}},
        {"scrypt": {"n": 2000, "salt": "AAAA"}},
        {"scrypt": {"n": CHEAP, "salt": "AAAA"}},
    ],
    ids=str,
)
def test_a_sealed_keyring_cannot_be_edited(path: Path, changes: dict[str, Any]) -> None:
    """Nor made to ask for the memory of the whole machine."""
    LocalKeyring.create(path, horse())
    edited(path, **changes)
    with pytest.raises(KeyringError, match="the keyring"):
        LocalKeyring.open(path, horse())


@pytest.mark.parametrize(
    "data", [bytes(range(32)), base64.b64encode(bytes(range(32))), base64.b64encode(bytes(range(32))) + b"\n"]
)
async def test_a_key_file_holds_32_bytes_raw_or_in_base64(tmp_path: Path, path: Path, data: bytes) -> None:
    """Behind a link too, as orchestrators lay secrets down."""
    file, link = tmp_path / "key", tmp_path / "link"
    file.write_bytes(data)
    file.chmod(0o400)
    link.symlink_to(file)
    LocalKeyring.create(path, read_key_file(link))
    assert LocalKeyring.open(path, KeyFile(bytes(range(32)))).generation == 1


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), b"A" * 43, b"A" * 200, b"*" * 44])
def test_a_file_without_a_key_is_refused(tmp_path: Path, data: bytes) -> None:
    """By its path."""
    file = tmp_path / "key"
    file.write_bytes(data)
    file.chmod(0o600)
    with pytest.raises(KeyringError, match=f"^a key file holds 32 bytes, raw or in base64: {file}$"):
        read_key_file(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o444])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """It would seal nothing."""
    file = tmp_path / "key"
    file.write_bytes(bytes(32))
    file.chmod(mode)
    with pytest.raises(KeyringError, match=f"^the key file is open to others: chmod 600 {file}$"):
        read_key_file(file)
