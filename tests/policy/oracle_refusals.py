"""The refusals of the rules (§4.1), one function for each row, in the order of the table."""

from datetime import UTC, datetime

from models.facts import Person, Professional
from tests.policy.oracle_facts import (
    PARIS,
    Asked,
    Row,
    category_of,
    has_relation,
    is_author,
    is_caregiver,
    is_emergency,
    is_habilitated,
    is_holder,
    is_legal_representative,
    is_organization,
    is_prohibited_party,
    is_treating_physician,
    is_withheld,
    masked_in_emergency,
    pseudonym_of_dossier,
    state,
)


def prohibited_party(asked: Asked) -> bool:
    """Everything to complementary insurers, employers, banks and their staff."""
    return is_prohibited_party(asked.case)


def no_dossier(asked: Asked) -> bool:
    """Everything but `dossier:exists` and `dossier:open` when there is no dossier."""
    return state(asked.case) == "none" and asked.action not in ("dossier:exists", "dossier:open")


def dossier_closed(asked: Asked) -> bool:
    """When closed or suspended: everything but `dossier:exists` and what the holder and the fund keep."""
    now = state(asked.case)
    if now not in ("closed", "suspended"):
        return False
    if asked.action == "dossier:exists":
        return False
    if is_holder(asked.case) or is_legal_representative(asked.case):
        if asked.action in ("dossier:erase", "dossier:export", "journal:read"):
            return False
        if asked.action == "dossier:reopen" and now != "suspended":
            return False
    fund_reopens = is_organization(asked.case, "insurance_fund") and asked.action == "dossier:reopen"
    return not (fund_reopens and now == "suspended")


def already_open(asked: Asked) -> bool:
    """`dossier:open` when a dossier is open, closed or suspended."""
    return asked.action == "dossier:open" and state(asked.case) in ("open", "closed", "suspended")


def document_deleted(asked: Asked) -> bool:
    """Everything on a deleted document."""
    return asked.case.document is not None and asked.case.document.status == "deleted"


def weak_authentication(asked: Asked) -> bool:
    """To a professional without strong authentication: the actions of the row."""
    if not isinstance(asked.case.subject, Professional):
        return False
    if asked.case.question.context.authentication in ("cps", "e_cps", "pro_sante_connect"):
        return False
    return asked.action.startswith(("access:", "treating_physician:")) or asked.action in (
        "document:list",
        "document:read",
        "journal:read",
        "document:mask",
        "document:reveal",
        "message:send",
        "message:read",
    )


def blocked(asked: Asked) -> bool:
    """To a professional blocked, himself or in every organization: everything but the exceptions of the row."""
    case = asked.case
    if not isinstance(case.subject, Professional):
        return False
    himself = has_relation(case, "blocked", "professional", case.subject.rpps)
    everywhere = len(case.subject.organizations) >= 1 and all(
        has_relation(case, "blocked", "organization", organization) for organization in case.subject.organizations
    )
    if not (himself or everywhere):
        return False
    if asked.action in ("dossier:exists", "document:deposit"):
        return False
    on_his_own = ("document:replace", "document:archive", "document:restore", "document:delete")
    return not (is_author(case) and asked.action in on_his_own)


def self_consultation(asked: Asked) -> bool:
    """To a professional whose own pseudonym is the dossier: everything but `dossier:exists`.

    Read as: also when the dossier was not opened yet, as for the holder.
    """
    subject = asked.case.subject
    if not isinstance(subject, Professional) or subject.person is None:
        return False
    return subject.person == pseudonym_of_dossier(asked.case) and asked.action != "dossier:exists"


def reimbursement_expired(asked: Asked) -> bool:
    """`document:read` of a document of category `reimbursement` created 24 calendar months ago or more, to everyone."""
    document = asked.case.document
    if document is None or asked.action != "document:read":
        return False
    if category_of(document.document_type) != "reimbursement":
        return False
    return asked.case.question.at >= two_years_after(document.created_at)


def two_years_after(created_at: datetime) -> datetime:
    """24 calendar months later. Read as: at the same time of the day in France; 29 February becomes 28 February."""
    created = created_at.astimezone(PARIS)
    try:
        later = created.replace(year=created.year + 2)
    except ValueError:
        later = created.replace(year=created.year + 2, day=28)
    return later.astimezone(UTC)


def emergency_scope(asked: Asked) -> bool:
    """Emergency modes to any subject but a professional, and for any action but two."""
    if not is_emergency(asked):
        return False
    if not isinstance(asked.case.subject, Professional):
        return True
    return asked.action not in ("document:list", "document:read")


def not_habilitated(asked: Asked) -> bool:
    """To professionals, of a type that the matrix does not open to the profession; the author is exempt."""
    document = asked.case.document
    if document is None or not isinstance(asked.case.subject, Professional):
        return False
    if asked.action not in ("document:read", "document:mask", "document:reveal"):
        return False
    return not is_author(asked.case) and not is_habilitated(asked, document)


def masked(asked: Asked) -> bool:
    """To professionals, of a masked document, but not to its author nor to a treating physician."""
    document = asked.case.document
    if document is None or not document.masked or not isinstance(asked.case.subject, Professional):
        return False
    if asked.action not in ("document:read", "document:mask", "document:reveal"):
        return False
    if is_author(asked.case) or is_treating_physician(asked.case):
        return False
    return not (is_emergency(asked) and masked_in_emergency(asked.case))


def withheld_from_patient(asked: Asked) -> bool:
    """`document:read`, `:mask`, `:unmask`, `:contest` to persons while `withheld_until` is in the future."""
    if not isinstance(asked.case.subject, Person):
        return False
    if asked.action not in ("document:read", "document:mask", "document:unmask", "document:contest"):
        return False
    return is_withheld(asked.case)


def hidden_from_representatives(asked: Asked) -> bool:
    """Every document action on such a document to a legal representative or caregiver.

    Read as: also when this person is the holder as well, since a refusal beats every permission.
    """
    document = asked.case.document
    if document is None or not document.hidden_from_representatives:
        return False
    return is_legal_representative(asked.case) or is_caregiver(asked.case)


def break_glass_refused(asked: Asked) -> bool:
    """Mode `break_glass` when the patient refuses it."""
    dossier = asked.case.dossier
    return asked.mode == "break_glass" and dossier is not None and dossier.refuses_break_glass


def centre_15_refused(asked: Asked) -> bool:
    """Mode `centre_15` when the patient refuses it."""
    dossier = asked.case.dossier
    return asked.mode == "centre_15" and dossier is not None and dossier.refuses_centre_15


def reason_required(asked: Asked) -> bool:
    """Mode `break_glass` without a reason: at least 10 characters once trimmed (§3)."""
    return asked.mode == "break_glass" and len(asked.case.question.context.reason.strip()) < 10


def superseded(asked: Asked) -> bool:
    """On a superseded document everything but `document:read`, `document:mask`, `document:unmask`."""
    if asked.case.document is None or asked.case.document.status != "superseded":
        return False
    return asked.action not in ("document:read", "document:mask", "document:unmask")


def archived(asked: Asked) -> bool:
    """On an archived one everything but these and `document:restore`; also restoring one that is not archived."""
    if asked.case.document is None:
        return False
    if asked.case.document.status == "archived":
        return asked.action not in ("document:read", "document:mask", "document:unmask", "document:restore")
    return asked.action == "document:restore"


def withheld_and_masked(asked: Asked) -> bool:
    """`document:deposit` with both flags; `document:mask` of a document still withheld."""
    particulars = asked.case.question.particulars
    if asked.action == "document:deposit":
        return particulars.withheld and particulars.masked
    return asked.action == "document:mask" and is_withheld(asked.case)


REFUSALS: tuple[tuple[str, Row], ...] = (
    ("prohibited-party", prohibited_party),
    ("no-dossier", no_dossier),
    ("dossier-closed", dossier_closed),
    ("already-open", already_open),
    ("document-deleted", document_deleted),
    ("weak-authentication", weak_authentication),
    ("blocked", blocked),
    ("self-consultation", self_consultation),
    ("reimbursement-expired", reimbursement_expired),
    ("emergency-scope", emergency_scope),
    ("not-habilitated", not_habilitated),
    ("masked", masked),
    ("withheld-from-patient", withheld_from_patient),
    ("hidden-from-representatives", hidden_from_representatives),
    ("break-glass-refused", break_glass_refused),
    ("centre-15-refused", centre_15_refused),
    ("reason-required", reason_required),
    ("superseded", superseded),
    ("archived", archived),
    ("withheld-and-masked", withheld_and_masked),
)
