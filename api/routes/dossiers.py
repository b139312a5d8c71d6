"""Dossiers, rights on them, and pseudonyms."""

from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer, NoContent
from api.errors import MalformedRequestError
from api.instants import in_utc
from api.openapi import DONE, Documented
from api.requests import Call, read_json
from api.schemas import dossiers as wire
from api.services.dossiers import Dossiers, Emergency, Overview
from models.facts import Dossier, Reference
from models.identifiers import parse_organization, parse_rpps
from models.vocabulary import DossierState, RelationKind, Scope, SubjectType

_encode = msgspec.json.Encoder().encode
_PARTIES = {SubjectType.PROFESSIONAL.value: parse_rpps, SubjectType.ORGANIZATION.value: parse_organization}
_EXAMPLE_INS = "215066912300112"
_EXAMPLE_DOSSIER = "0b7d5b0e-6f5c-4f0b-9c43-1f6a8c1d2e3f"


class IdentitiesController(Controller):
    """From the national identifier to the pseudonym."""

    path = "/v1/identities"
    opt = {"scope": None}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Identities"]  # noqa: RUF012 - likewise

    @post(
        status_code=200,
        summary="Pseudonym",
        documented=Documented(
            "The pseudonym.",
            body=wire.Identity,
            answer=wire.Pseudonym,
            body_examples={"child": {"ins": _EXAMPLE_INS}},
            answer_examples={"child": {"person": _EXAMPLE_DOSSIER}},
        ),
    )
    async def pseudonym(self, request: Call) -> ASGIApp:
        """The pseudonym of an INS: the only name that everything else knows."""
        asked = await read_json(request, wire.Identity)
        return JsonAnswer(_encode(wire.Pseudonym(_service(request).pseudonym(asked.ins))))


class DossiersController(Controller):
    """A dossier's life, its switches, and who may enter."""

    path = "/v1/dossiers"
    opt = {"scope": Scope.DOSSIERS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Dossiers"]  # noqa: RUF012 - likewise

    @post(
        status_code=201,
        summary="Open",
        documented=Documented(
            "The dossier.",
            body=wire.Opening,
            answer=wire.Dossier,
            status=201,
            body_examples={"child": {"ins": _EXAMPLE_INS, "born": "2015-06-20", "protected": False}},
        ),
    )
    async def open(self, request: Call) -> ASGIApp:
        """Open a person's dossier; 409 if there is one."""
        actor = actor_of(request)
        opening = await read_json(request, wire.Opening)
        opened = await _service(request).open(actor, opening.ins, opening.born, protected=opening.protected)
        return JsonAnswer(_encode(_dossier_view(opened)), 201)

    @post(
        "/exist",
        status_code=200,
        summary="The DMP button",
        documented=Documented(
            "One answer for each person, in the same order.",
            body=wire.Persons,
            answer=wire.Existences,
            body_examples={"one": {"persons": [_EXAMPLE_DOSSIER]}},
            answer_examples={"one": {"exist": [True]}},
        ),
    )
    async def exist(self, request: Call) -> ASGIApp:
        """Which of these persons have an open dossier; not journaled."""
        actor = actor_of(request)
        asked = await read_json(request, wire.Persons)
        return JsonAnswer(_encode(wire.Existences(await _service(request).exist(actor, asked.persons))))

    @get("/{dossier:uuid}", summary="Overview", documented=Documented("The dossier.", answer=wire.DossierOverview))
    async def overview(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """State, switches, and how many documents of each space the subject may read."""
        overview = await _service(request).overview(actor_of(request), dossier)
        return JsonAnswer(_encode(_overview_view(overview)))

    @delete("/{dossier:uuid}", status_code=200, summary="Erase", documented=DONE)
    async def erase(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """Destroy the dossier's key, and with it everything sealed; the journal stays."""
        await _service(request).erase(actor_of(request), dossier)
        return NoContent()

    @put(
        "/{dossier:uuid}/state",
        summary="Close, reopen, suspend",
        documented=Documented(
            "As asked.", body=wire.State, answer=wire.State, body_examples={"close": {"state": "closed"}}
        ),
    )
    async def set_state(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """`closed` closes, `open` reopens, `suspended` suspends."""
        actor = actor_of(request)
        asked = await read_json(request, wire.State)
        await _service(request).set_state(actor, dossier, DossierState(asked.state))
        return JsonAnswer(_encode(asked))

    @put(
        "/{dossier:uuid}/emergency",
        summary="Emergency switches",
        documented=Documented(
            "The switches in force.",
            body=wire.EmergencySwitches,
            answer=wire.EmergencySwitches,
            body_examples={
                "no break-glass": {
                    "refuses_break_glass": True,
                    "refuses_centre_15": False,
                    "masked_in_emergency": False,
                }
            },
        ),
    )
    async def set_emergency(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """The holder's three switches; masked documents stay masked where both emergency modes are refused."""
        actor = actor_of(request)
        asked = await read_json(request, wire.EmergencySwitches)
        switches = Emergency(asked.refuses_break_glass, asked.refuses_centre_15, asked.masked_in_emergency)
        effective = await _service(request).set_emergency(actor, dossier, switches)
        return JsonAnswer(_encode(msgspec.structs.replace(asked, masked_in_emergency=effective.masked_in_emergency)))

    @put(
        "/{dossier:uuid}/care-team-consent",
        summary="Care team",
        documented=Documented(
            "As asked.", body=wire.Consent, answer=wire.Consent, body_examples={"yes": {"given": True}}
        ),
    )
    async def set_care_team_consent(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """The holder's initial consent to the care team (CE 15 October 2025, n° 490409)."""
        actor = actor_of(request)
        asked = await read_json(request, wire.Consent)
        await _service(request).set_care_team_consent(actor, dossier, given=asked.given)
        return JsonAnswer(_encode(asked))

    @get(
        "/{dossier:uuid}/accesses",
        summary="Who has access",
        documented=Documented("All of them.", answer=wire.Accesses),
    )
    async def accesses(self, request: Call, dossier: FromPath[UUID]) -> ASGIApp:
        """Who has access, how, since and until when; expired ones included."""
        found = await _service(request).accesses(actor_of(request), dossier)
        relations = [
            wire.Access(each.party.type, each.party.id, each.kind.value, each.since, each.until)
            for each in found.relations
        ]
        people = [
            wire.Access(SubjectType.PERSON.value, str(each.person), each.kind.value, None, each.until)
            for each in found.representations
        ]
        return JsonAnswer(_encode(wire.Accesses(relations + people)))

    @put(
        "/{dossier:uuid}/accesses/{kind:str}/{identifier:str}",
        summary="Grant or block",
        documented=Documented(
            "As asked.",
            body=wire.AccessChange,
            answer=wire.AccessChange,
            body_examples={
                "grant": {"access": "granted", "until": "2027-01-01T00:00:00Z"},
                "block": {"access": "blocked"},
            },
        ),
    )
    async def set_access(
        self, request: Call, dossier: FromPath[UUID], kind: FromPath[str], identifier: FromPath[str]
    ) -> ASGIApp:
        """Let a professional or an organization in, or keep it out."""
        actor, party = actor_of(request), _party(kind, identifier)
        asked = await read_json(request, wire.AccessChange)
        if asked.access == RelationKind.BLOCKED.value:
            if asked.until is not None:
                raise MalformedRequestError("A block has no end: it holds until it is lifted.")
            await _service(request).block(actor, dossier, party)
        else:
            await _service(request).grant(actor, dossier, party, None if asked.until is None else in_utc(asked.until))
        return JsonAnswer(_encode(asked))

    @delete(
        "/{dossier:uuid}/accesses/{kind:str}/{identifier:str}", status_code=200, summary="Withdraw", documented=DONE
    )
    async def withdraw_access(
        self, request: Call, dossier: FromPath[UUID], kind: FromPath[str], identifier: FromPath[str]
    ) -> ASGIApp:
        """Unblock whoever is blocked; else end the grant and the membership of the care team."""
        await _service(request).withdraw(actor_of(request), dossier, _party(kind, identifier))
        return NoContent()

    @put(
        "/{dossier:uuid}/treating-physicians/{rpps:str}",
        status_code=200,
        summary="Declare a treating physician",
        documented=DONE,
    )
    async def declare_treating_physician(self, request: Call, dossier: FromPath[UUID], rpps: FromPath[str]) -> ASGIApp:
        """Several may be declared; only physicians count."""
        await _service(request).declare_treating_physician(actor_of(request), dossier, parse_rpps(rpps))
        return NoContent()

    @delete(
        "/{dossier:uuid}/treating-physicians/{rpps:str}",
        status_code=200,
        summary="End a treating physician",
        documented=DONE,
    )
    async def end_treating_physician(self, request: Call, dossier: FromPath[UUID], rpps: FromPath[str]) -> ASGIApp:
        """The relation ends at once."""
        await _service(request).end_treating_physician(actor_of(request), dossier, parse_rpps(rpps))
        return NoContent()


def _service(request: Call) -> Dossiers:
    service: Dossiers = request.app.state["dossiers"]
    return service


def _party(kind: str, identifier: str) -> Reference:
    if kind not in _PARTIES:
        raise MalformedRequestError("Access is given to a professional or to an organization.")
    return Reference(kind, _PARTIES[kind](identifier))


def _dossier_view(dossier: Dossier) -> wire.Dossier:
    return wire.Dossier(
        dossier.id,
        dossier.state.value,
        dossier.protected,
        dossier.care_team_consent,
        dossier.refuses_break_glass,
        dossier.refuses_centre_15,
        dossier.masked_in_emergency,
        dossier.born,
    )


def _overview_view(overview: Overview) -> wire.DossierOverview:
    counts = {space.value: count for space, count in overview.readable.items()}
    return wire.DossierOverview(**msgspec.structs.asdict(_dossier_view(overview.dossier)), spaces=counts)
