"""What FHIR resources say of medicines, vaccinations and diseases: one alone, or those of a bundle.

What was not done, was cancelled or entered in error is passed over, as are plans and proposals, and diseases that are
past or ruled out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import msgspec

from api.services import fhir_forms as form
from api.services.clinical_codes import fhir_code, with_substances
from api.services.clinical_facts import Act, Code, Condition, Medicine
from api.services.fhir_times import day_of, days_of, last_of, paris_day
from models.facts import Document
from models.identifiers import InvalidIdentifierError, parse_rpps
from models.vocabulary import Category, CodeSystem, SubjectType

MOST_RESOURCES = 500
"""Of a bundle, so many are read."""

_LONGEST_LABEL = 300
_RPPS = frozenset({"https://rpps.esante.gouv.fr", "urn:oid:1.2.250.1.71.4.2.1"})
_NATIONAL_PREFIX, _RPPS_DIGITS = "8", 11  # the CI-SIS writes an RPPS with the digit of its kind before it
_PRESCRIBED = frozenset({"active", "completed"})
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_DONE = frozenset({"completed", "in-progress"})
_PAST = frozenset({"inactive", "resolved"})
_RULED_OUT = frozenset({"refuted", "entered-in-error"})

_Form = TypeVar("_Form")
_Told = Medicine | Act | Condition


@dataclass(frozen=True, slots=True)
class _Around:
    """A resource, with the document that it stands in and what it may refer to."""

    document: Document
    raw: msgspec.Raw = field(repr=False)
    others: Mapping[str, msgspec.Raw] = field(repr=False)

    def read(self, kind: type[_Form]) -> _Form:
        return msgspec.json.decode(self.raw, type=kind)

    def find(
        self, kind: type[_Form], reference: form.Reference | None, contained: Iterable[msgspec.Raw]
    ) -> _Form | None:
        """What a reference leads to within the document."""
        if reference is None or not reference.reference:
            return None
        within = {f"#{_head(each).id}": each for each in contained}
        found = within.get(reference.reference) or self.others.get(reference.reference)
        return msgspec.json.decode(found, type=kind) if found else None

    @property
    def day(self) -> date:
        """The document's own, for what tells no day."""
        return paris_day(self.document.created_at)


def told_by(data: bytes, document: Document) -> list[_Told]:
    """What a document says. Raises ValueError if it is no FHIR in JSON."""
    raw = msgspec.Raw(data)
    if _head(raw).resource_type != "Bundle":
        return _told(_Around(document, raw, {}))
    entries = [each for each in msgspec.json.decode(data, type=form.Bundle).entry if bytes(each.resource)]
    others: dict[str, msgspec.Raw] = {}
    for each in entries:
        head = _head(each.resource)
        others |= {name: each.resource for name in (each.full_url, f"{head.resource_type}/{head.id}") if name}
    return [told for each in entries[:MOST_RESOURCES] for told in _told(_Around(document, each.resource, others))]


def _told(around: _Around) -> list[_Told]:
    read = _READERS.get(_head(around.raw).resource_type)
    return [] if read is None else list(read(around))


def _prescription(around: _Around) -> Iterable[_Told]:
    request = around.read(form.MedicationRequest)
    if request.status not in _PRESCRIBED or request.intent not in _ORDERS or request.do_not_perform:
        return ()
    begins, ends = _course(request, around.day)
    names = _names([*request.identifier, request.group_identifier])
    prescriber = _prescriber(around, request) or _signing(around.document)
    return _medicine(around, Category.PRESCRIPTION, request, (begins, ends), names, names, prescriber)


def _course(request: form.MedicationRequest, told: date) -> tuple[date, date | None]:
    """The days for which it is prescribed; of several dosages, from the first to the last."""
    begins, lasts = day_of(request.authored_on) or told, []
    for dosage in request.dosage_instruction:
        repeat = dosage.timing.repeat if dosage.timing else None
        if repeat and repeat.bounds_period:
            begins = day_of(repeat.bounds_period.start) or begins
            lasts.append(day_of(repeat.bounds_period.end, last=True))
        elif repeat:
            lasts.append(last_of(begins, days_of(repeat.bounds_duration)))
    supply = request.dispense_request
    if not any(lasts) and supply:
        times = 1 + max(supply.number_of_repeats_allowed, 0)
        lasts.append(last_of(begins, days_of(supply.expected_supply_duration, times)))
        lasts.append(
            day_of(supply.validity_period.end, last=True) if supply.validity_period and not lasts[-1] else None
        )
    return begins, max((day for day in lasts if day and day >= begins), default=None)


def _dispensation(around: _Around) -> Iterable[_Told]:
    dispense = around.read(form.MedicationDispense)
    if dispense.status not in _DONE:
        return ()
    begins = day_of(dispense.when_handed_over) or day_of(dispense.when_prepared) or around.day
    prescriptions, prescriber = set[str](), None
    for reference in dispense.authorizing_prescription:
        prescriptions |= _names([reference.identifier])
        if request := around.find(form.MedicationRequest, reference, dispense.contained):
            prescriptions |= _names([*request.identifier, request.group_identifier])
            prescriber = prescriber or _prescriber(around, request, dispense.contained)
    days = begins, last_of(begins, days_of(dispense.days_supply))
    names = _names(dispense.identifier)
    return _medicine(around, Category.DISPENSATION, dispense, days, names, frozenset(prescriptions), prescriber)


def _administration(around: _Around) -> Iterable[_Told]:
    given = around.read(form.MedicationAdministration)
    if given.status not in _DONE:
        return ()
    period = given.effective_period or form.Period()
    begins = day_of(given.effective_date_time) or day_of(period.start) or around.day
    ends = day_of(period.end, last=True) or begins
    days = begins, max(begins, ends)
    return _medicine(around, Category.ADMINISTERED_TREATMENT, given, days, _names(given.identifier))


def _vaccination(around: _Around) -> Iterable[_Told]:
    vaccination = around.read(form.Immunization)
    concept = vaccination.vaccine_code or form.Concept()
    if vaccination.status != "completed":
        return ()
    on = day_of(vaccination.occurrence_date_time) or around.day
    codes = with_substances(_codes(concept))
    administered = form.Medicated(identifier=vaccination.identifier, medication_codeable_concept=concept)
    names = _names(vaccination.identifier)
    medicines = _medicine(around, Category.ADMINISTERED_TREATMENT, administered, (on, on), names)
    return [*medicines, Act(codes, on, around.document.id)] if codes else medicines


def _disease(around: _Around) -> Iterable[_Told]:
    stated = around.read(form.Condition)
    codes = frozenset(code for code in _codes(stated.code) if code.system is CodeSystem.ICD10)
    if not codes or _PAST & _words(stated.clinical_status) or _RULED_OUT & _words(stated.verification_status):
        return ()
    return (Condition(codes, around.document.id),)


def _medicine(
    around: _Around,
    category: Category,
    medicated: form.Medicated,
    days: tuple[date, date | None],
    identifiers: frozenset[str],
    prescriptions: frozenset[str] = frozenset(),
    prescriber: str | None = None,
) -> list[_Told]:
    """A medicine that has a code or at least a name; otherwise none."""
    reference, concept = medicated.medication_reference, medicated.medication_codeable_concept
    if concept is None and (medication := around.find(form.Medication, reference, medicated.contained)):
        concept = medication.code
    codes, label = with_substances(_codes(concept)), _label(concept, reference)
    if not codes and not label:
        return []
    document = around.document
    author = f"{document.author.type}/{document.author.id}"
    return [Medicine(category, codes, label, *days, document.id, author, prescriber, identifiers, prescriptions)]


def _prescriber(around: _Around, request: form.MedicationRequest, contained: Iterable[msgspec.Raw] = ()) -> str | None:
    """The RPPS of who prescribes, said in the reference or where it leads."""
    if request.requester is None:
        return None
    practitioner = around.find(form.Named, request.requester, [*request.contained, *contained])
    given = [request.requester.identifier, *(practitioner.identifier if practitioner else ())]
    return next((rpps for each in given if each and (rpps := _rpps(each))), None)


def _rpps(identifier: form.Identifier) -> str | None:
    value = identifier.value or ""
    if len(value) == _RPPS_DIGITS + 1:
        value = value.removeprefix(_NATIONAL_PREFIX)
    try:
        return parse_rpps(value) if identifier.system in _RPPS else None
    except InvalidIdentifierError:
        return None


def _signing(document: Document) -> str | None:
    """Who signs a prescription prescribes, where nothing else is said."""
    return document.author.id if document.author.type == SubjectType.PROFESSIONAL else None


def _names(identifiers: Iterable[form.Identifier | None]) -> frozenset[str]:
    return frozenset(f"{each.system or ''}|{each.value}" for each in identifiers if each and each.value)


def _codes(concept: form.Concept | None) -> list[Code]:
    codings = concept.coding if concept else []
    return [code for each in codings if (code := fhir_code(each.system, each.code))]


def _label(concept: form.Concept | None, reference: form.Reference | None) -> str:
    """What people call it."""
    displays = (each.display for each in concept.coding) if concept else ()
    named = (concept.text if concept else None, *displays, reference.display if reference else None)
    return next((each for each in named if each), "")[:_LONGEST_LABEL]


def _words(concept: form.Concept | None) -> frozenset[str]:
    return frozenset(each.code for each in concept.coding if each.code) if concept else frozenset()


def _head(raw: msgspec.Raw) -> form.Resource:
    return msgspec.json.decode(raw, type=form.Resource)


_READERS: Mapping[str, Callable[[_Around], Iterable[_Told]]] = {
    "MedicationRequest": _prescription,
    "MedicationDispense": _dispensation,
    "MedicationAdministration": _administration,
    "Immunization": _vaccination,
    "Condition": _disease,
}
