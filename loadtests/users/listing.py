"""A listing, held against what is known of the dossier."""

from collections.abc import Collection, Mapping
from typing import Any

from loadtests.population import Document, Dossier
from loadtests.users.visit import Headers, Visit

_WHOLE_DOSSIER = 1_000


def listed(visit: Visit, dossier: Dossier, headers: Headers, *, hidden: Collection[Document]) -> None:
    """All documents of the population must be there but those that are hidden from who asks, which must not."""
    secret = {str(document.id) for document in hidden}
    wanted = {str(document.id) for document in dossier.documents} - secret

    def check(page: Mapping[str, Any]) -> str | None:
        shown = {each["id"] for each in page["documents"]}
        if shown & secret:
            return "a document is shown that is hidden from who asks"
        return None if wanted <= shown or page.get("next") else "a document is missing"

    person = visit.person(dossier)
    visit.exchange("listing", "GET", f"/v1/dossiers/{person}/documents?limit={_WHOLE_DOSSIER}", check, headers=headers)
