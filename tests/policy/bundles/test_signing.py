"""Reviewers' keys, and who is trusted."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from policy.bundles.signing import ReviewerKey, Trust, read_trust, sign
from policy.errors import BundleError, PolicyFileError
from tests.policy.bundles.reviewers import AUTHOR, LEGAL, SECURITY, key_of, signed, unsigned

WEAK = (
    b"\0" * 32,
    b"\1" + b"\0" * 31,
    b"\1" + b"\0" * 30 + b"\x80",
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    b"\xec" + b"\xff" * 30 + b"\x7f",
)


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_key_is_read_as_it_was_written(passphrase: bytes | None) -> None:
    """In the file that every tool reads; under a passphrase, only with it."""
    key = ReviewerKey.generate()
    data = key.encode(passphrase)
    assert data.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY" if passphrase else b"-----BEGIN PRIVATE KEY")
    assert ReviewerKey.decode(data, passphrase).public == key.public


def test_keys_are_not_the_same_twice() -> None:
    """Nor shown."""
    first, second = ReviewerKey.generate(), ReviewerKey.generate()
    assert first.public != second.public
    assert repr(first) == f"ReviewerKey({first.public!r})"


@pytest.mark.parametrize(
    "data, passphrase, sentence",
    [
        (key_of(LEGAL).encode(b"right"), b"wrong", "this is no private key, or the passphrase is not its own"),
        (key_of(LEGAL).encode(b"right"), None, "the key is under a passphrase"),
        (key_of(LEGAL).encode(None), b"right", "the key is under no passphrase"),
        (b"no key", None, "this is no private key, or the passphrase is not its own"),
        (b"", None, "this is no private key, or the passphrase is not its own"),
        (
            X25519PrivateKey.from_private_bytes(b"\1" * 32).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            None,
            "reviewers sign with Ed25519, and this is a key of another kind",
        ),
    ],
)
def test_a_file_that_is_no_key_is_refused(data: bytes, passphrase: bytes | None, sentence: str) -> None:
    """In one sentence, which holds nothing of it."""
    with pytest.raises(BundleError) as refused:
        ReviewerKey.decode(data, passphrase)
    assert (refused.value.reason, str(refused.value)) == ("key", sentence)


def test_a_signature_is_ed25519_over_the_signed_bytes() -> None:
    """Anyone's library verifies it."""
    (signature, _) = signed(LEGAL, SECURITY).signatures
    assert (signature.reviewer, signature.key) == (LEGAL, key_of(LEGAL).public)
    public = Ed25519PublicKey.from_public_bytes(b64decode(signature.key))
    public.verify(b64decode(signature.signature), unsigned().signed_bytes())


@pytest.mark.parametrize(
    "reviewer, key, reason",
    [
        (AUTHOR, AUTHOR, "author"),
        (AUTHOR, SECURITY, "author"),
        (LEGAL, LEGAL, "repeated"),
        (LEGAL, SECURITY, "repeated"),
        (SECURITY, LEGAL, "repeated"),
        ("Security", SECURITY, "reviewer"),
    ],
)
def test_a_signature_that_would_not_count_is_not_made(reviewer: str, key: str, reason: str) -> None:
    """The author's, a second one by the same, one by the same key under another name."""
    with pytest.raises(BundleError) as refused:
        sign(signed(LEGAL), key_of(key), reviewer)
    assert refused.value.reason == reason


def trust_of(folder: Path, text: str) -> Trust:
    file = folder / "trust.csv"
    file.write_text(text, encoding="utf-8")
    return read_trust(file)


def test_a_trust_file_says_whose_keys_count(tmp_path: Path) -> None:
    """A reviewer may have several, of which one may be about to be given up."""
    first, second, third = (key_of(name).public for name in ("1", "2", "3"))
    text = f"# Who reviews.\nreviewer,key\nlegal,{first}\n\n# Until May.\nlegal,{second}\nsecurity,{third}\n"
    assert trust_of(tmp_path, text).reviewers == {first: "legal", second: "legal", third: "security"}


@pytest.mark.parametrize(
    "rows, line, fault",
    [
        ("Legal,KEY1", 2, "the name of a reviewer is lower-case letters and digits, joined by single hyphens or dots"),
        ("legal,KEY1\nsecurity,KEY1", 3, "this key is that of legal already"),
        ("legal,KEY1\nlegal,KEY1", 3, "this key is that of legal already"),
        ("legal,hush", 2, "this is no public key as `dmp policy reviewer` prints it"),
        ("legal," + b64encode(bytes(31)).decode(), 2, "this is no public key as `dmp policy reviewer` prints it"),
        ("legal,KEY1,more", 2, "has 3 cells, not 2"),
        ("", None, "holds no row under its header"),
    ],
)
def test_a_trust_file_that_is_not_clear_is_refused(tmp_path: Path, rows: str, line: int | None, fault: str) -> None:
    """With file and line."""
    with pytest.raises(PolicyFileError) as refused:
        trust_of(tmp_path, "reviewer,key\n" + rows.replace("KEY1", key_of("1").public))
    assert (refused.value.line, refused.value.fault) == (line, fault)


@pytest.mark.parametrize("key", WEAK)
def test_a_key_under_which_anybody_can_sign_is_refused(tmp_path: Path, key: bytes) -> None:
    """Without it, a signature that nobody made holds for one message in eight or more."""
    forged, public = b"\1" + bytes(63), Ed25519PublicKey.from_public_bytes(key)
    held = 0
    for number in range(200):
        try:
            public.verify(forged, str(number).encode())
        except InvalidSignature:
            continue
        held += 1
    assert held > 5
    with pytest.raises(PolicyFileError, match="this is no public key"):
        trust_of(tmp_path, f"reviewer,key\nlegal,{b64encode(key).decode()}\n")
