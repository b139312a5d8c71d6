"""Stores and key services by their URL."""

import re
from pathlib import Path

import pytest

from vault.errors import KeyringError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keys import Secret
from vault.local_keys import LocalKeyring
from vault.locations import keys_from_url, store_from_url


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
            "endpoint='127.0.0.1:9000', name='bucket', secure=False, region='us-east-1'",
        ),
        (
            "s3://AKEY:se%2Fcret@store.example/bucket?region=fr-par",
            "endpoint='store.example', name='bucket', secure=True, region='fr-par'",
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
        "s3://AKEY:secret@host:port/bucket",
        "s3://AKEY:secret@host/b",
        "s3://AKEY:secret@host/Bucket",
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    """It may hold a secret."""
    with pytest.raises(ValueError, match=r"^(?!.*(AKEY|secret@)).+$"):
        store_from_url(url)


async def test_a_keyring_is_opened_by_its_url(tmp_path: Path) -> None:
    """With a passphrase from a file if it asks for one."""
    path, passphrase = tmp_path / "keyring.json", tmp_path / "passphrase"
    passphrase.write_bytes(b"correct horse\n")
    created = LocalKeyring.create(path, b"correct horse", scrypt_cost=2**10)
    opened = keys_from_url(f"file://{path}?passphrase_file={passphrase}")
    assert await opened.secret(Secret.PSEUDONYM) == await created.secret(Secret.PSEUDONYM)
    created.protect(None)
    opened = keys_from_url(f"file://{path}")
    assert await opened.secret(Secret.PSEUDONYM) == await created.secret(Secret.PSEUDONYM)


@pytest.mark.parametrize("url", ["", "pkcs11:token=x", "file://host/keyring.json", "file:///keyring.json?pass=x"])
def test_another_key_service_is_refused(url: str) -> None:
    """By name of what is accepted."""
    with pytest.raises(ValueError, match=r"passphrase_file|unknown options: pass$"):
        keys_from_url(url)


@pytest.mark.parametrize("content", [None, b"", b"\nsecond line"])
def test_a_passphrase_that_cannot_be_read_or_is_empty_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Before the keyring is looked at."""
    passphrase = tmp_path / "passphrase"
    if content is not None:
        passphrase.write_bytes(content)
    with pytest.raises(KeyringError, match=re.escape(str(passphrase))):
        keys_from_url(f"file://{tmp_path}/keyring.json?passphrase_file={passphrase}")
