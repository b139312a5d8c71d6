"""What one entry of the journal says, and the bytes over which it is hashed.

Bytes are canonical JSON (RFC 8785: sorted members, no spaces, UTF-8), so that the same entry always has the same
hash and anyone can recompute it (vault/FORMAT.md). `Entry` is what the caller knows; `Line` puts it in its place and
commits to it: the tree hashes the commitment, never the entry, so that an erased entry leaves every proof as it was.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import force_setattr, replace

from models.decisions import Decision
from models.facts import Case, Professional, Reference
from models.vocabulary import DossierState, Mode, ResourceType
from vault.errors import JournalEntryError
from vault.journal import wire
from vault.journal.words import storable, word

VERSION = 2
SALT_SIZE = 32

NO_DOSSIER = UUID(int=0)
"""The dossier under which questions about no known dossier are written."""

POLICY_SWAP = "policy:swap"
"""The action of an entry which says that other rules decide from now on. It belongs to no dossier."""

JOURNAL_ERASE = "journal:erase"
"""The action of an entry which says that the journal of its resource, a dossier, can be read no more."""

SERVICE = "service"
"""The type of the subject of what this service does by itself, which is no decision."""

_NORMAL = Mode.NORMAL.value
_WORDS = ("action", "client", "request_id", "mode", "organization", "authentication", "profession")
_LONGEST_REASON = 4_000

Value = wire.Value
"""What a change of rights may have changed something to."""

_NO_CHANGE: Mapping[str, Value] = MappingProxyType({})


class Item(Struct, frozen=True):
    """One line of a batch, a listing or an export, decided on its own.

    `situation` holds the words of the situation that was judged, so that it can be judged again under other rules.
    """

    action: str
    resource: Reference
    allowed: bool
    rule: str
    obligations: tuple[str, ...] = ()
    situation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _take_words(self, ("action",), ("resource",))


class Entry(Struct, frozen=True):
    """One decision, given or refused, or one change of rights (RULES §4.3).

    It holds no INS, no name and no content. What a caller wrote stands as it came, except that an INS is hidden,
    words are cut at 200 characters and the reason at 4,000, and what no database stores (NUL, half characters) is
    replaced: no question can keep the others of its commit from being written. Raises ValueError on an instant
    without time zone.

    `client` is the component that asked; `revision` the digest of the rule set; `organization` where a
    professional acts, if it is one of his; `profession` that of a professional who asks about documents, by which
    they were open to him or not; `change` what a change of rights changed.
    """

    at: datetime
    dossier: UUID
    subject: Reference
    action: str
    resource: Reference
    allowed: bool
    rule: str
    revision: str
    client: str
    request_id: str
    organization: str | None = None
    authentication: str | None = None
    profession: str | None = None
    mode: str = _NORMAL
    reason: str = ""
    patient_present: bool = False
    refused_by: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    situation: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    change: Mapping[str, Value] = _NO_CHANGE

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the instant of an entry has a time zone")
        if self.at.tzinfo is not UTC:
            force_setattr(self, "at", self.at.astimezone(UTC))
        _take_words(self, _WORDS, ("subject", "resource"))
        if self.reason:
            force_setattr(self, "reason", storable(self.reason)[:_LONGEST_REASON])
        if self.change is not _NO_CHANGE:
            change = {name: word(value) if isinstance(value, str) else value for name, value in self.change.items()}
            force_setattr(self, "change", MappingProxyType(change))

    def __hash__(self) -> int:
        return hash((self.dossier, self.at, self.subject, self.action, self.request_id))

    def __repr__(self) -> str:
        """All but the reason, in which a professional may tell of his patient."""
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "reason")
        return f"Entry({', '.join(shown)})"

    @classmethod
    def of(
        cls,
        case: Case,
        decision: Decision,
        *,
        client: str,
        request_id: str,
        revision: str,
        situation: Iterable[str] = (),
        items: Iterable[Item] = (),
        change: Mapping[str, Value] | None = None,
    ) -> "Entry":
        """The entry of a decision on a case, under its dossier if there is one.

        An opening creates the dossier that it is written under: `replace(entry, dossier=...)`.
        """
        question, context = case.question, case.question.context
        known = case.dossier is not None and case.dossier.state is not DossierState.NONE
        professional = case.subject if isinstance(case.subject, Professional) else None
        own = professional is not None and context.organization in professional.organizations
        return cls(
            at=question.at,
            dossier=case.dossier.id if known and case.dossier is not None else NO_DOSSIER,
            subject=question.subject,
            action=question.action,
            resource=question.resource,
            allowed=decision.allowed,
            rule=decision.rule,
            revision=revision,
            client=client,
            request_id=request_id,
            organization=context.organization if own else None,
            authentication=context.authentication,
            profession=professional.profession if professional is not None and case.document is not None else None,
            mode=context.mode,
            reason=context.reason,
            patient_present=context.patient_present,
            refused_by=decision.refused_by,
            obligations=decision.obligations,
            situation=tuple(situation),
            items=tuple(items),
            change=change or _NO_CHANGE,
        )

    def encode(self) -> bytes:
        """Canonical bytes of all but the dossier, which the line tells."""
        situations: dict[tuple[str, ...], int] = {self.situation: 0}
        for item in self.items:
            situations.setdefault(item.situation, len(situations))
        return wire.encoder.encode(
            wire.Entry(
                at=_instant(self.at),
                subject=self.subject,
                action=self.action,
                resource=self.resource,
                allowed=self.allowed,
                rule=self.rule,
                revision=self.revision,
                client=self.client,
                request_id=self.request_id,
                organization=UNSET if self.organization is None else self.organization,
                authentication=UNSET if self.authentication is None else self.authentication,
                profession=UNSET if self.profession is None else self.profession,
                mode=UNSET if self.mode == _NORMAL else self.mode,
                reason=self.reason or UNSET,
                patient_present=self.patient_present or UNSET,
                refused_by=self.refused_by or UNSET,
                obligations=self.obligations or UNSET,
                situations=UNSET if situations == {(): 0} else tuple(situations),
                items=tuple(
                    wire.Item(
                        action=item.action,
                        resource=item.resource,
                        allowed=item.allowed,
                        rule=item.rule,
                        obligations=item.obligations or UNSET,
                        situation=situations[item.situation],
                    )
                    for item in self.items
                )
                or UNSET,
                change=dict(self.change) or UNSET,
            )
        )

    @classmethod
    def parse(cls, data: bytes, dossier: UUID) -> "Entry":
        """Read canonical bytes back; any other spelling of the same entry is refused.

        Raises JournalEntryError.
        """
        try:
            entry = _entry_of(wire.entry_decoder.decode(data), dossier)
        except (ValueError, IndexError, OverflowError, RecursionError):
            raise JournalEntryError("not an entry of the journal") from None
        if entry.encode() != data:
            raise JournalEntryError("not an entry in canonical form")
        return entry


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in its place: the `sequence`-th of its dossier, from 1. Once it was erased, `entry` is None.

    `previous` is the leaf hash of the line before it in the same dossier, empty for the first, so that the patient
    who holds one line can tell that none was taken out before it. `commitment` is SHA-256 of salt and entry; without
    the salt, which goes with the entry, nobody can find out by trying what was committed to.
    """

    entry: Entry | None
    dossier: UUID
    sequence: int
    previous: bytes
    commitment: bytes
    salt: bytes = field(repr=False)

    @classmethod
    def of(cls, entry: Entry, sequence: int, previous: bytes, salt: bytes) -> "Line":
        """The line of an entry; `salt` is 32 random bytes."""
        return cls(entry, entry.dossier, sequence, previous, commit(salt, entry.encode()), salt)

    def encode(self) -> bytes:
        """Canonical bytes, which the leaf hash is taken over."""
        return place(self.dossier, self.sequence, self.previous, self.commitment)

    @classmethod
    def parse(cls, data: bytes, opened: tuple[bytes, bytes] | None) -> "Line":
        """Read canonical bytes back, with the salt and the entry's own bytes, or None once these were erased.

        Any other spelling is refused, and whatever was not committed to. Raises JournalEntryError.
        """
        try:
            read = wire.line_decoder.decode(data)
            previous, commitment = bytes.fromhex(read.previous or ""), bytes.fromhex(read.commitment)
        except (ValueError, RecursionError):
            raise JournalEntryError("not a line of the journal") from None
        if read.version != VERSION or place(read.dossier, read.sequence, previous, commitment) != data:
            raise JournalEntryError(f"not a line in canonical form, version {VERSION}")
        return cls.restored(read.dossier, read.sequence, previous, commitment, opened)

    @classmethod
    def restored(
        cls, dossier: UUID, sequence: int, previous: bytes, commitment: bytes, opened: tuple[bytes, bytes] | None
    ) -> "Line":
        """The line of its parts, `opened` being salt and entry. Raises JournalEntryError as `parse`."""
        if opened is None:
            return cls(None, dossier, sequence, previous, commitment, b"")
        salt, payload = opened
        if len(salt) != SALT_SIZE or commit(salt, payload) != commitment:
            raise JournalEntryError("the entry is not the one that was committed to")
        return cls(Entry.parse(payload, dossier), dossier, sequence, previous, commitment, salt)


class Receipt(Struct, frozen=True):
    """Where an entry stands: the `sequence`-th of its dossier."""

    dossier: UUID
    sequence: int


def commit(salt: bytes, payload: bytes) -> bytes:
    """What a line tells of its entry."""
    return hashlib.sha256(salt + payload).digest()


def place(dossier: UUID, sequence: int, previous: bytes, commitment: bytes) -> bytes:
    """The canonical bytes of a line: all that is left to do under the lock."""
    return wire.encoder.encode(
        wire.Line(commitment.hex(), dossier, sequence, VERSION, previous.hex() if previous else UNSET)
    )


def fold(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each dossier, subject, context and rule set among the entries of a batch, with the batch's items.

    What was asked alone stays as it is. A folded entry is permitted if any item is, by that item's rule, and names the
    dossier as its resource; its action is that of the items if they agree, else `evaluations`.
    """
    return fold_alike((entry, entry.resource) for entry in entries)


def fold_alike(told: Iterable[tuple[Entry, Reference]]) -> list[Entry]:
    """The same of entries that several items share, being decided alike: each with the resource asked about."""
    groups: dict[tuple[object, ...], list[tuple[Entry, Reference]]] = {}
    group_of: dict[int, list[tuple[Entry, Reference]]] = {}
    for entry, resource in told:
        if (group := group_of.get(id(entry))) is None:
            said = (entry.organization, entry.authentication, entry.mode, entry.reason, entry.patient_present)
            group = groups.setdefault((entry.dossier, entry.subject, entry.revision, *said), [])
            group_of[id(entry)] = group
        group.append((entry, resource))
    return [_alone(*group[0]) if len(group) == 1 else _folded(group) for group in groups.values()]


def _alone(entry: Entry, resource: Reference) -> Entry:
    return entry if entry.resource == resource else replace(entry, resource=resource)


def _folded(group: Sequence[tuple[Entry, Reference]]) -> Entry:
    entries = [entry for entry, _ in group]
    deciding = next((entry for entry in entries if entry.allowed), entries[0])
    actions = {entry.action for entry in entries}
    return replace(
        deciding,
        action=actions.pop() if len(actions) == 1 else "evaluations",
        resource=Reference(ResourceType.DOSSIER.value, str(deciding.dossier)),
        refused_by=(),
        obligations=tuple(dict.fromkeys(word for entry in entries for word in entry.obligations)),
        situation=(),
        profession=next((entry.profession for entry in entries if entry.profession is not None), None),
        items=tuple(
            Item(entry.action, resource, entry.allowed, entry.rule, entry.obligations, entry.situation)
            for entry, resource in group
        ),
    )


def _entry_of(read: wire.Entry, dossier: UUID) -> Entry:
    situations = read.situations or ((),)
    return Entry(
        at=datetime.fromisoformat(read.at),
        dossier=dossier,
        subject=read.subject,
        action=read.action,
        resource=read.resource,
        allowed=read.allowed,
        rule=read.rule,
        revision=read.revision,
        client=read.client,
        request_id=read.request_id,
        organization=None if read.organization is UNSET else read.organization,
        authentication=None if read.authentication is UNSET else read.authentication,
        profession=None if read.profession is UNSET else read.profession,
        mode=_NORMAL if read.mode is UNSET else read.mode,
        reason=read.reason or "",
        patient_present=read.patient_present or False,
        refused_by=read.refused_by or (),
        obligations=read.obligations or (),
        situation=situations[0],
        items=tuple(
            Item(
                action=item.action,
                resource=item.resource,
                allowed=item.allowed,
                rule=item.rule,
                obligations=item.obligations or (),
                situation=situations[item.situation],
            )
            for item in read.items or ()
        ),
        change=read.change or {},
    )


@lru_cache(maxsize=64)
def _instant(at: datetime) -> str:
    """As entries tell it; those that are decided together have it in common."""
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _take_words(told: Struct, words: Iterable[str], references: Iterable[str]) -> None:
    """What a caller wrote in these members, as the journal takes it; nearly always as it came."""
    for name in words:
        came = getattr(told, name)
        if came is not None and (taken := word(came)) is not came:
            force_setattr(told, name, taken)
    for name in references:
        came = getattr(told, name)
        type_, id_ = word(came.type), word(came.id)
        if type_ is not came.type or id_ is not came.id:
            force_setattr(told, name, Reference(type_, id_))
