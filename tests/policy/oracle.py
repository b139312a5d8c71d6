"""The rules a second time, in plain Python, written from the text alone: the judge that the policy is held against.

It shares nothing with the policy but the facts, the words and the habilitation matrix. Each function of
oracle_refusals.py and oracle_permissions.py is one row of the tables of the rules, in their order, with the row's own
words: hold the one beside the other. Nothing is derived in advance, nothing is shared between rows that the text does
not share. The words of the facts (§1) are in oracle_facts.py. Where the text leaves a choice, a comment or docstring
says "Read as".
"""

from models.decisions import NOT_PERMITTED, Decision
from models.facts import Case, Professional
from models.vocabulary import ACTIONS_ON, Obligation
from tests.policy.oracle_facts import (
    Asked,
    Matrix,
    is_emergency,
    is_prohibited_party,
    is_unknown_subject,
    is_withheld,
)
from tests.policy.oracle_permissions import PERMISSIONS
from tests.policy.oracle_refusals import REFUSALS

ACTIONS = {resource.value: {action.value for action in actions} for resource, actions in ACTIONS_ON.items()}
MODES = ("normal", "break_glass", "centre_15")


def judge(case: Case, matrix: Matrix) -> Decision:
    """A right exists when a rule of §4.2 gives it and no rule of §4.1 takes it away (§4)."""
    alone = standing_alone(case)
    if alone:
        return Decision(allowed=False, rule=alone[0], refused_by=alone)
    asked = Asked(case, matrix)
    refused_by = tuple(rule for rule, refuses in REFUSALS if refuses(asked))
    allowed_by = () if is_prohibited_party(case) else tuple(rule for rule, gives in PERMISSIONS if gives(asked))
    if refused_by:
        return Decision(allowed=False, rule=refused_by[0], refused_by=refused_by, allowed_by=allowed_by)
    if not allowed_by:
        return Decision(allowed=False, rule=NOT_PERMITTED)
    rule = allowed_by[0]
    return Decision(allowed=True, rule=rule, allowed_by=allowed_by, obligations=obligations(asked, rule))


# §4: three kinds of refusal stand alone, in this order, and nothing else is then considered.


def standing_alone(case: Case) -> tuple[str, ...]:
    """`unknown-action` and `unknown-mode` (both if both); `no-document`, `no-message`; `unknown-subject`."""
    question = case.question
    unknown = []
    if question.action not in ACTIONS.get(question.resource.type, ()):
        unknown.append("unknown-action")
    if question.context.mode not in MODES:
        unknown.append("unknown-mode")
    if unknown:
        return tuple(unknown)
    if question.resource.type == "document" and case.document is None:
        return ("no-document",)
    if question.resource.type == "message" and case.message is None:
        return ("no-message",)
    if is_unknown_subject(case):
        return ("unknown-subject",)
    return ()


# §4.3: obligations.


def obligations(asked: Asked, rule: str) -> tuple[Obligation, ...]:
    """What the permission that this rule gives asks in return, in the order of the table."""
    professional = isinstance(asked.case.subject, Professional)
    lists_or_reads = asked.action in ("document:list", "document:read")
    # Read as: in an emergency the listing is a reading too.
    emergency_reading = lists_or_reads and is_emergency(asked)
    reads = professional and asked.action == "document:read"
    hidden = asked.case.document is not None and asked.case.document.hidden_from_representatives
    owed = []
    if (professional and lists_or_reads and not asked.case.has_read) or emergency_reading:
        owed.append(Obligation.NOTIFY_PATIENT)
    if emergency_reading:
        owed.append(Obligation.NOTIFY_TREATING_PHYSICIANS)
    if reads and is_withheld(asked.case):
        owed.append(Obligation.ALERT_WITHHELD)
    if reads and hidden:
        owed.append(Obligation.ALERT_HIDDEN_FROM_REPRESENTATIVES)
    if asked.action == "journal:read" and rule == "own-trace":
        owed.append(Obligation.OWN_ENTRIES_ONLY)
    if asked.action != "dossier:exists":
        owed.append(Obligation.WRITE_DOWN)
    return tuple(owed)
