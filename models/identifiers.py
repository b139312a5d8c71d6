"""National identifiers: what is accepted as one, and the pseudonym that stands for a person everywhere else."""

import hashlib
import hmac
import re
from binascii import unhexlify
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from models.columns import column
from models.vocabulary import Sex

_INS_SHAPE = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")
_UUID_SHAPE = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEPARTMENT = slice(5, 7)
UUID_CHARACTERS, _UUID_BYTES = 36, 16
_DASHES = (8, 13, 18, 23)
_UUID_GROUPED, _NO_DASHES = 40, (34, 29, 4)  # with a dash behind every four digits: those that are none of a UUID's
_AS_DIGITS = {"2A": "19", "2B": "18"}
_NIR_MODULUS = 97
_SEXES = dict.fromkeys("137", Sex.MALE) | dict.fromkeys("248", Sex.FEMALE)
_PSEUDONYM_SECRET_BYTES = 32


class InvalidIdentifierError(ValueError):
    """What was given is not such an identifier; the message says why and never repeats the value."""


@dataclass(frozen=True, slots=True)
class Ins:
    """Identité nationale de santé: the 13 characters of the NIR and its key. Its repr hides all of them."""

    value: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Ins":
        """Read 15 characters; `2A` (19) and `2B` (18) are Corsica's departments, as the key counts them.

        Raises InvalidIdentifierError on any other shape or a wrong key.
        """
        if not _INS_SHAPE.fullmatch(text):
            msg = "an INS is 15 digits, with 2A or 2B allowed as the department"
            raise InvalidIdentifierError(msg)
        department = text[_DEPARTMENT]
        digits = text[:5] + _AS_DIGITS.get(department, department) + text[7:13]
        if _NIR_MODULUS - int(digits) % _NIR_MODULUS != int(text[13:]):
            msg = "the control key of this INS is wrong"
            raise InvalidIdentifierError(msg)
        return cls(text)

    @property
    def sex(self) -> Sex | None:
        """As the first digit says, that of a number given for a while (3, 4, 7, 8) included; None for any other."""
        return _SEXES.get(self.value[0])

    def pseudonym(self, secret: bytes) -> UUID:
        """The only name by which URLs, logs, journal and indexes know the person.

        HMAC-SHA-256 over the 13 characters as written, first 16 bytes (RULES §5). Raises ValueError on a short secret.
        """
        if len(secret) < _PSEUDONYM_SECRET_BYTES:
            msg = f"a pseudonym secret has at least {_PSEUDONYM_SECRET_BYTES} bytes"
            raise ValueError(msg)
        return UUID(bytes=hmac.digest(secret, self.value[:13].encode("ascii"), hashlib.sha256)[:16])


def parse_rpps(text: str) -> str:
    """An RPPS: 11 digits, the last a Luhn key. Raises InvalidIdentifierError."""
    return _luhn(text, 11, "an RPPS")


def parse_organization(text: str) -> str:
    """A FINESS, or the SIREN of the fund: 9 digits, the last a Luhn key. Raises InvalidIdentifierError."""
    return _luhn(text, 9, "an organization's identifier (FINESS or SIREN)")


def parse_pseudonym(text: str) -> UUID:
    """A UUID in its 36-character form. Raises InvalidIdentifierError on any other spelling."""
    try:
        if len(text) == UUID_CHARACTERS:
            return msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        pass
    msg = "not a UUID of 36 characters"
    raise InvalidIdentifierError(msg)


def pseudonym_of(value: bytes) -> UUID:
    """16 bytes as a UUID: `UUID(bytes=value)`, faster."""
    return msgspec.convert(value, UUID)


def pseudonym_bytes(text: str) -> bytes | None:
    """The 16 bytes of a UUID in its 36-character form, and None for any other spelling: `parse_pseudonym`, faster."""
    return bytes.fromhex(text.replace("-", "")) if _UUID_SHAPE.fullmatch(text) else None


def pseudonym_text(value: bytes) -> str:
    """16 bytes as a UUID in its 36-character form: `str(UUID(bytes=value))`, faster."""
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def pseudonyms_bytes(texts: Sequence[str]) -> list[bytes | None]:
    """`pseudonym_bytes` of each, several times faster if all are UUIDs."""
    together = "".join(texts)
    if set(map(len, texts)) == {UUID_CHARACTERS} and together.isascii():
        values = pseudonyms_in(together.encode("ascii"))
        if values is not None:
            return [*values]
    return [pseudonym_bytes(text) for text in texts]


def pseudonyms_in(spelt: bytes) -> list[bytes] | None:
    """`pseudonym_bytes` of UUIDs that stand one behind the other, and None if they are not all UUIDs."""
    count = len(spelt) // UUID_CHARACTERS
    if any(spelt[place::UUID_CHARACTERS] != b"-" * count for place in _DASHES):
        return None
    try:
        values = unhexlify(spelt.translate(None, b"-"))
    except ValueError:
        return None
    # A dash too many leaves too few bytes, as what is left over leaves too many.
    return column(f"{_UUID_BYTES}s", values) if len(values) == count * _UUID_BYTES else None


def pseudonym_texts(values: Sequence[bytes]) -> list[str]:
    """`pseudonym_text` of each, several times faster: dashes are put and taken away in all of them at once."""
    texts = bytearray(b"".join(values).hex("-", 2), "ascii")
    for more, place in enumerate(_NO_DASHES):
        del texts[place :: _UUID_GROUPED - more]
    texts[UUID_CHARACTERS :: UUID_CHARACTERS + 1] = b" " * (len(values) - 1)
    return texts.decode("ascii").split()


def _luhn(text: str, length: int, what: str) -> str:
    if len(text) != length or not (text.isascii() and text.isdigit()):
        msg = f"{what} has {length} digits"
        raise InvalidIdentifierError(msg)
    doubled = (2 * int(digit) for digit in text[-2::-2])
    total = sum(int(digit) for digit in text[-1::-2]) + sum(sum(divmod(value, 10)) for value in doubled)
    if total % 10:
        msg = f"the control key of {what} is wrong"
        raise InvalidIdentifierError(msg)
    return text
