"""Searching in titles: these are sealed where they are stored, so it is done in memory over what may be read."""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from api.errors import MalformedRequestError
from api.services.documents import DocumentService, Listing, Shelf, Wanted
from api.services.judging import Actor, Judgement, Judging
from api.services.references import of_dossier
from models.vocabulary import Action
from vault.documents import Kept

MOST_TITLES = 1_000
"""So many are opened for one request; `next` is where the search goes on."""

_AT_ONCE = 128
_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, without accents and case: `Œdème du côté gauche` has `oedeme`, `du`, `cote`, `gauche`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return tuple(_WORD.findall(plain.translate(_LIGATURES)))


def is_found(sought: tuple[str, ...], title: str) -> bool:
    """Whether each word sought begins one of the title's."""
    told = words_of(title)
    return all(any(word.startswith(beginning) for word in told) for beginning in sought)


class TitleSearch:
    """The search in the titles of a dossier."""

    def __init__(self, judging: Judging, documents: DocumentService, most_titles: int = MOST_TITLES) -> None:
        self._judging = judging
        self._documents = documents
        self._most_titles = most_titles

    async def page(
        self, actor: Actor, dossier: UUID, title: str, wanted: Wanted, after: str | None, limit: int
    ) -> Listing:
        """What the subject may read of which the title has these words; one entry of the journal names what is shown.

        A page may be empty and not the last: so many titles were opened, and more may be. A title that does not open
        is not found; a listing shows its document. Raises MalformedRequestError if there is no word.
        """
        sought = words_of(title)
        if not sought:
            raise MalformedRequestError("The member title has no letter or digit in it.")
        entered = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        read, following = await self._documents.readable(actor, entered, wanted, after, self._most_titles)
        shown = await self._first(dossier, read, sought, limit + 1)
        if len(shown) > limit:
            shown = shown[:limit]
            following = wanted.place_of(shown[-1].case)
        await self._judging.record(actor.caller, [entered, *shown])
        shelf = await self._documents.shelf(dossier, shown)
        return Listing(await self._documents.sheets(actor, shelf, shown), following)

    async def _first(
        self, dossier: UUID, read: Sequence[Judgement], sought: tuple[str, ...], most: int
    ) -> list[Judgement]:
        """The first of which the titles have these words: some are opened at a time, so that others have their turn."""
        found: list[Judgement] = []
        for start in range(0, len(read), _AT_ONCE):
            some = read[start : start + _AT_ONCE]
            shelf = await self._documents.shelf(dossier, some)
            found += [each for each in some if _holds(shelf, each, sought)]
            if len(found) >= most:
                break
        return found[:most]


def _holds(shelf: Shelf, judgement: Judgement, sought: tuple[str, ...]) -> bool:
    document = judgement.case.document
    kept = shelf.kept.get(document.id) if document else None
    return isinstance(kept, Kept) and is_found(sought, kept.title)
