"""In which dossier a document or message is: buckets of entries, one for each id, 32 bytes long.

A row for each would take 90 bytes with its index, of which a quarter is the id; the buckets' own index stays in memory.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID
from zlib import crc32

from models.identifiers import pseudonym_of

ENTRY_SIZE = 32
_ID_SIZE = 16
_BUCKETS = 1 << 24


def bucket_of(identity: UUID) -> int:
    """The bucket of an id, whichever: ids made by others need not be random in all their bits."""
    return bucket_of_entry(identity.bytes)


def bucket_of_entry(entry: bytes) -> int:
    """The same of an id's bytes, and of what begins with them."""
    return crc32(entry[:_ID_SIZE]) % _BUCKETS


def entries_of(placed: Iterable[tuple[UUID, UUID]]) -> dict[int, bytes]:
    """Ids and their dossiers, as the entries of their buckets, in ascending order of these."""
    buckets: dict[int, list[bytes]] = defaultdict(list)
    for identity, dossier in placed:
        buckets[bucket_of(identity)].append(identity.bytes + dossier.bytes)
    return {bucket: b"".join(buckets[bucket]) for bucket in sorted(buckets)}


def find_dossier(entries: bytes, identity: UUID) -> UUID | None:
    """The dossier of an id in its bucket. The same bytes may stand elsewhere, across two fields: those are no entry."""
    places = _places(entries, identity.bytes)
    return pseudonym_of(entries[places[0] + _ID_SIZE : places[0] + ENTRY_SIZE]) if places else None


def has(entries: bytes, entry: bytes) -> bool:
    """Whether a bucket has this entry."""
    return bool(_places(entries, entry))


def are_apart(entries: bytes, added: int) -> bool:
    """Whether the ids in the last bytes of a bucket, as many as were added, each stand in it once."""
    begins = range(len(entries) - added, len(entries), ENTRY_SIZE)
    return all(len(_places(entries, entries[begin : begin + _ID_SIZE])) == 1 for begin in begins)


def without(entries: bytes, gone: Iterable[UUID]) -> bytes:
    """The bucket without these ids."""
    left = {identity.bytes for identity in gone}
    cut = (entries[place : place + ENTRY_SIZE] for place in range(0, len(entries), ENTRY_SIZE))
    return b"".join(entry for entry in cut if entry[:_ID_SIZE] not in left)


def _places(entries: bytes, wanted: bytes) -> list[int]:
    found, place = [], -1
    while (place := entries.find(wanted, place + 1)) >= 0:
        if place % ENTRY_SIZE == 0:
            found.append(place)
    return found
