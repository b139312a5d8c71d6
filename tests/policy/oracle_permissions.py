"""The permissions of the rules (§4.2), one function for each row, in the order of the table."""

from models.facts import Case, Organization, Professional, Staff
from models.reference import PATIENT_EXPRESSIONS
from tests.policy.oracle_facts import (
    Asked,
    Row,
    category_of,
    is_author,
    is_caregiver,
    is_health_professional,
    is_holder,
    is_legal_representative,
    is_organization,
    is_physician,
    is_served_by,
    is_staff,
    is_treating_physician,
)


def holder(asked: Asked) -> bool:
    """The holder."""
    return is_holder(asked.case) and what_the_holder_may(asked)


def what_the_holder_may(asked: Asked) -> bool:
    """On the dossier, on every document, on documents of others, on own documents, and deposits."""
    on_the_dossier = """
        dossier:exists dossier:open dossier:close dossier:reopen dossier:erase dossier:export document:list journal:read
        access:list access:grant access:revoke access:block access:unblock
        treating_physician:declare treating_physician:end emergency:set care_team:consent
    """
    if asked.action == "document:deposit":
        return is_deposit_of_a_patient(asked)
    if asked.action == "document:contest":
        return not is_author(asked.case)
    if asked.action in ("document:replace", "document:delete", "document:archive", "document:restore"):
        return is_author(asked.case)
    if asked.action in ("document:read", "document:mask", "document:unmask"):
        return True
    return asked.action in on_the_dossier.split()


def is_deposit_of_a_patient(asked: Asked) -> bool:
    """Of category `patient_document` and of types `EXPPAT_1`, `EXPPAT_2`, `EXPPAT_3`."""
    code = asked.case.question.particulars.document_type
    return category_of(code) == "patient_document" or code in PATIENT_EXPRESSIONS


def legal_representative(asked: Asked) -> bool:
    """What the holder may, but `dossier:open`; *own* documents are his own."""
    if not is_legal_representative(asked.case):
        return False
    return asked.action != "dossier:open" and what_the_holder_may(asked)


def caregiver(asked: Asked) -> bool:
    """A caregiver: to see, to mask, to deposit as the holder, to read the journal."""
    if not is_caregiver(asked.case):
        return False
    if asked.action == "document:deposit":
        return is_deposit_of_a_patient(asked)
    return asked.action in ("dossier:exists", "document:list", "document:read", "document:mask", "journal:read")


def treating_physician(asked: Asked) -> bool:
    """A treating physician of the dossier, who is a physician, in normal mode."""
    if not is_treating_physician(asked.case) or asked.mode != "normal":
        return False
    return asked.action in (
        "document:list",
        "document:read",
        "journal:read",
        "access:list",
        "access:block",
        "document:mask",
        "document:reveal",
        "message:send",
    )


def care_team(asked: Asked) -> bool:
    """A professional in the care team, normal mode, if `care_team_consent`."""
    dossier = asked.case.dossier
    if not is_served_by(asked.case, "care_team") or asked.mode != "normal":
        return False
    if dossier is None or not dossier.care_team_consent:
        return False
    return asked.action in ("document:list", "document:read", "document:reveal", "message:send")


def granted(asked: Asked) -> bool:
    """A professional with the holder's explicit consent, normal mode."""
    if not is_served_by(asked.case, "granted") or asked.mode != "normal":
        return False
    return asked.action in ("document:list", "document:read", "document:reveal", "message:send")


def break_glass(asked: Asked) -> bool:
    """Any health professional (not social), mode `break_glass`."""
    if not is_health_professional(asked.case) or asked.mode != "break_glass":
        return False
    return asked.action in ("document:list", "document:read")


def centre_15(asked: Asked) -> bool:
    """A physician who is `samu_regulator`, mode `centre_15`."""
    subject = asked.case.subject
    if not isinstance(subject, Professional) or not subject.samu_regulator or not is_physician(asked.case):
        return False
    return asked.mode == "centre_15" and asked.action in ("document:list", "document:read")


def depositor(asked: Asked) -> bool:
    """Health professionals, the three kinds of organization and their staff: every category but two."""
    kinds = ("health_facility", "laboratory", "pharmacy")
    if not (is_health_professional(asked.case) or is_organization(asked.case, *kinds) or is_staff(asked.case, *kinds)):
        return False
    if asked.action != "document:deposit":
        return False
    category = category_of(asked.case.question.particulars.document_type)
    return category is not None and category not in ("patient_document", "reimbursement")


def author(asked: Asked) -> bool:
    """The author of a document (professional or organization); a professional author also `document:mask`."""
    if not is_author(asked.case) or not isinstance(asked.case.subject, Professional | Organization):
        return False
    if asked.action == "document:mask":
        return isinstance(asked.case.subject, Professional)
    return asked.action in ("document:replace", "document:archive", "document:restore", "document:delete")


def own_trace(asked: Asked) -> bool:
    """A professional or an organization: `journal:read` limited to own actions."""
    return isinstance(asked.case.subject, Professional | Organization) and asked.action == "journal:read"


def exists(asked: Asked) -> bool:
    """Professionals, organizations that are not prohibited parties, staff."""
    return isinstance(asked.case.subject, Professional | Organization | Staff) and asked.action == "dossier:exists"


def opening(asked: Asked) -> bool:
    """Health professionals and health facilities, pharmacies, the fund; a professional only with `patient_present`."""
    if asked.action != "dossier:open":
        return False
    if is_health_professional(asked.case):
        return asked.case.question.context.patient_present
    return is_organization(asked.case, "health_facility", "pharmacy", "insurance_fund")


def record_consent(asked: Asked) -> bool:
    """A health professional with `patient_present`, for himself."""
    if not is_health_professional(asked.case) or not asked.case.question.context.patient_present:
        return False
    if asked.action == "access:grant":
        return is_for_himself(asked.case)
    if asked.action == "treating_physician:declare":
        return is_for_himself(asked.case) and is_physician(asked.case)
    return asked.action == "care_team:consent"


def is_for_himself(case: Case) -> bool:
    """The beneficiary named is the professional himself. Read as: and no organization is named beside him."""
    particulars = case.question.particulars
    if not isinstance(case.subject, Professional):
        return False
    return particulars.professional == case.subject.rpps and particulars.organization is None


def correspondent(asked: Asked) -> bool:
    """The sender or the addressee of a message (two professionals)."""
    subject, message = asked.case.subject, asked.case.message
    if message is None or not isinstance(subject, Professional):
        return False
    return asked.action == "message:read" and subject.rpps in (message.sender, message.addressee)


def fund(asked: Asked) -> bool:
    """The insurance fund; never a reading action."""
    if not is_organization(asked.case, "insurance_fund"):
        return False
    if asked.action == "document:deposit":
        return category_of(asked.case.question.particulars.document_type) == "reimbursement"
    return asked.action in ("dossier:open", "dossier:suspend", "dossier:reopen", "treating_physician:declare")


PERMISSIONS: tuple[tuple[str, Row], ...] = (
    ("holder", holder),
    ("legal-representative", legal_representative),
    ("caregiver", caregiver),
    ("treating-physician", treating_physician),
    ("care-team", care_team),
    ("granted", granted),
    ("break-glass", break_glass),
    ("centre-15", centre_15),
    ("depositor", depositor),
    ("author", author),
    ("own-trace", own_trace),
    ("exists", exists),
    ("open", opening),
    ("record-consent", record_consent),
    ("correspondent", correspondent),
    ("fund", fund),
)
