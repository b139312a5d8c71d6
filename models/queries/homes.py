"""Where documents and messages lately were: what is asked about again needs no look-up of where it is.

What is remembered is a guess. An id stays in its dossier until that is erased, and whoever reads the dossier sees
whether it is there: if not, it is looked up anew. So nothing is decided by what is remembered, only found sooner.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from uuid import UUID

from models.database import Reads
from models.errors import DatabaseError
from models.queries.whereabouts import find_apart


class Homes:
    """The dossiers of so many documents and messages; what has been known longest goes first."""

    def __init__(self, capacity: int = 32_768) -> None:
        self._capacity = capacity
        self._known: OrderedDict[UUID, UUID] = OrderedDict()

    def guess(self, identities: Iterable[UUID | None]) -> dict[UUID, UUID]:
        """Where those of them were that are remembered."""
        known = self._known
        return {each: known[each] for each in identities if each is not None and each in known}

    async def learn(self, database: Reads, identities: Collection[UUID]) -> dict[UUID, UUID | DatabaseError]:
        """As `find_apart`; what is found is remembered."""
        found = await find_apart(database, identities)
        self._known |= {each: home for each, home in found.items() if isinstance(home, UUID)}
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return found

    def forget(self, identities: Iterable[UUID]) -> None:
        """These are not where they were."""
        for each in identities:
            self._known.pop(each, None)


NO_HOMES = Homes(capacity=0)
"""Remembers none."""
