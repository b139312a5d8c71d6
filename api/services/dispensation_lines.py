"""A line of the pharmaceutical record: one FHIR R4 MedicationDispense, with whose it is and who handed it out. Pure.

The person's INS is the identifier of the subject, the pharmacy's FINESS that of a performer, under the systems of the
CI-SIS; the dispensation's own identifier is what makes it one. None of them stands anywhere but in the line.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from api.errors import MalformedRequestError
from api.services import fhir_forms as form
from api.services.fhir_times import day_of
from api.services.fhir_validation import validated
from models.identifiers import Ins, parse_organization

_PARIS = ZoneInfo("Europe/Paris")
_INS = frozenset(f"urn:oid:1.2.250.1.213.1.4.{kind}" for kind in (8, 9, 10, 11))  # NIR, NIA, and those of tests
_FINESS = frozenset({"https://finess.esante.gouv.fr", "urn:oid:1.2.250.1.71.4.2.2"})
_NATIONAL_PREFIX, _FINESS_DIGITS = "1", 9  # the CI-SIS writes a FINESS with the digit of its kind before it
_LONGEST_ID = 100


class _Performer(msgspec.Struct):
    actor: form.Reference | None = None


class _Dispense(msgspec.Struct, rename="camel"):
    subject: form.Reference | None = None
    identifier: list[form.Identifier] = []
    performer: list[_Performer] = []
    when_handed_over: str | None = None


@dataclass(frozen=True, slots=True)
class Dispensation:
    """What was handed out, `content` being the resource as it came."""

    id: str = field(repr=False)
    ins: str = field(repr=False)
    pharmacy: str
    handed_over: datetime
    content: bytes = field(repr=False)
    name: str = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """Of the resource."""
        return hashlib.sha256(self.content).digest()

    def document(self, secret: bytes, dossier: UUID) -> UUID:
        """The id of its document: the same dispensation, whoever tells of it, finds it taken."""
        told = f"dispensations/{dossier}/{self.pharmacy}/{self.name}".encode()
        return UUID(bytes=hmac.digest(secret, told, hashlib.sha256)[:16])


def read_dispensation(data: bytes, now: datetime) -> Dispensation:
    """Raises MalformedRequestError with a sentence that repeats nothing, InvalidIdentifierError."""
    if validated(data) != "MedicationDispense":
        raise MalformedRequestError("The line is no MedicationDispense.")
    told = msgspec.json.decode(data, type=_Dispense)
    ins = _one([told.subject.identifier] if told.subject else [], _INS, "subject has no identifier that is an INS")
    actors = [each.actor.identifier for each in told.performer if each.actor]
    pharmacy = _one(actors, _FINESS, "performer has no single actor whose identifier is a FINESS")
    if len(pharmacy) == _FINESS_DIGITS + 1:
        pharmacy = pharmacy.removeprefix(_NATIONAL_PREFIX)
    named = next((each for each in told.identifier if each.value), None)
    if named is None or not named.value or len(named.value) > _LONGEST_ID:
        msg = f"The member identifier has no value of 1 to {_LONGEST_ID} characters."
        raise MalformedRequestError(msg)
    handed_over = _instant(told.when_handed_over)
    if handed_over is None or handed_over > now:
        raise MalformedRequestError("The member whenHandedOver is missing or in the future.")
    return Dispensation(
        named.value,
        Ins.parse(ins).value,
        parse_organization(pharmacy),
        handed_over,
        data,
        f"{named.system or ''}|{named.value}",
    )


def _one(identifiers: Iterable[form.Identifier | None], systems: frozenset[str], fault: str) -> str:
    found = {each.value for each in identifiers if each and each.value and each.system in systems}
    if len(found) != 1:
        msg = f"The member {fault}."
        raise MalformedRequestError(msg)
    return found.pop()


def _instant(text: str | None) -> datetime | None:
    """Of a day alone, its beginning in Paris."""
    day = day_of(text)
    if day is None or text is None:
        return None
    at = datetime.fromisoformat(text) if "T" in text else datetime.combine(day, time(), _PARIS)
    return (at if at.tzinfo else at.replace(tzinfo=_PARIS)).astimezone(UTC)
