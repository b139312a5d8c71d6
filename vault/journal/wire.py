"""The members of an entry and of a line as they are written (vault/FORMAT.md); what has nothing to say is left out.

Members that are left out are UNSET and never a default: a default would be written or not depending on which object
it is, and the bytes would not be canonical.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from models.facts import Reference

Value = str | bool | None


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: str
    resource: Reference
    allowed: bool
    rule: str
    situation: int
    obligations: tuple[str, ...] | UnsetType = UNSET


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sealed; `situations` lists each situation once, the entry's own first, items give its index."""

    at: str
    subject: Reference
    action: str
    resource: Reference
    allowed: bool
    rule: str
    revision: str
    client: str
    request_id: str
    organization: str | UnsetType = UNSET
    authentication: str | UnsetType = UNSET
    profession: str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    patient_present: bool | UnsetType = UNSET
    refused_by: tuple[str, ...] | UnsetType = UNSET
    obligations: tuple[str, ...] | UnsetType = UNSET
    situations: tuple[tuple[str, ...], ...] | UnsetType = UNSET
    items: tuple[Item, ...] | UnsetType = UNSET
    change: dict[str, Value] | UnsetType = UNSET


Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    commitment: Hash
    dossier: UUID
    sequence: Annotated[int, msgspec.Meta(ge=1)]
    version: int
    previous: Hash | UnsetType = UNSET


encoder = msgspec.json.Encoder(order="sorted")
line_decoder = msgspec.json.Decoder(Line)
entry_decoder = msgspec.json.Decoder(Entry)
