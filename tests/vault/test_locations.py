"""Stores and key services by their URL."""

import base64
import json
import re
from pathlib import Path

import pytest

from vault.errors import KeyringError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.locations import keyring_from_url, keys_from_url, store_from_url
from vault.pkcs11_keys import Pkcs11Keys


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    """Percent-encoded where it must."""
    store = store_from_url(f"file://{tmp_path}/a%20b")
    assert repr(store) == f"FilesystemBlobStore('{tmp_path}/a b')"
    assert isinstance(store, FilesystemBlobStore)


@pytest.mark.parametrize(
    "url, shown",
    [
        (
            "s3://AKEY:se%2Fcret@127.0.0.1:9000/bucket?secure=false",
            "endpoint='127.0.0.1:9000', name='bucket', secure=False, region='us-east-1', retention_days=3650",
        ),
        (
            "s3://AKEY:se%2Fcret@store.example/bucket?region=fr-par",
            "endpoint='store.example', name='bucket', secure=True, region='fr-par', retention_days=3650",
        ),
    ],
)
def test_an_s3_url_is_a_bucket_and_shows_no_secret(url: str, shown: str) -> None:
    """Secure unless said otherwise."""
    assert repr(store_from_url(url)) == f"MinioBlobStore(Bucket({shown}))"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:",
        "file://host/folder",
        "http://AKEY:secret@host/bucket",
        "s3://host/bucket",
        "s3://AKEY@host/bucket",
        "s3://AKEY:secret@host",
        "s3://AKEY:secret@host/bucket?secure=perhaps",
        "s3://AKEY:secret@host/bucket?verify=false",
        "s3://AKEY:secret@host/bucket?lock=perhaps",
        "s3://AKEY:secret@host/bucket?retention_days=0",
        "s3://AKEY:secret@host/bucket?retention_days=-1",
        "s3://AKEY:secret@host/bucket?retention_days=36501",
        "s3://AKEY:secret@host/bucket?retention_days=ten",
        "s3://AKEY:secret@host/bucket?retention_days=",
        "s3://AKEY:secret@host/bucket?lock=off&retention_days=10",
        "s3://AKEY:secret@host:port/bucket",
        "s3://AKEY:secret@host/b",
        "s3://AKEY:secret@host/Bucket",
        "s3://AKEY:secret\u2100@host/bucket",
        "s3://AKEY:secret@[host/bucket",
        "s3://AKEY:secret@host/bucket?s3://AKEY:secret@host/bucket",
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    """It may hold a secret."""
    with pytest.raises(ValueError, match=r"^(?!.*(AKEY|secret@)).+$"):
        store_from_url(url)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that holds a key, in base64, which makes a passphrase too."""
    file = tmp_path / "secret"
    file.write_bytes(base64.b64encode(bytes(32)) + b"\nsecond line\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    "option, kind", [("", "none"), ("?passphrase_file=", "passphrase"), ("?key_file=", "key-file")]
)
def test_a_keyring_is_created_as_its_url_says_and_opened_by_it(
    tmp_path: Path, secret: Path, option: str, kind: str
) -> None:
    """Sealed from the first byte, if it is to be sealed."""
    if kind == "key-file":
        secret.write_bytes(base64.b64encode(bytes(32)))
    url = f"file://{tmp_path}/key%20ring.json{option}{secret if option else ''}"
    place = keyring_from_url(url)
    assert place.path == tmp_path / "key ring.json"
    place.create()
    assert json.loads(place.path.read_text())["protection"] == kind
    assert repr(keys_from_url(url)) == f"LocalKeyring('{tmp_path}/key ring.json', generation=1)"


@pytest.mark.parametrize(
    "url, said",
    [
        ("", "a key service is pkcs11:... or file:///file, with ?passphrase_file=/file or ?key_file=/file"),
        ("file://host/keyring.json", "a key service is pkcs11"),
        ("file:", "a key service is pkcs11"),
        ("file:///keyring.json?pass=x", "unknown options: pass"),
        ("file:///keyring.json?key_file=", "key_file names no file"),
        ("file:///keyring.json?passphrase_file=", "passphrase_file names no file"),
        ("file:///keyring.json?key_file=/a&passphrase_file=/b", "by a passphrase_file or a key_file, not by both"),
    ],
)
def test_another_key_service_is_refused(url: str, said: str) -> None:
    """By name of what is accepted."""
    with pytest.raises(ValueError, match=re.escape(said)):
        keys_from_url(url)


def test_a_pkcs11_url_is_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which reads its URL itself."""
    given: list[str] = []
    monkeypatch.setattr(Pkcs11Keys, "from_url", given.append)
    keys_from_url("pkcs11:token=dmp")
    assert given == ["pkcs11:token=dmp"]


@pytest.mark.parametrize("content", [None, b"", b"\nsecond line"])
def test_a_passphrase_that_cannot_be_read_or_is_empty_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Before the keyring is looked at."""
    passphrase = tmp_path / "passphrase"
    if content is not None:
        passphrase.write_bytes(content)
    with pytest.raises(KeyringError, match=re.escape(str(passphrase))):
        keys_from_url(f"file://{tmp_path}/keyring.json?passphrase_file={passphrase}")
