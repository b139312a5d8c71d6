"""What ties and documents are made of: parties, words and instants, as bytes."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from models.facts import Reference
from models.identifiers import InvalidIdentifierError, parse_pseudonym
from models.instants import instant_from_integer, instant_to_integer
from models.vocabulary import SubjectType

PARTIES = (SubjectType.ORGANIZATION.value, SubjectType.PERSON.value, SubjectType.PROFESSIONAL.value)
PARTY_CODES: dict[str, int] = {word: code for code, word in enumerate(PARTIES)}
WORD_SIZE = 16

_A_PERSON = SubjectType.PERSON.value  # of millions of documents asked: a member of an Enum is slow to reach
PERSON = PARTY_CODES[_A_PERSON]
_NEVER = -(1 << 63)
_WORDS = 8_192  # remembered: types of documents, and parties of the dossiers that are read often; some 2 MB


def is_party(party: Reference) -> bool:
    if party.type == SubjectType.PERSON:
        try:
            return bool(parse_pseudonym(party.id))
        except InvalidIdentifierError:
            return False
    return party.type in PARTY_CODES and is_storable(party.id)


def pack_party(party_type: str, party: str) -> bytes:
    return UUID(party).bytes if party_type == _A_PERSON else pack_word(party)


def packed_party(party: Reference) -> tuple[bytes, int] | None:
    """A party as it stands in a sheet, with the code of its kind; None for who cannot be one."""
    return (filled(pack_party(party.type, party.id)), PARTY_CODES[party.type]) if is_party(party) else None


def unpack_party(kind: int, party: bytes) -> str:
    return str(UUID(bytes=party)) if kind == PERSON else unpack_word(party)


def is_storable(text: str) -> bool:
    return 0 < len(text) <= WORD_SIZE and text.isascii() and text.isprintable()


@lru_cache(maxsize=_WORDS)
def pack_word(text: str) -> bytes:
    """Without what it is filled up with. Raises ValueError on a word that is none that can be stored."""
    if not is_storable(text):
        raise ValueError(f"not 1 to {WORD_SIZE} printable characters of ASCII")
    return text.encode("ascii")


@lru_cache(maxsize=_WORDS)
def unpack_word(packed: bytes) -> str:
    return packed.rstrip(b"\0").decode("ascii")


def filled(packed: bytes) -> bytes:
    """Filled up as it stands in a sheet."""
    return packed.ljust(WORD_SIZE, b"\0")


def pack_instant(instant: datetime | None) -> int:
    return _NEVER if instant is None else instant_to_integer(instant)


def unpack_instant(instant: int) -> datetime | None:
    return None if instant == _NEVER else instant_from_integer(instant)
