"""The closed vocabularies of the DMP.

Every word that a rule, a fact or a request may use is listed here and nowhere else. Values are the
words that travel (JSON, CSV, database), so they never change meaning.
"""

from enum import StrEnum


class SubjectType(StrEnum):
    """Who may ask."""

    PERSON = "person"
    PROFESSIONAL = "professional"
    ORGANIZATION = "organization"
    STAFF = "staff"


class ResourceType(StrEnum):
    """What may be asked about."""

    DOSSIER = "dossier"
    DOCUMENT = "document"
    MESSAGE = "message"


class OrganizationKind(StrEnum):
    """What a structure is; the last three are the prohibited parties (CSP L1111-18)."""

    HEALTH_FACILITY = "health_facility"
    LABORATORY = "laboratory"
    PHARMACY = "pharmacy"
    INSURANCE_FUND = "insurance_fund"
    COMPLEMENTARY_INSURER = "complementary_insurer"
    EMPLOYER = "employer"
    BANK = "bank"


class Action(StrEnum):
    """Everything that can be asked for: `<resource>:<verb>`. `ACTIONS_ON` says on which resource."""

    DOSSIER_EXISTS = "dossier:exists"
    DOSSIER_OPEN = "dossier:open"
    DOSSIER_CLOSE = "dossier:close"
    DOSSIER_REOPEN = "dossier:reopen"
    DOSSIER_ERASE = "dossier:erase"
    DOSSIER_SUSPEND = "dossier:suspend"
    DOSSIER_EXPORT = "dossier:export"
    DOCUMENT_DEPOSIT = "document:deposit"
    DOCUMENT_LIST = "document:list"
    JOURNAL_READ = "journal:read"
    ACCESS_LIST = "access:list"
    ACCESS_GRANT = "access:grant"
    ACCESS_REVOKE = "access:revoke"
    ACCESS_BLOCK = "access:block"
    ACCESS_UNBLOCK = "access:unblock"
    TREATING_PHYSICIAN_DECLARE = "treating_physician:declare"
    TREATING_PHYSICIAN_END = "treating_physician:end"
    EMERGENCY_SET = "emergency:set"
    CARE_TEAM_CONSENT = "care_team:consent"
    MESSAGE_SEND = "message:send"
    DOCUMENT_READ = "document:read"
    DOCUMENT_REPLACE = "document:replace"
    DOCUMENT_MASK = "document:mask"
    DOCUMENT_UNMASK = "document:unmask"
    DOCUMENT_REVEAL = "document:reveal"
    DOCUMENT_ARCHIVE = "document:archive"
    DOCUMENT_RESTORE = "document:restore"
    DOCUMENT_DELETE = "document:delete"
    DOCUMENT_CONTEST = "document:contest"
    MESSAGE_READ = "message:read"


_DOCUMENT_ACTIONS = frozenset(
    {
        Action.DOCUMENT_READ,
        Action.DOCUMENT_REPLACE,
        Action.DOCUMENT_MASK,
        Action.DOCUMENT_UNMASK,
        Action.DOCUMENT_REVEAL,
        Action.DOCUMENT_ARCHIVE,
        Action.DOCUMENT_RESTORE,
        Action.DOCUMENT_DELETE,
        Action.DOCUMENT_CONTEST,
    }
)

ACTIONS_ON: dict[ResourceType, frozenset[Action]] = {
    ResourceType.DOSSIER: frozenset(Action) - _DOCUMENT_ACTIONS - {Action.MESSAGE_READ},
    ResourceType.DOCUMENT: _DOCUMENT_ACTIONS,
    ResourceType.MESSAGE: frozenset({Action.MESSAGE_READ}),
}


class Mode(StrEnum):
    """How a dossier is entered; the last two are the emergency modes (CSP L1111-17)."""

    NORMAL = "normal"
    BREAK_GLASS = "break_glass"
    CENTRE_15 = "centre_15"


class DossierState(StrEnum):
    """Where a dossier is in its life; `none` when nobody opened one."""

    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"


class DocumentStatus(StrEnum):
    """Where a document is in its life."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"
    DELETED = "deleted"


class RelationKind(StrEnum):
    """What ties a professional or an organization to a dossier."""

    TREATING_PHYSICIAN = "treating_physician"
    CARE_TEAM = "care_team"
    GRANTED = "granted"
    BLOCKED = "blocked"


class RepresentationKind(StrEnum):
    """What ties another person to a dossier."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    CAREGIVER = "caregiver"


class Category(StrEnum):
    """The kinds of document by which the habilitation matrix reasons."""

    REPORT = "report"
    SUMMARY = "summary"
    IMAGING = "imaging"
    PRESCRIPTION = "prescription"
    DISPENSATION = "dispensation"
    CARE_PLAN = "care_plan"
    ADMINISTERED_TREATMENT = "administered_treatment"
    CERTIFICATE = "certificate"
    REIMBURSEMENT = "reimbursement"
    PATIENT_DOCUMENT = "patient_document"
    ADMINISTRATIVE = "administrative"


class Space(StrEnum):
    """The nine spaces of a dossier, in the order in which a dossier shows them (seed 004)."""

    REPORTS = "reports"
    IMAGING = "imaging"
    SUMMARIES = "summaries"
    TREATMENTS = "treatments"
    ANALYSES = "analyses"
    PREVENTION = "prevention"
    CERTIFICATES = "certificates"
    REIMBURSEMENTS = "reimbursements"
    PERSONAL = "personal"


class ProfessionKind(StrEnum):
    """Health professionals (CSP part IV) or social ones."""

    HEALTH = "health"
    SOCIAL = "social"


class Sex(StrEnum):
    """As the civil register has it: what organized screenings go by."""

    FEMALE = "female"
    MALE = "male"


class CodeSystem(StrEnum):
    """What a code of structured documents is of: medicines, acts, devices, diseases."""

    ATC = "atc"
    CIP13 = "cip13"
    CCAM = "ccam"
    NGAP = "ngap"
    LPP = "lpp"
    ICD10 = "icd10"


class Authentication(StrEnum):
    """The strong authentications; anything else, or nothing, is weak (seed 004)."""

    CPS = "cps"
    E_CPS = "e_cps"
    PRO_SANTE_CONNECT = "pro_sante_connect"


class Obligation(StrEnum):
    """What a permission asks of whoever carries it out."""

    NOTIFY_PATIENT = "notify_patient"
    NOTIFY_TREATING_PHYSICIANS = "notify_treating_physicians"
    ALERT_WITHHELD = "alert_withheld"
    ALERT_HIDDEN_FROM_REPRESENTATIVES = "alert_hidden_from_representatives"
    OWN_ENTRIES_ONLY = "own_entries_only"
    WRITE_DOWN = "write_down"


class Notice(StrEnum):
    """What somebody is told through the outbox: two are obligations of a permission, the others follow a change."""

    NOTIFY_PATIENT = Obligation.NOTIFY_PATIENT.value
    NOTIFY_TREATING_PHYSICIANS = Obligation.NOTIFY_TREATING_PHYSICIANS.value
    DOCUMENT_CONTESTED = "document_contested"
    CONTEST_ANSWERED = "contest_answered"
    STILL_WITHHELD = "still_withheld"


class InquirySource(StrEnum):
    """Who is asked what it knows when a dossier opens (RULES §7)."""

    FUND = "fund"
    PHARMACEUTICAL_RECORD = "pharmaceutical_record"


class InteractionLevel(StrEnum):
    """How much an interaction of two medicines matters, after the ANSM's thesaurus, the gravest first."""

    CONTRAINDICATED = "contraindicated"
    DISCOURAGED = "discouraged"
    PRECAUTION = "precaution"
    TO_CONSIDER = "to_consider"


class Scope(StrEnum):
    """What a client of the service may call."""

    DECIDE = "decide"
    DOCUMENTS = "documents"
    DOSSIERS = "dossiers"
    JOURNAL = "journal"
    FEEDS = "feeds"
    POLICY = "policy"
    OPERATE = "operate"
