"""Settings: the environment, read once, checked before anything starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit

from api.errors import SettingsError
from api.log import LEVELS

__all__ = ["Settings", "SettingsError"]

_POLL_SECONDS, _PUBLISH_SECONDS, _REPLICA_SECONDS, _LONGEST_SECONDS = 15, 60, 5, 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is. Addresses may hold passwords, so none is shown by repr."""

    home: Path
    database_url: str = field(repr=False)
    vault_url: str = field(repr=False)
    keys_url: str = field(repr=False)
    policy_dir: Path | None = None
    policy_trust: Path | None = None
    policy_poll_seconds: int = _POLL_SECONDS
    journal_publish_seconds: int = _PUBLISH_SECONDS
    log_level: str = "info"
    notify_url: str | None = field(default=None, repr=False)
    notify_secret_file: Path | None = None
    fund_url: str | None = field(default=None, repr=False)
    fund_secret_file: Path | None = None
    fund_organization: str | None = None
    pharmaceutical_record_url: str | None = field(default=None, repr=False)
    pharmaceutical_record_secret_file: Path | None = None
    antivirus_url: str | None = None
    replica_url: str | None = field(default=None, repr=False)
    replica_seconds: float = _REPLICA_SECONDS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that an environment gives. Raises SettingsError, which names the variable, never its value."""
        home = Path(environment.get("DMP_HOME") or "var").absolute()
        policy_dir = environment.get("DMP_POLICY_DIR")
        log_level = (environment.get("DMP_LOG_LEVEL") or "info").lower()
        if log_level not in LEVELS:
            msg = f"DMP_LOG_LEVEL must be one of {', '.join(LEVELS)}"
            raise SettingsError(msg)
        policy_trust = environment.get("DMP_POLICY_TRUST")
        if policy_dir and policy_trust:
            msg = "DMP_POLICY_DIR and DMP_POLICY_TRUST exclude each other: rules are a folder's, or signed"
            raise SettingsError(msg)
        if policy_dir and not Path(policy_dir).is_dir():
            msg = "DMP_POLICY_DIR is not a folder"
            raise SettingsError(msg)
        if policy_trust and not Path(policy_trust).is_file():
            msg = "DMP_POLICY_TRUST is not a file"
            raise SettingsError(msg)
        notify_url, notify_secret_file = _signed_address(environment, "DMP_NOTIFY")
        fund_url, fund_secret_file = _signed_address(environment, "DMP_FUND")
        record_url, record_secret_file = _signed_address(environment, "DMP_PHARMACEUTICAL_RECORD")
        return cls(
            home=home,
            database_url=_address(
                environment, "DMP_DATABASE_URL", f"sqlite:///{home}/dmp.sqlite3", "sqlite", "postgresql"
            ),
            vault_url=_address(environment, "DMP_VAULT_URL", f"file://{quote(str(home))}/vault", "file", "s3"),
            keys_url=_address(environment, "DMP_KEYS_URL", f"file://{quote(str(home))}/keys", "file", "pkcs11"),
            policy_dir=Path(policy_dir).absolute() if policy_dir else None,
            policy_trust=Path(policy_trust).absolute() if policy_trust else None,
            policy_poll_seconds=_seconds(environment, "DMP_POLICY_POLL_SECONDS", _POLL_SECONDS),
            journal_publish_seconds=_seconds(environment, "DMP_JOURNAL_PUBLISH_SECONDS", _PUBLISH_SECONDS),
            log_level=log_level,
            notify_url=notify_url,
            notify_secret_file=notify_secret_file,
            fund_url=fund_url,
            fund_secret_file=fund_secret_file,
            fund_organization=_fund_organization(environment),
            pharmaceutical_record_url=record_url,
            pharmaceutical_record_secret_file=record_secret_file,
            antivirus_url=_antivirus(environment),
            replica_url=_replica(environment),
            replica_seconds=_seconds(environment, "DMP_REPLICA_SECONDS", _REPLICA_SECONDS),
        )


def _signed_address(environment: Mapping[str, str], prefix: str) -> tuple[str | None, Path | None]:
    """Where something is sent, and the file of the secrets that sign it: both, or neither."""
    url, secret_file = environment.get(f"{prefix}_URL"), environment.get(f"{prefix}_SECRET_FILE")
    if not url and not secret_file:
        return None, None
    if not url or not secret_file:
        msg = f"{prefix}_URL and {prefix}_SECRET_FILE are set together: what is sent is signed"
        raise SettingsError(msg)
    if not _is_safe(url):
        msg = f"{prefix}_URL must be https, or http to a loopback address such as 127.0.0.1, without user or fragment"
        raise SettingsError(msg)
    if not Path(secret_file).is_file():
        msg = f"{prefix}_SECRET_FILE is not a file"
        raise SettingsError(msg)
    return url, Path(secret_file).absolute()


def _fund_organization(environment: Mapping[str, str]) -> str | None:
    """What the fund answers is entered as if this organization had sent it."""
    given = environment.get("DMP_FUND_ORGANIZATION") or None
    if (given is None) != (not environment.get("DMP_FUND_URL")):
        raise SettingsError("DMP_FUND_URL and DMP_FUND_ORGANIZATION are set together: what is answered has an author")
    if given is not None and not re.fullmatch("[0-9]{9}", given):
        raise SettingsError("DMP_FUND_ORGANIZATION must be the fund's SIREN, 9 digits")
    return given


def _antivirus(environment: Mapping[str, str]) -> str | None:
    url = environment.get("DMP_ANTIVIRUS_URL") or None
    if url is not None and not _is_local_daemon(url):
        raise SettingsError("DMP_ANTIVIRUS_URL must be clamd:///path/to/its/socket or clamd://127.0.0.1:3310")
    return url


def _replica(environment: Mapping[str, str]) -> str | None:
    """Where searches are answered that may be behind."""
    if not environment.get("DMP_REPLICA_URL"):
        return None
    if not environment.get("DMP_DATABASE_URL", "").startswith("postgresql:"):
        raise SettingsError("DMP_REPLICA_URL needs DMP_DATABASE_URL to begin with postgresql: SQLite has no replica")
    return _address(environment, "DMP_REPLICA_URL", "", "postgresql")


def _is_local_daemon(url: str) -> bool:
    """Whether it names a socket, or a port of this machine: what is sent there is not encrypted."""
    if re.fullmatch(r"clamd:///[!-~]+", url):
        return not {"?", "#"} & set(url)
    try:
        parts = urlsplit(url)
        is_plain = url == f"clamd://{parts.netloc}" and parts.username is None and bool(parts.port)
        return is_plain and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _is_safe(url: str) -> bool:
    """Whether nobody on the way reads what is sent there."""
    try:
        parts = urlsplit(url)
        is_plain = parts.port != 0 and parts.username is None and not parts.fragment
        if not is_plain or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and ip_address(parts.hostname).is_loopback)
    except ValueError:
        return False


def _seconds(environment: Mapping[str, str], name: str, default: int) -> int:
    given = environment.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,4}", given) or not 1 <= int(given) <= _LONGEST_SECONDS:
        msg = f"{name} must be a number of seconds from 1 to {_LONGEST_SECONDS}"
        raise SettingsError(msg)
    return int(given)


def _address(environment: Mapping[str, str], name: str, default: str, *schemes: str) -> str:
    address = environment.get(name) or default
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        msg = f"{name} must begin with {' or '.join(f'{scheme}:' for scheme in schemes)}"
        raise SettingsError(msg)
    return address
