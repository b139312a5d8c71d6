"""A page of the journal as a FHIR R4 Bundle (https://hl7.org/fhir/R4/bundle.html), as a search answers it.

It has no `total`: how many entries there are for whoever asks would have to be counted at each page.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid5

from vault.journal.entry import Entry
from vault.journal.fhir import audit_event

Json = dict[str, Any]


def searchset(entries: Iterable[tuple[int, Entry]], links: Mapping[str, str]) -> Json:
    """Entries with their numbers as AuditEvents; `links` are the addresses of this page and of the `next`.

    What was erased is no AuditEvent any more, since nobody knows who did what: it is left out, as anywhere.
    """
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
    }
    told = [_entry(number, entry) for number, entry in entries]
    return bundle | ({"entry": told} if told else {})


def _entry(number: int, entry: Entry) -> Json:
    """The id is the dossier and the number in it, by which the proof is asked for."""
    event = audit_event(entry)
    identified = {"resourceType": event["resourceType"], "id": f"{entry.dossier}-{number}"}
    url = uuid5(entry.dossier, str(number)).urn
    return {"fullUrl": url, "resource": identified | event, "search": {"mode": "match"}}
