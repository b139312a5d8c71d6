"""A dossier's life and the rights on it: each change is decided, carried out and journaled in one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import ConflictError, RefusedError
from api.services.judging import Actor, Judgement, Judging
from api.services.openers import opening_of
from api.services.references import document_of, of_dossier
from models.database import Database
from models.facts import Dossier, Particulars, Question, Reference, Relation, Representation
from models.identifiers import Ins
from models.queries import dossiers as stored
from models.queries.inquiries import add_inquiries, drop_inquiries
from models.queries.openings import add_opening
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, DossierState, InquirySource, RelationKind, ResourceType, Space, SubjectType
from vault.documents import Documents, Erasure
from vault.journal.entry import Value
from vault.keys import INS_PURPOSE, DossierKeys

_CHANGES_TO = {
    DossierState.CLOSED: Action.DOSSIER_CLOSE,
    DossierState.OPEN: Action.DOSSIER_REOPEN,
    DossierState.SUSPENDED: Action.DOSSIER_SUSPEND,
}
_THERE_IS_ONE = frozenset({"already-open", "dossier-closed"})
_GRANTS = frozenset({RelationKind.GRANTED, RelationKind.CARE_TEAM})


@dataclass(frozen=True, slots=True)
class Emergency:
    """The holder's three emergency switches."""

    refuses_break_glass: bool
    refuses_centre_15: bool
    masked_in_emergency: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """A dossier as its listing opens it: its switches, and how much of each space the asker may read."""

    dossier: Dossier
    readable: Mapping[Space, int]


@dataclass(frozen=True, slots=True)
class Accesses:
    """Who has access to a dossier, or is kept from it."""

    relations: Sequence[Relation]
    representations: Sequence[Representation]


class Dossiers:
    """The dossiers' use cases."""

    def __init__(
        self,
        database: Database,
        judging: Judging,
        keys: DossierKeys,
        documents: Documents,
        asked: Collection[InquirySource],
        pseudonym_secret: bytes,
        make_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._database = database
        self._judging = judging
        self._keys = keys
        self._documents = documents
        self._asked = asked
        self._pseudonym_secret = pseudonym_secret
        self._make_id = make_id

    def pseudonym(self, ins: str) -> UUID:
        """The person's pseudonym. Raises InvalidIdentifierError."""
        return Ins.parse(ins).pseudonym(self._pseudonym_secret)

    async def open(self, actor: Actor, ins: str, born: date, *, protected: bool) -> Dossier:
        """Open a person's dossier, and have those asked who know him.

        It is counted by a row that nothing ties to the dossier. Raises ConflictError if there is one,
        InvalidIdentifierError.
        """
        identity = self.pseudonym(ins)
        try:
            judgement = await self._judging.permit(actor, Action.DOSSIER_OPEN, of_dossier(identity))
        except RefusedError as refused:
            if refused.rule in _THERE_IS_ONE:
                raise ConflictError from None
            raise
        at = judgement.case.question.at

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.lock_dossier(connection, identity)  # one that is none: before its key, as everybody does
            sealed = await self._keys.seal_text(connection, identity, INS_PURPOSE, ins.encode("ascii"))
            opened = await stored.open_dossier(
                connection,
                identity,
                at=at,
                ins_sealed=sealed,
                born=born,
                protected=protected,
            )
            if not opened:
                raise ConflictError
            await add_opening(connection, self._make_id(), await opening_of(connection, judgement.case))
            await add_inquiries(connection, identity, self._asked, at)
            return {"state": DossierState.OPEN.value}

        await self._judging.carry_out(actor, judgement, change, dossier=identity)
        return Dossier(identity, DossierState.OPEN, born, protected)

    async def exist(self, actor: Actor, dossiers: Sequence[UUID]) -> list[bool]:
        """For each, whether a dossier is open, where the subject may know it. Never journaled (RULES §4.3)."""
        about = Reference(ResourceType.DOSSIER, "")
        question = Question(actor.subject, Action.DOSSIER_EXISTS.value, about, self._judging.now(), actor.context)
        judged = await self._judging.judge_open(actor.caller.client, question, dossiers)
        return [each in judged and judged[each].decision.allowed for each in dossiers]

    async def overview(self, actor: Actor, dossier: UUID) -> Overview:
        """State, switches, and counts of what the subject may read."""
        judgement = await self._judging.permit(actor, Action.DOCUMENT_LIST, of_dossier(dossier))
        readable = dict.fromkeys(Space, 0)
        for each in await self._judging.readable(actor, judgement):
            readable[DOCUMENT_TYPES[document_of(each)[1].document_type].space] += 1
        await self._judging.record(actor.caller, [judgement])
        return Overview(_known(judgement), readable)

    async def set_state(self, actor: Actor, dossier: UUID, state: DossierState) -> None:
        """Close, reopen or suspend; about a dossier that is closed nobody is asked any more."""
        judgement = await self._judging.permit(actor, _CHANGES_TO[state], of_dossier(dossier))
        before = _known(judgement)

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            if not await stored.set_state(connection, before.id, state, judgement.case.question.at):
                raise ConflictError
            if state is DossierState.CLOSED:
                await drop_inquiries(connection, before.id)
            return {"state": state.value, "was": before.state.value}

        await self._judging.carry_out(actor, judgement, change)

    async def erase(self, actor: Actor, dossier: UUID) -> None:
        """Destroy the dossier's key, and remove its facts; the journal stays."""
        judgement = await self._judging.permit(actor, Action.DOSSIER_ERASE, of_dossier(dossier))
        identity = _known(judgement).id
        erasures: list[Erasure] = []

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.lock_dossier(connection, identity)
            erasures.append(await self._documents.erase_dossier(connection, identity))
            if not await stored.erase_dossier(connection, identity):
                raise ConflictError
            return {"state": "none"}

        await self._judging.carry_out(actor, judgement, change)
        for erasure in erasures:
            await self._documents.finish(erasure)

    async def set_emergency(self, actor: Actor, dossier: UUID, switches: Emergency) -> Emergency:
        """The switches as set: masked documents are never shown in emergencies that are both refused (RULES §1)."""
        judgement = await self._judging.permit(actor, Action.EMERGENCY_SET, of_dossier(dossier))
        both_refused = switches.refuses_break_glass and switches.refuses_centre_15
        effective = Emergency(
            switches.refuses_break_glass,
            switches.refuses_centre_15,
            switches.masked_in_emergency and not both_refused,
        )
        values = {
            "refuses_break_glass": effective.refuses_break_glass,
            "refuses_centre_15": effective.refuses_centre_15,
            "masked_in_emergency": effective.masked_in_emergency,
        }

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_emergency(connection, _known(judgement).id, **values)
            return values

        await self._judging.carry_out(actor, judgement, change)
        return effective

    async def set_care_team_consent(self, actor: Actor, dossier: UUID, *, given: bool) -> None:
        """The holder's initial consent to the care team, given or withdrawn."""
        judgement = await self._judging.permit(actor, Action.CARE_TEAM_CONSENT, of_dossier(dossier))

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.set_care_team_consent(connection, _known(judgement).id, given=given)
            return {"care_team_consent": given}

        await self._judging.carry_out(actor, judgement, change)

    async def accesses(self, actor: Actor, dossier: UUID) -> Accesses:
        """Who has access, how, since and until when."""
        judgement = await self._judging.permit(actor, Action.ACCESS_LIST, of_dossier(dossier))
        identity = _known(judgement).id
        async with self._database.connect() as connection:
            relations = await stored.list_relations(connection, identity)
            representations = await stored.list_representations(connection, identity)
        await self._judging.record(actor.caller, [judgement])
        return Accesses(relations, representations)

    async def grant(self, actor: Actor, dossier: UUID, party: Reference, until: datetime | None) -> None:
        """Explicit consent for a professional or an organization."""
        await self._put_relation(
            actor, dossier, Action.ACCESS_GRANT, Relation(party, RelationKind.GRANTED, None, until)
        )

    async def block(self, actor: Actor, dossier: UUID, party: Reference) -> None:
        """Keep a professional or an organization out."""
        await self._put_relation(actor, dossier, Action.ACCESS_BLOCK, Relation(party, RelationKind.BLOCKED))

    async def withdraw(self, actor: Actor, dossier: UUID, party: Reference) -> None:
        """Unblock whoever is blocked, else end what was granted and the membership of the care team."""
        async with self._database.connect() as connection:
            held = await stored.list_relations(connection, dossier)
        now = self._judging.now()
        blocked = any(each.party == party and each.kind is RelationKind.BLOCKED and _holds(each, now) for each in held)
        action = Action.ACCESS_UNBLOCK if blocked else Action.ACCESS_REVOKE
        kinds = frozenset({RelationKind.BLOCKED}) if blocked else _GRANTS
        judgement = await self._judging.permit(actor, action, of_dossier(dossier), _beneficiary(party))

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            ended = await stored.delete_relations(connection, _known(judgement).id, party, kinds)
            return {"party": f"{party.type}/{party.id}", "ended": " ".join(sorted(ended))}

        await self._judging.carry_out(actor, judgement, change)

    async def declare_treating_physician(self, actor: Actor, dossier: UUID, rpps: str) -> None:
        """Declare a treating physician; the relation counts only for a physician (RULES §1)."""
        party = Reference(SubjectType.PROFESSIONAL, rpps)
        judgement = await self._judging.permit(
            actor, Action.TREATING_PHYSICIAN_DECLARE, of_dossier(dossier), _beneficiary(party)
        )

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            at = judgement.case.question.at
            await stored.declare_treating_physician(connection, _known(judgement).id, rpps, at)
            return {"party": f"{party.type}/{rpps}", "relation": RelationKind.TREATING_PHYSICIAN.value}

        await self._judging.carry_out(actor, judgement, change)

    async def end_treating_physician(self, actor: Actor, dossier: UUID, rpps: str) -> None:
        """End a treating physician's relation."""
        party = Reference(SubjectType.PROFESSIONAL, rpps)
        judgement = await self._judging.permit(
            actor, Action.TREATING_PHYSICIAN_END, of_dossier(dossier), _beneficiary(party)
        )

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.end_treating_physician(connection, _known(judgement).id, rpps)
            return {"party": f"{party.type}/{rpps}", "ended": RelationKind.TREATING_PHYSICIAN.value}

        await self._judging.carry_out(actor, judgement, change)

    async def _put_relation(self, actor: Actor, dossier: UUID, action: Action, given: Relation) -> None:
        judgement = await self._judging.permit(actor, action, of_dossier(dossier), _beneficiary(given.party))

        async def change(connection: AsyncConnection) -> Mapping[str, Value]:
            await stored.put_relation(connection, _known(judgement).id, given)
            until = given.until.isoformat() if given.until else None
            return {"party": f"{given.party.type}/{given.party.id}", "relation": given.kind.value, "until": until}

        await self._judging.carry_out(actor, judgement, change)


def _known(judgement: Judgement) -> Dossier:
    """The dossier of a permission; there is one, since `no-dossier` refuses all that comes here otherwise."""
    if judgement.case.dossier is None:
        raise RefusedError("no-dossier")
    return judgement.case.dossier


def _beneficiary(party: Reference) -> Particulars:
    if party.type == SubjectType.PROFESSIONAL:
        return Particulars(professional=party.id)
    return Particulars(organization=party.id)


def _holds(relation: Relation, at: datetime) -> bool:
    """Whether it is in force: from `since`, before `until` (RULES §1)."""
    begun = relation.since is None or relation.since <= at
    return begun and (relation.until is None or at < relation.until)
