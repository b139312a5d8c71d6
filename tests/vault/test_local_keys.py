"""The keyring in one file."""

import base64
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from vault.errors import KeyringError, KeysUnavailableError, SealBrokenError
from vault.keys import Secret, WrappedKey
from vault.local_keys import LocalKeyring

CHEAP = 2**10
OWNER = UUID(int=1).bytes


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


async def test_what_a_keyring_wrapped_unwraps_after_it_was_opened_again(path: Path) -> None:
    """Each owner has its key, and the secrets stay what they are."""
    created = LocalKeyring.create(path)
    one, other = await created.generate("dossier", [OWNER, UUID(int=2).bytes])
    opened = LocalKeyring.open(path)
    assert await opened.unwrap("dossier", OWNER, one.wrapped) == one.key
    assert [len(one.key), one.key != other.key, one.wrapped.key_id] == [32, True, "master/1"]
    for name in Secret:
        assert await opened.secret(name) == await created.secret(name)
        assert len(await opened.secret(name)) == 32
    assert len({await opened.secret(name) for name in Secret}) == len(Secret)
    await opened.probe()


@pytest.mark.parametrize(
    "purpose, owner, key_id",
    [
        ("dossier", UUID(int=2).bytes, "master/1"),
        ("document", OWNER, "master/1"),
        ("dossier", OWNER, "master/2"),
        ("dossier", OWNER, "master/01"),
        ("dossier", OWNER, "master/"),
        ("dossier", OWNER, "shard/1"),
        ("dossier", OWNER, ""),
    ],
)
async def test_a_key_unwraps_for_its_owner_purpose_and_id_only(
    path: Path, purpose: str, owner: bytes, key_id: str
) -> None:
    """No other key is tried."""
    keyring = LocalKeyring.create(path)
    (generated,) = await keyring.generate("dossier", [OWNER])
    with pytest.raises(SealBrokenError):
        await keyring.unwrap(purpose, owner, WrappedKey(key_id, generated.wrapped.wrapped))


async def test_a_keyring_with_a_second_master_key_wraps_under_it_and_still_unwraps_the_first_ones(path: Path) -> None:
    """Keys name the one that wraps them."""
    (before,) = await LocalKeyring.create(path).generate("dossier", [OWNER])
    keys = written(path)["keys"]
    keys["masters"]["2"] = base64.b64encode(bytes(32)).decode()
    edited(path, keys=keys | {"primary": 2}, generation=2)
    keyring = LocalKeyring.open(path)
    (after,) = await keyring.generate("dossier", [OWNER])
    assert (keyring.generation, after.wrapped.key_id) == (2, "master/2")
    assert await keyring.unwrap("dossier", OWNER, before.wrapped) == before.key
    assert await keyring.unwrap("dossier", OWNER, after.wrapped) == after.key


async def test_a_secret_that_the_keyring_lacks_is_an_error(path: Path) -> None:
    """Nothing is made up on the way."""
    LocalKeyring.create(path)
    keys = written(path)["keys"]
    edited(path, keys=keys | {"secrets": {}})
    with pytest.raises(KeysUnavailableError, match="pseudonym"):
        await LocalKeyring.open(path).secret(Secret.PSEUDONYM)


def test_a_keyring_is_for_its_owner_only(path: Path) -> None:
    """Mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        LocalKeyring.create(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


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


async def test_a_protected_keyring_opens_with_its_passphrase_only(path: Path) -> None:
    """And its file holds no key in clear."""
    created = LocalKeyring.create(path, b"correct horse", scrypt_cost=CHEAP)
    (generated,) = await created.generate("dossier", [OWNER])
    assert "keys" not in written(path)
    opened = LocalKeyring.open(path, b"correct horse")
    assert await opened.unwrap("dossier", OWNER, generated.wrapped) == generated.key
    with pytest.raises(KeyringError, match="asks for a passphrase"):
        LocalKeyring.open(path)
    with pytest.raises(KeyringError, match="passphrase is not the keyring's"):
        LocalKeyring.open(path, b"correct house")


def test_a_keyring_can_be_protected_later_and_counts_its_generations(path: Path) -> None:
    """The file is replaced at once, with its keys unchanged."""
    keyring = LocalKeyring.create(path)
    keys = written(path)["keys"]
    keyring.protect(b"correct horse", scrypt_cost=CHEAP)
    assert LocalKeyring.open(path, b"correct horse").generation == 2
    keyring.protect(None)
    assert written(path) == {"format": "dmp-authz/keyring@v1", "generation": 3, "keys": keys}
    assert [path.stat().st_mode & 0o777, *(each.name for each in path.parent.iterdir())] == [0o600, path.name]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "dmp-authz/keyring@v2"},
        {"format": None},
        {"generation": None},
        {"generation": "x"},
        {"keys": None},
        {"keys": []},
        {"keys": {"masters": {"1": "AAAA"}, "primary": 1, "secrets": {}}},
        {"keys": {"masters": {"1": "*"}, "primary": 1, "secrets": {}}},
        {"keys": {"masters": {}, "primary": 1, "secrets": {}}},
        {"keys": {"masters": [], "primary": 1, "secrets": {}}},
    ],
    ids=str,
)
def test_a_damaged_keyring_is_refused(path: Path, changes: dict[str, Any]) -> None:
    """With one sentence and no key in it."""
    LocalKeyring.create(path)
    edited(path, **changes)
    with pytest.raises(KeyringError, match="the keyring "):
        LocalKeyring.open(path, b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": 2},
        {"nonce": "AAAAAAAAAAAAAAAA"},
        {"nonce": ""},
        {"sealed": "AAAA"},
        {"scrypt": {"n": 2**30, "salt": "AAAA"}},
        {"scrypt": {"n": 2000, "salt": "AAAA"}},
        {"scrypt": {"n": CHEAP, "salt": "AAAA"}},
    ],
    ids=str,
)
def test_a_protected_keyring_cannot_be_edited(path: Path, changes: dict[str, Any]) -> None:
    """Nor made to ask for the memory of the whole machine."""
    LocalKeyring.create(path, b"correct horse", scrypt_cost=CHEAP)
    edited(path, **changes)
    with pytest.raises(KeyringError, match="the keyring"):
        LocalKeyring.open(path, b"correct horse")


def test_a_keyring_that_is_no_json_is_refused(path: Path) -> None:
    """As damaged."""
    LocalKeyring.create(path)
    path.write_bytes(b"\xff")
    with pytest.raises(KeyringError, match="damaged"):
        LocalKeyring.open(path)


async def test_nothing_shows_a_key(path: Path) -> None:
    """Neither the keyring nor what it gives, when printed."""
    keyring = LocalKeyring.create(path, randomness=lambda size: b"S" * size)
    (generated,) = await keyring.generate("dossier", [OWNER])
    assert repr(keyring) == f"LocalKeyring({str(path)!r}, generation=1)"
    assert "SSS" not in repr(generated)
