"""The transaction that adds entries to the journal: a fixed number of statements, however many entries.

Entries are durable with it, numbered and chained in their dossiers. Their place in the tree comes later
(`vault.journal.sequencer`), so that writers of different dossiers never wait for each other.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Loaded, load_new, write_together
from models.tables import has_read, journal_entry, journal_waiting
from models.vocabulary import Action, SubjectType
from vault.journal.chains import Chain, hold, moved
from vault.journal.counting import count_emergencies
from vault.journal.entry import SALT_SIZE, Entry, Item, Receipt, commit, place
from vault.journal.keys import DRAWN, JournalKeys, Randomness
from vault.journal.notifying import notify
from vault.journal.tree import leaf_hash

_ENTRY = tuple(column.name for column in journal_entry.columns)
_WAITING = ("dossier", "sequence", "leaf")
_PROFESSIONAL, _READ = SubjectType.PROFESSIONAL.value, Action.DOCUMENT_READ.value
_HAS_READ = "has_read"  # as a situation says it (RULES §1)


async def append(
    connection: AsyncConnection, keys: JournalKeys, entries: Iterable[Entry], randomness: Randomness
) -> list[Receipt]:
    """Add entries in this order; remember who has now read something of a dossier, and leave word of what must be told.

    The first is the fact `has_read` of RULES §1. Accesses in an emergency are counted. Raises as
    `vault.journal.chains.hold` does.
    """
    written = list(entries)
    if not written:
        return []
    payloads = [entry.encode() for entry in written]
    drawn = randomness(DRAWN * len(written))
    await _remember_readers(connection, written)
    await count_emergencies(connection, written)
    chains = await hold(connection, keys, {entry.dossier for entry in written})
    receipts, rows, waiting = [], [], []
    for number, (entry, payload) in enumerate(zip(written, payloads, strict=True)):
        chain = chains[entry.dossier]
        row = _row(chain, entry, payload, drawn[DRAWN * number : DRAWN * (number + 1)])
        receipts.append(Receipt(entry.dossier, chain.sequence))
        rows.append((*row, entry.at, keys.subject(entry.subject)))
        waiting.append(row[: len(_WAITING)])
    entered, arrived = Loaded(journal_entry, _ENTRY, rows), Loaded(journal_waiting, _WAITING, waiting)
    await write_together(connection, entered, arrived, moved(chains))
    await notify(connection, list(zip(written, receipts, strict=True)))
    return receipts


def _row(chain: Chain, entry: Entry, payload: bytes, drawn: bytes) -> tuple[object, ...]:
    """An entry's row, but for what it is searched by; it is the last of its chain from now on."""
    sequence, previous = chain.sequence + 1, chain.leaf
    commitment = commit(drawn[:SALT_SIZE], payload)
    leaf = leaf_hash(place(entry.dossier, sequence, previous, commitment))
    chain.sequence, chain.leaf = sequence, leaf
    return entry.dossier, sequence, leaf, previous, commitment, chain.key.seal(sequence, payload, drawn)


async def _remember_readers(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Done before any chain is locked: whoever erases a dossier takes these rows away first too."""
    readers = sorted({(entry.dossier, entry.subject.id) for entry in entries if _reads(entry)}, key=_in_order)
    if readers:
        await load_new(connection, has_read, readers)


def _in_order(reader: tuple[UUID, str]) -> tuple[int, str]:
    return reader[0].int, reader[1]


def _reads(entry: Entry) -> bool:
    """Whether a professional now reads something of the dossier who, as the situation was judged, had not before."""
    if entry.subject.type != _PROFESSIONAL:
        return False
    told: tuple[Entry | Item, ...] = (entry, *entry.items)
    return any(one.allowed and one.action == _READ and _HAS_READ not in one.situation for one in told)
