"""What the settings name by a URL: an object store, a key service."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from vault.blobs import BlobStore
from vault.errors import KeyringError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.keyring_file import Passphrase, Protection, Unprotected, read_key_file
from vault.keys import KeyService
from vault.local_keys import LocalKeyring
from vault.minio_blobs import Bucket, MinioBlobStore
from vault.notices import NoticeBoard
from vault.records import RecordStore

_DAYS = re.compile(r"[0-9]{1,5}")
_DAYS_UNLESS_SAID = 3650
_MOST_DAYS = 36_500
_OPTION = re.compile(r"[a-z_]{1,20}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Store(BlobStore, NoticeBoard, RecordStore, Protocol):
    """An object store as a whole: documents' objects, notices and records."""

    @property
    def locks_records(self) -> bool:
        """Whether records are kept from everybody, those with the store's keys too."""
        ...


def store_from_url(url: str) -> Store:
    """`file:///folder` or `s3://ACCESS:SECRET@host:port/bucket?secure=false`, `secure` being true unless said.

    Records are locked for `retention_days`, ten years unless said; `lock=off` does without a lock. Raises ValueError,
    which never repeats the URL: it holds the secret.
    """
    parts = _parts(url)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return FilesystemBlobStore(Path(unquote(parts.path)))
    bucket = parts.path.strip("/")
    if parts.scheme != "s3" or not (parts.username and parts.password and parts.hostname and bucket):
        raise ValueError("a vault is file:///folder or s3://ACCESS:SECRET@host:port/bucket")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens")
    options = _options(parts, "secure", "region", "lock", "retention_days")
    if options.get("secure", "true") not in {"true", "false"}:
        raise ValueError("secure is true or false")
    place = Bucket(
        endpoint=parts.netloc.rpartition("@")[2],
        name=bucket,
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        secure=options.get("secure", "true") == "true",
        region=options.get("region", "us-east-1"),
        retention_days=_retention_days(options),
    )
    try:
        return MinioBlobStore(place)
    except ValueError:  # the SDK repeats what it refuses
        raise ValueError("no object store has such a host, port or region") from None


def _retention_days(options: dict[str, str]) -> int:
    """None at all without a lock."""
    lock, days = options.get("lock", "on"), options.get("retention_days")
    if lock not in {"on", "off"}:
        raise ValueError("lock is on or off")
    if days is not None and not (_DAYS.fullmatch(days) and int(days) <= _MOST_DAYS):
        raise ValueError(f"retention_days is a number from 0 to {_MOST_DAYS}")
    if lock == "on":
        if days is not None and int(days) == 0:
            raise ValueError("records that are locked for no day are not locked: say lock=off as well")
        return int(days or _DAYS_UNLESS_SAID)
    if days is not None and int(days) > 0:
        raise ValueError("retention_days is for records that are locked, and lock is off")
    return 0


def keys_from_url(url: str) -> KeyService:
    """`file:///file`, as `keyring_from_url` says, or `pkcs11:...`, as `vault.pkcs11_keys` says.

    Raises ValueError on another URL, KeyringError on keys that are refused.
    """
    if _parts(url).scheme == "pkcs11":
        from vault.pkcs11_keys import Pkcs11Keys  # noqa: PLC0415  # it loads a library that few need

        return Pkcs11Keys.from_url(url)
    return keyring_from_url(url).open()


@dataclass(frozen=True, slots=True)
class KeyringPlace:
    """Where a keyring is, or is to be, and what seals it."""

    path: Path
    protection: Protection

    def open(self) -> LocalKeyring:
        """Raises KeyringError."""
        return LocalKeyring(self.path, self.protection)

    def create(self) -> LocalKeyring:
        """Raises KeyringError if there is one."""
        return LocalKeyring.create(self.path, self.protection)


def keyring_from_url(url: str) -> KeyringPlace:
    """`file:///file`; sealed with `?passphrase_file=/file`, whose first line counts, or `?key_file=/file`.

    Raises ValueError on another URL, KeyringError on a passphrase or a key that cannot be had.
    """
    parts = _parts(url)
    if parts.scheme != "file" or parts.netloc or not parts.path:
        raise ValueError("a key service is pkcs11:... or file:///file, with ?passphrase_file=/file or ?key_file=/file")
    options = _options(parts, "passphrase_file", "key_file")
    if len(options) > 1:
        raise ValueError("a keyring is sealed by a passphrase_file or a key_file, not by both")
    protection: Protection = Unprotected()
    if passphrase := options.get("passphrase_file"):
        protection = Passphrase(read_passphrase(Path(passphrase)))
    elif key := options.get("key_file"):
        protection = read_key_file(Path(key))
    elif options:
        raise ValueError(f"{next(iter(options))} names no file")
    return KeyringPlace(Path(unquote(parts.path)), protection)


def read_passphrase(path: Path) -> bytes:
    """The file's first line. Raises KeyringError."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KeyringError(f"the passphrase cannot be read: {path} ({error.strerror})") from None
    if not lines or not lines[0]:
        raise KeyringError(f"the passphrase is empty: {path}")
    return lines[0]


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # which may repeat what stands before the host
        raise ValueError("it is no URL") from None


def _options(parts: SplitResult, *known: str) -> dict[str, str]:
    given = parse_qs(parts.query, keep_blank_values=True)
    if unknown := set(given) - set(known):
        told = sorted({name if _OPTION.fullmatch(name) else "?" for name in unknown})
        raise ValueError(f"unknown options: {', '.join(told)}")
    return {name: values[-1] for name, values in given.items()}
