"""The parts of FHIR R4 resources of which something is understood here; what else stands in them is passed over.

They were validated when they were deposited (`fhir_validation`): this only reads, and reads fast.
"""

from decimal import Decimal

from msgspec import Raw, Struct


class Resource(Struct, rename={"resource_type": "resourceType"}):
    """Any resource: what kind it is, and how others refer to it."""

    resource_type: str = ""
    id: str = ""


class Coding(Struct):
    """A code, in a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Struct):
    """Something by its codes, its name, or both."""

    coding: list[Coding] = []
    text: str | None = None


class Identifier(Struct):
    """A name that somebody gives to something."""

    system: str | None = None
    value: str | None = None


class Reference(Struct):
    """Something else, by its place in the same document or by its name."""

    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(Struct):
    """From one instant or day to another."""

    start: str | None = None
    end: str | None = None


class Quantity(Struct):
    """So much; of a duration the code is UCUM's: d, wk, mo, a."""

    value: Decimal | None = None
    code: str | None = None
    unit: str | None = None


class Repeat(Struct, rename="camel"):
    """How long something is taken."""

    bounds_period: Period | None = None
    bounds_duration: Quantity | None = None


class Timing(Struct):
    """When something is taken."""

    repeat: Repeat | None = None


class Dosage(Struct):
    """How something is taken."""

    timing: Timing | None = None


class DispenseRequest(Struct, rename="camel"):
    """What the prescriber lets the pharmacy hand out."""

    validity_period: Period | None = None
    expected_supply_duration: Quantity | None = None
    number_of_repeats_allowed: int = 0


class Medicated(Struct, rename="camel"):
    """What all four say that are about a medicine."""

    status: str | None = None
    identifier: list[Identifier] = []
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    contained: list[Raw] = []


class MedicationRequest(Medicated):
    """A prescription of one medicine."""

    intent: str | None = None
    do_not_perform: bool = False
    group_identifier: Identifier | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    dosage_instruction: list[Dosage] = []
    dispense_request: DispenseRequest | None = None


class MedicationDispense(Medicated):
    """A medicine that was handed out."""

    when_prepared: str | None = None
    when_handed_over: str | None = None
    days_supply: Quantity | None = None
    authorizing_prescription: list[Reference] = []


class MedicationAdministration(Medicated):
    """A medicine that was given."""

    effective_date_time: str | None = None
    effective_period: Period | None = None


class Immunization(Struct, rename="camel"):
    """A vaccination."""

    status: str | None = None
    vaccine_code: Concept | None = None
    occurrence_date_time: str | None = None
    identifier: list[Identifier] = []


class Condition(Struct, rename="camel"):
    """A disease, as somebody states it."""

    code: Concept | None = None
    clinical_status: Concept | None = None
    verification_status: Concept | None = None


class Medication(Struct, rename="camel"):
    """A medicine by itself, to which others refer."""

    code: Concept | None = None


class Named(Struct):
    """Whoever has names: a practitioner."""

    identifier: list[Identifier] = []


class Entry(Struct, rename={"full_url": "fullUrl"}):
    """One of a bundle's."""

    full_url: str | None = None
    resource: Raw = Raw()


class Bundle(Struct):
    """Several resources together."""

    entry: list[Entry] = []
