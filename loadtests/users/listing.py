"""Listings, of a dossier and of the dossiers open to somebody, held against what is known of them."""

from collections.abc import Collection, Mapping
from typing import Any

from loadtests.checks import ids, next_token, wrong_dossiers
from loadtests.population import Document, Dossier
from loadtests.users.visit import Headers, Visit

_WHOLE_DOSSIER = 1_000
_PATIENTS_AT_ONCE = 200


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


def patients_listed(visit: Visit, rpps: str, patient: Dossier, other: Dossier) -> None:
    """The dossiers open to a professional, page by page until the patient's is there; the other must not be."""
    among, not_among = visit.person(patient), visit.person(other)
    search: dict[str, Any] = {
        "subject": {"type": "professional", "id": rpps},
        "action": {"name": "document:list"},
        "resource": {"type": "dossier"},
        "context": {"authentication": "cps"},
    }
    page: dict[str, Any] | None = {"limit": _PATIENTS_AT_ONCE}
    while page:
        found = visit.exchange(
            "list of patients",
            "POST",
            "/access/v1/search/resource",
            lambda answer: wrong_dossiers(answer, among, not_among),
            body=search | {"page": page},
        )
        page = None if among in ids(found) else page | {"token": next_token(found)}
