"""What travels about documents."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

MAX_KEY_CHARACTERS = 200
_Text = Annotated[str, Meta(min_length=1, max_length=4_000)]
_CONTENT_TYPE = (
    r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
    r'( ?; ?charset=("[A-Za-z0-9._:-]{1,40}"|[A-Za-z0-9._:-]{1,40}))?$'
)
_Title = Annotated[str, Meta(min_length=1, max_length=300)]


class Author(Struct, frozen=True, forbid_unknown_fields=True):
    """A professional (RPPS), an organization (FINESS) or a person (pseudonym)."""

    type: Literal["professional", "organization", "person"]
    id: str


class DocumentMetadata(Struct, frozen=True, forbid_unknown_fields=True):
    """The part `metadata` of a deposit."""

    document_type: str
    title: _Title
    content_type: Annotated[str, Meta(pattern=_CONTENT_TYPE)]
    created_at: Annotated[datetime, Meta(tz=True)]
    masked: bool = False
    withheld: bool = False
    hidden_from_representatives: bool = False
    replaces: UUID | None = None
    author: Author | None = None


class DepositReceipt(Struct, frozen=True):
    """What was kept: size in bytes and SHA-256 in hexadecimal, of the content as it was sent."""

    id: UUID
    version: int
    size: int
    sha256: str


class BatchMetadata(DocumentMetadata, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The part `metadata` of an item of a batch: `key` is the item's own idempotency key."""

    dossier: UUID
    key: Annotated[str, Meta(min_length=1, max_length=MAX_KEY_CHARACTERS)] | None = None


class BatchItem(Struct, frozen=True):
    """Two parts of the form, in this order, as often as there are documents."""

    metadata: BatchMetadata
    content: bytes


class BatchResult(Struct, frozen=True, omit_defaults=True):
    """What became of an item: what was kept, or the `status`, `reason` and sentence of the problem that it is.

    After `ended` nothing more of the request was read.
    """

    item: int
    ok: bool
    key: str | None = None
    id: UUID | None = None
    version: int | None = None
    size: int | None = None
    sha256: str | None = None
    status: int | None = None
    reason: str | None = None
    error: str | None = None
    ended: bool = False


class ContestView(Struct, frozen=True, omit_defaults=True):
    """That the patient contests a document, and whether its author keeps it."""

    reason: str
    at: datetime
    kept: bool = False
    answer: str = ""
    answered_at: datetime | None = None


class DocumentView(Struct, frozen=True, omit_defaults=True):
    """A document, content apart; `may` lists what the subject may do with it, `obligations` what reading it asks."""

    id: UUID
    dossier: UUID
    series: UUID
    version: int
    document_type: str
    space: str
    author: Author
    created_at: datetime
    status: str
    masked: bool
    withheld: bool
    hidden_from_representatives: bool
    may: list[str]
    obligations: list[str]
    has_content: bool
    title: str = ""
    content_type: str = ""
    size: int | None = None
    deposited_at: datetime | None = None
    contested: ContestView | None = None
    in_force: bool | None = None


class DocumentPage(Struct, frozen=True):
    """Documents, newest first; `next` is given back as `after`."""

    documents: list[DocumentView]
    next: str | None


class DocumentChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of these; what was revealed is not withheld again, so `withheld` is false."""

    masked: bool | UnsetType = UNSET
    withheld: bool | UnsetType = UNSET
    status: Literal["archived", "current"] | UnsetType = UNSET


class Contesting(Struct, frozen=True, forbid_unknown_fields=True):
    reason: _Text


class Keeping(Struct, frozen=True, forbid_unknown_fields=True):
    kept: bool
    reason: _Text
