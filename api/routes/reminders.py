"""What people of the holder's age, sex and conditions are advised."""

from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.openapi import Documented
from api.requests import Call
from api.schemas import reminders as wire
from api.services.reminders import Reminder, ReminderService
from models.vocabulary import Scope

_encode = msgspec.json.Encoder().encode
_EXAMPLE = {
    "rule": "dtp-45",
    "status": "check",
    "text": {
        "fr": "Rappel diphtérie, tétanos, poliomyélite de 45 ans",
        "en": "Booster at 45: diphtheria, tetanus, poliomyelitis",
    },
    "since": "2021-03-14",
    "documents": ["9a1f0c7e-44c2-4c53-9d2b-6f0a1b2c3d4e"],
    "source": {
        "name": "Ministère chargé de la santé, calendrier des vaccinations et recommandations vaccinales",
        "year": 2025,
    },
}


@get(
    "/v1/dossiers/{dossier:uuid}/reminders",
    opt={"scope": Scope.DOCUMENTS},
    tags=["Views"],
    summary="Reminders",
    documented=Documented("Those of today.", answer=wire.Reminders, answer_examples={"one": {"reminders": [_EXAMPLE]}}),
)
async def reminders(request: Call, dossier: FromPath[UUID]) -> ASGIApp:
    """What is due at the holder's age, and with his conditions where structured documents tell them; with its source.

    Computed from what the subject may read, and from the sex that the INS tells. An act of the right code settles a
    reminder until the next one; a document that is not structured makes it `check`.
    """
    service: ReminderService = request.app.state["reminders"]
    found = await service.reminders(actor_of(request), dossier)
    return JsonAnswer(_encode(wire.Reminders([_view(each) for each in found])))


def _view(reminder: Reminder) -> wire.ReminderView:
    rule = reminder.rule
    return wire.ReminderView(
        rule.key,
        "check" if reminder.documents else "due",
        {"fr": rule.text_fr, "en": rule.text_en},
        reminder.since,
        list(reminder.documents),
        wire.ReminderSource(rule.source, rule.year),
        reminder.last,
        list(reminder.grounds),
    )
