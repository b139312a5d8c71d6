"""What is stored and stated behind a situation, told without naming anybody.

Neither people nor their numbers are told, nor when they were born; structures are, by their number.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from models.facts import Case, Document, Organization, Person, Professional, Reference, Relation, Staff
from models.reference import DOCUMENT_TYPES
from models.vocabulary import Action, Authentication, DossierState, Mode, ResourceType, SubjectType

Told = tuple[str, str]
"""What it is about, and what is so."""


def evidence_of(case: Case) -> tuple[Told, ...]:
    """What a case holds, in the order in which a decision reads it."""
    return (
        ("asked", _asked(case)),
        ("subject", _subject(case)),
        *(("relation", _relation(case, each)) for each in case.relations),
        *(("representation", f"{each.kind}, {_term(case, None, each.until)}") for each in case.representations),
        *_of_the_dossier(case),
        *_of_the_document(case),
        *_of_the_message(case),
    )


def _asked(case: Case) -> str:
    question, context, particulars = case.question, case.question.context, case.question.particulars
    told = [
        _known(question.action, Action, "action"),
        f"resource {_known(question.resource.type, ResourceType, 'type of resource')}",
        f"at {question.at.isoformat()}",
        f"mode {_known(context.mode, Mode, 'mode')}",
        f"a reason of {len(context.reason.strip())} characters" if context.reason else "no reason",
    ]
    strong = context.authentication in set(Authentication)
    told.append(f"strong authentication {context.authentication}" if strong else "no strong authentication")
    if context.patient_present:
        told.append("patient present")
    if particulars.document_type is not None:
        told.append(f"document type {_known(particulars.document_type, DOCUMENT_TYPES, 'document type')}")
    told += [
        name
        for name, so in (("masked", particulars.masked), ("withheld", particulars.withheld))
        if so and question.resource.type == ResourceType.DOSSIER
    ]
    if particulars.professional is not None:
        same = Reference(SubjectType.PROFESSIONAL, particulars.professional) == question.subject
        told.append(f"for {'the subject' if same else 'another professional'}")
    return ", ".join(told)


def _known(word: str, vocabulary: Iterable[str], what: str) -> str:
    """The word, if it is one: what is not may be anything, and is not repeated."""
    return str(word) if word in set(vocabulary) else f"an unknown {what}"


def _subject(case: Case) -> str:
    match case.subject:
        case Professional() as professional:
            places = sorted(professional.organizations)
            told = [f"professional, {professional.profession}"]
            if professional.samu_regulator:
                told.append("SAMU regulator")
            told.append(f"exercises in {', '.join(places)}" if places else "exercises in no organization")
            told.append("has read in the dossier" if case.has_read else "has read nothing of the dossier")
            return ", ".join(told)
        case Organization(id=identifier, kind=kind):
            return f"organization {identifier}, {kind}"
        case Staff(organization=organization):
            return f"staff of organization {organization.id}, {organization.kind}"
        case Person():
            return "person"
        case _:
            return "not in the directory"


def _relation(case: Case, relation: Relation) -> str:
    whose = "the subject"
    if relation.party != case.question.subject:
        whose = f"organization {relation.party.id}" if relation.party.type == SubjectType.ORGANIZATION else "somebody"
    return f"{relation.kind} of {whose}, {_term(case, relation.since, relation.until)}"


def _term(case: Case, since: datetime | None, until: datetime | None) -> str:
    """Whether something counts at the instant of the question, and why not."""
    at = case.question.at
    if since is not None and at < since:
        return f"not before {since.isoformat()}"
    if until is not None and at >= until:
        return f"ended {until.isoformat()}"
    return "in force" if until is None else f"in force until {until.isoformat()}"


def _of_the_dossier(case: Case) -> Iterator[Told]:
    dossier = case.dossier
    if dossier is None:
        yield "dossier", "none"
        return
    switches = ("protected", "care_team_consent", "refuses_break_glass", "refuses_centre_15", "masked_in_emergency")
    told = [str(dossier.state), *(name for name in switches if getattr(dossier, name))]
    if dossier.state is DossierState.NONE:
        told[0] = "not opened"
    yield "dossier", ", ".join(told)


def _of_the_document(case: Case) -> Iterator[Told]:
    document = case.document
    if document is None:
        if case.question.resource.type == ResourceType.DOCUMENT:
            yield "document", "none"
        return
    told = [document.document_type, str(document.status), f"of {document.created_at.isoformat()}"]
    told.append(_authorship(case, document))
    if document.masked:
        told.append("masked")
    if document.withheld_until is not None:
        told.append(f"withheld until {document.withheld_until.isoformat()}")
    if document.hidden_from_representatives:
        told.append("hidden from representatives")
    yield "document", ", ".join(told)


def _authorship(case: Case, document: Document) -> str:
    subject, author = case.question.subject, document.author
    if (author.type, author.id.lower()) == (subject.type, subject.id.lower()):
        return "by the subject"
    return f"by a {author.type}" if author.type != SubjectType.ORGANIZATION else f"by organization {author.id}"


def _of_the_message(case: Case) -> Iterator[Told]:
    if case.question.resource.type != ResourceType.MESSAGE:
        return
    if case.message is None:
        yield "message", "none"
        return
    mine = case.question.subject.id in {case.message.sender, case.message.addressee}
    yield "message", "the subject's correspondence" if mine else "between others"
