"""What of a caller's words the journal takes: no INS, nothing that a database cannot store, no endless text."""

import re

from models.identifiers import Ins, InvalidIdentifierError

_LONGEST_WORD = 200
_MAYBE_INS = re.compile(r"(?<![0-9A-Za-z])[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}(?![0-9A-Za-z])")
_INS_LENGTH = 15
_HIDDEN = "(ins)"
_UUID_LENGTH, _DASHED = 36, slice(8, 24, 5)  # between the dashes of a UUID there is no room for an INS


def word(text: str) -> str:
    if len(text) >= _INS_LENGTH and not (len(text) == _UUID_LENGTH and text[_DASHED] == "----"):
        text = _MAYBE_INS.sub(_hide, text)[:_LONGEST_WORD]
    return storable(text)


def _hide(found: re.Match[str]) -> str:
    try:
        Ins.parse(found[0])
    except InvalidIdentifierError:
        return found[0]
    return _HIDDEN


def storable(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
