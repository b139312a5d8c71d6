"""What a report repeats of the command, and of addresses: no key, and no password."""

import re
from collections.abc import Iterable

_KEYS = frozenset({"--key", "--fund-key"})
_HIDDEN = "..."
_ACCOUNT = re.compile(r"(?<=//)[^/?#]*@")


def told_command(words: Iterable[str]) -> list[str]:
    """Its words; in the place of keys, and of accounts in addresses, dots."""
    told, before = [], ""
    for word in words:
        option, sign, _ = word.partition("=")
        hidden = f"{option}={_HIDDEN}" if sign and option in _KEYS else told_address(word)
        told.append(_HIDDEN if before in _KEYS else hidden)
        before = word
    return told


def told_address(address: str) -> str:
    """Without the account, which may have a password."""
    return _ACCOUNT.sub(f"{_HIDDEN}@", address)
