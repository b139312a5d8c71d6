"""The closed vocabulary of rules: who asks, and the atomic facts.

Actions are those of `models.vocabulary`. A word's meaning stands beside it, because reviewers read rules with this
list in hand (README.md shows it). Which facts can hold together is said in `policy.space`.
"""

from enum import StrEnum
from typing import Self

from models.vocabulary import Action, OrganizationKind


class Role(StrEnum):
    """What kind of subject asks; what ties it to the dossier is said by facts."""

    PERSON = "person"
    PHYSICIAN = "physician"
    OTHER_HEALTH_PROFESSIONAL = "other_health_professional"
    SOCIAL_PROFESSIONAL = "social_professional"
    HEALTH_FACILITY = "health_facility"
    LABORATORY = "laboratory"
    PHARMACY = "pharmacy"
    INSURANCE_FUND = "insurance_fund"
    COMPLEMENTARY_INSURER = "complementary_insurer"
    EMPLOYER = "employer"
    BANK = "bank"
    STAFF_OF_HEALTH_FACILITY = "staff_of_health_facility"
    STAFF_OF_LABORATORY = "staff_of_laboratory"
    STAFF_OF_PHARMACY = "staff_of_pharmacy"
    STAFF_OF_INSURANCE_FUND = "staff_of_insurance_fund"
    STAFF_OF_COMPLEMENTARY_INSURER = "staff_of_complementary_insurer"
    STAFF_OF_EMPLOYER = "staff_of_employer"
    STAFF_OF_BANK = "staff_of_bank"
    UNKNOWN = "unknown"


ORGANIZATION_ROLES = {kind: Role(kind.value) for kind in OrganizationKind}
STAFF_ROLES = {kind: Role(f"staff_of_{kind.value}") for kind in OrganizationKind}

PROFESSIONALS = frozenset({Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL, Role.SOCIAL_PROFESSIONAL})
KNOWN_ROLES = frozenset(Role) - {Role.UNKNOWN}

NO_ACTION = "none"
"""How rules and situations write that no action of the vocabulary is asked (`Situation.action` is None)."""

ALWAYS = "always"
"""How rows write that their condition is empty."""

ANY_RULE = "any_rule"
"""How rows write that an obligation is attached whichever rule gives the permission."""

ACTION_WORDS = (*(action.value for action in Action), NO_ACTION)


class Fact(StrEnum):
    """One thing that is so or not; a condition is a conjunction of these, each as it is or negated by `!`."""

    bit: int
    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """A word with its meaning, and the bit by which situations hold it."""
        fact = str.__new__(cls, word)
        fact._value_ = word
        fact.bit = 1 << len(cls.__members__)
        fact.meaning = meaning
        return fact

    # Questions that cannot be put: each stands alone (RULES §4).
    UNKNOWN_ACTION = "unknown_action", "there is no such action on such a resource"
    UNKNOWN_MODE = "unknown_mode", "the mode does not exist"
    NO_DOCUMENT = "no_document", "there is no such document"
    NO_MESSAGE = "no_message", "there is no such message"
    UNKNOWN_SUBJECT = "unknown_subject", "neither the directory nor the dossier knows who asks"

    # The mode (RULES §2): exactly one of the first three.
    NORMAL = "normal", "the mode is normal"
    BREAK_GLASS = "break_glass", "the mode is break-glass"
    CENTRE_15 = "centre_15", "the mode is centre 15"
    REASONED = "reasoned", "break-glass comes with a reason of at least 10 characters"
    BREAK_GLASS_REFUSED = "break_glass_refused", "the mode is break-glass and the patient refuses it"
    CENTRE_15_REFUSED = "centre_15_refused", "the mode is centre 15 and the patient refuses it"
    EMERGENCY_LIFTS_MASK = (
        "emergency_lifts_mask",
        "the mode is an emergency mode in which the patient shows masked documents (and he does not refuse both)",
    )

    # The dossier: none of these when it is open.
    NO_DOSSIER = "no_dossier", "there is no dossier"
    CLOSED = "closed", "the dossier is closed"
    SUSPENDED = "suspended", "the dossier is suspended"

    # What ties a person to the dossier: at least one, or the person is unknown.
    HOLDER = "holder", "the dossier is or would be this person's own"
    LEGAL_REPRESENTATIVE = "legal_representative", "represents the holder, who is a minor or protected"
    CAREGIVER = "caregiver", "is a caregiver of the holder"

    # What ties a professional to the dossier, what he states and how he came.
    TREATING_PHYSICIAN = "treating_physician", "is a treating physician of the dossier (and a physician)"
    IN_CARE_TEAM = "in_care_team", "is in the care team, himself or through an organization where he exercises"
    CARE_TEAM_CONSENT = "care_team_consent", "the holder consented to the care team"
    GRANTED = "granted", "has the holder's explicit consent, himself or through an organization where he exercises"
    BLOCKED = "blocked", "is blocked by the patient, himself or in every organization where he exercises"
    OWN_DOSSIER = "own_dossier", "the dossier is or would be this professional's own"
    SAMU_REGULATOR = "samu_regulator", "regulates emergency calls (SAMU)"
    STRONG_AUTHENTICATION = "strong_authentication", "came with a CPS, an e-CPS or Pro Santé Connect"
    PATIENT_PRESENT = "patient_present", "states that the patient is present and consents"
    FOR_SELF = "for_self", "is himself the beneficiary of the right to be recorded"
    HAS_READ = "has_read", "has read something of this dossier before"

    # The document, or on document:deposit the document to be deposited.
    AUTHOR = "author", "is the author of the document"
    HABILITATED = "habilitated", "the matrix opens documents of this type to this profession"
    MASKED = "masked", "the document is masked, or to be deposited masked"
    WITHHELD = "withheld", "the document is still withheld from the patient, or to be deposited withheld"
    HIDDEN_FROM_REPRESENTATIVES = "hidden_from_representatives", "the document is hidden from representatives"
    REIMBURSEMENT_EXPIRED = "reimbursement_expired", "the document is a reimbursement of 24 calendar months ago or more"
    SUPERSEDED = "superseded", "a newer version has taken the document's place"
    ARCHIVED = "archived", "the document is archived"
    DELETED = "deleted", "the document is deleted"

    # The type of the document to be deposited.
    KNOWN_DOCUMENT_TYPE = "known_document_type", "the type to be deposited exists"
    PATIENT_DOCUMENT = "patient_document", "the type to be deposited is of the category of patients' documents"
    REIMBURSEMENT = "reimbursement", "the type to be deposited is of the category of reimbursements"
    PATIENT_EXPRESSION = "patient_expression", "the type to be deposited is EXPPAT_1, EXPPAT_2 or EXPPAT_3"

    # The message.
    CORRESPONDENT = "correspondent", "is the sender or the addressee of the message"


FACTS = {fact.value: fact for fact in Fact}
