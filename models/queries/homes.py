"""Where documents and messages lately were: what is asked about again needs no look-up of where it is.

What is remembered is a guess. An id stays in its dossier until that is erased, and whoever reads the dossier sees
whether it is there: if not, it is looked up anew. So nothing is decided by what is remembered, only found sooner.
"""

from collections import OrderedDict
from collections.abc import Collection
from uuid import UUID

from models.database import Reads
from models.errors import DatabaseError
from models.queries.whereabouts import find_apart


class Homes:
    """The dossiers of so many documents and messages; what has been known longest goes first."""

    def __init__(self, capacity: int = 32_768) -> None:
        self._capacity = capacity
        self._known: OrderedDict[UUID, UUID] = OrderedDict()

    async def find(self, database: Reads, identities: Collection[UUID]) -> dict[UUID, UUID | DatabaseError]:
        """As `find_apart`, but that some are guesses."""
        known = self._known
        found: dict[UUID, UUID | DatabaseError] = {each: known[each] for each in identities if each in known}
        if unknown := [each for each in identities if each not in found]:
            learnt = await find_apart(database, unknown)
            found |= learnt
            known |= {each: home for each, home in learnt.items() if isinstance(home, UUID)}
            while len(known) > self._capacity:
                known.popitem(last=False)
        return found

    def forget(self, identity: UUID) -> bool:
        """Whether it was known; it is no more."""
        return self._known.pop(identity, None) is not None


NO_HOMES = Homes(capacity=0)
"""Remembers none."""
