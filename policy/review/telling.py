"""Situations, conditions and groups in plain English, as a lawyer reads them.

A sentence says every fact that holds, and of those that do not hold the ones that a reader would miss: two different
situations never have the same sentence. The normal mode, an open dossier and a current document go without saying.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from models.vocabulary import ACTIONS_ON, Action, ResourceType
from policy.conditions import Condition
from policy.groups import Groups
from policy.ruleset import RuleSet
from policy.situation import Situation
from policy.space import dimensions
from policy.words import ALWAYS, NO_ACTION, Fact, Role


class Verb(StrEnum):
    """How the deed is told: `does` stands for "reads", `do` for "read"."""

    DOES = "{does}"
    NOW = "now {does}"
    NO_LONGER = "no longer {does}"
    MAY = "may {do}"
    MAY_NOT = "may not {do}"


class Part(Enum):
    """Where in a sentence a fact is told."""

    QUESTION = auto()
    SUBJECT = auto()
    TEAM = auto()
    CLAUSE = auto()
    KIND = auto()
    OWNER = auto()
    TYPE = auto()
    MARK = auto()
    DOSSIER = auto()
    STATEMENT = auto()
    MODE = auto()
    OF_MODE = auto()
    CORRESPONDENCE = auto()


@dataclass(frozen=True)
class Phrase:
    """A fact's words.

    In a condition: `so` and `not_so`. In a sentence: `told` where it holds, `missed` where it does not (at these
    actions, by default at all).
    """

    so: str
    not_so: str
    part: Part
    told: str
    missed: str = ""
    missed_at: frozenset[Action] = frozenset(Action)


@dataclass(frozen=True)
class Deed:
    """An action's words: "reads", "read", and to what it is done."""

    does: str
    do: str
    what: str


_SHOWING = frozenset({Action.DOCUMENT_READ, Action.DOCUMENT_MASK, Action.DOCUMENT_REVEAL})
_CONSENTED = frozenset(
    {Action.DOSSIER_OPEN, Action.ACCESS_GRANT, Action.TREATING_PHYSICIAN_DECLARE, Action.CARE_TEAM_CONSENT}
)
# What asks for a card (RULES §4.1, weak-authentication).
_BY_CARD = _SHOWING | {
    Action.DOCUMENT_LIST,
    Action.JOURNAL_READ,
    Action.ACCESS_LIST,
    Action.ACCESS_GRANT,
    Action.ACCESS_REVOKE,
    Action.ACCESS_BLOCK,
    Action.ACCESS_UNBLOCK,
    Action.TREATING_PHYSICIAN_DECLARE,
    Action.TREATING_PHYSICIAN_END,
    Action.MESSAGE_SEND,
    Action.MESSAGE_READ,
}

PHRASES: Mapping[Fact, Phrase] = {
    Fact.UNKNOWN_ACTION: Phrase(
        "the action unknown", "the action known", Part.QUESTION, "for an action that does not exist"
    ),
    Fact.UNKNOWN_MODE: Phrase("the mode unknown", "the mode known", Part.QUESTION, "in a mode that does not exist"),
    Fact.NO_DOCUMENT: Phrase(
        "the document missing", "the document there", Part.QUESTION, "about a document that does not exist"
    ),
    Fact.NO_MESSAGE: Phrase(
        "the message missing", "the message there", Part.QUESTION, "about a message that does not exist"
    ),
    Fact.UNKNOWN_SUBJECT: Phrase(
        "the subject unknown",
        "the subject known",
        Part.QUESTION,
        "without being known to the directory or the dossier",
    ),
    Fact.NORMAL: Phrase("in normal mode", "in an emergency mode", Part.MODE, ""),
    Fact.BREAK_GLASS: Phrase("in break-glass mode", "not in break-glass mode", Part.MODE, "in break-glass mode"),
    Fact.CENTRE_15: Phrase("in centre 15 mode", "not in centre 15 mode", Part.MODE, "in centre 15 mode"),
    Fact.REASONED: Phrase("with a reason", "without a reason", Part.MODE, "with a reason", "without a reason"),
    Fact.BREAK_GLASS_REFUSED: Phrase(
        "break-glass refused by the patient", "break-glass not refused", Part.OF_MODE, "which the patient refuses"
    ),
    Fact.CENTRE_15_REFUSED: Phrase(
        "centre 15 refused by the patient", "centre 15 not refused", Part.OF_MODE, "which the patient refuses"
    ),
    Fact.EMERGENCY_LIFTS_MASK: Phrase(
        "masks lifted by the emergency",
        "masks not lifted by an emergency",
        Part.OF_MODE,
        "which lifts masks",
    ),
    Fact.NO_DOSSIER: Phrase("no dossier", "a dossier there", Part.DOSSIER, "a dossier that does not exist"),
    Fact.CLOSED: Phrase("a closed dossier", "the dossier not closed", Part.DOSSIER, "a closed dossier"),
    Fact.SUSPENDED: Phrase("a suspended dossier", "the dossier not suspended", Part.DOSSIER, "a suspended dossier"),
    Fact.HOLDER: Phrase("the holder", "not the holder", Part.SUBJECT, "the holder"),
    Fact.LEGAL_REPRESENTATIVE: Phrase(
        "a legal representative", "not a legal representative", Part.SUBJECT, "a legal representative"
    ),
    Fact.CAREGIVER: Phrase("a caregiver", "not a caregiver", Part.SUBJECT, "a caregiver"),
    Fact.TREATING_PHYSICIAN: Phrase(
        "a treating physician", "not a treating physician", Part.SUBJECT, "a treating physician"
    ),
    Fact.IN_CARE_TEAM: Phrase("in the care team", "not in the care team", Part.TEAM, "of the care team"),
    Fact.CARE_TEAM_CONSENT: Phrase(
        "with consent to the care team",
        "without consent to the care team",
        Part.TEAM,
        "to which the holder consented",
        "to which the holder did not consent",
    ),
    Fact.GRANTED: Phrase(
        "with the holder's explicit consent",
        "without the holder's explicit consent",
        Part.CLAUSE,
        "who has the holder's explicit consent",
    ),
    Fact.BLOCKED: Phrase("blocked by the patient", "not blocked", Part.CLAUSE, "whom the patient blocked"),
    Fact.OWN_DOSSIER: Phrase(
        "in their own dossier", "not in their own dossier", Part.CLAUSE, "whose own dossier it is"
    ),
    Fact.SAMU_REGULATOR: Phrase("a SAMU regulator", "not a SAMU regulator", Part.CLAUSE, "who is SAMU regulator"),
    Fact.STRONG_AUTHENTICATION: Phrase(
        "with a strong authentication",
        "without strong authentication",
        Part.STATEMENT,
        "with a strong authentication",
        "without strong authentication",
        _BY_CARD,
    ),
    Fact.PATIENT_PRESENT: Phrase(
        "the patient present",
        "the patient not present",
        Part.STATEMENT,
        "with the patient present and consenting",
        "without the patient present",
        _CONSENTED,
    ),
    Fact.FOR_SELF: Phrase(
        "for themselves", "for somebody else", Part.STATEMENT, "naming themselves", "naming somebody else"
    ),
    Fact.HAS_READ: Phrase(
        "having read in the dossier before",
        "reading in the dossier for the first time",
        Part.CLAUSE,
        "who has read in the dossier before",
    ),
    Fact.AUTHOR: Phrase("the author", "not the author", Part.OWNER, "their own", "of others"),
    Fact.HABILITATED: Phrase(
        "the type open to the profession",
        "the type not open to the profession",
        Part.TYPE,
        "of a type that the matrix opens to the profession",
        "of a type that the matrix does not open to the profession",
        _SHOWING,
    ),
    Fact.MASKED: Phrase("masked", "not masked", Part.KIND, "masked"),
    Fact.WITHHELD: Phrase(
        "withheld from the patient", "not withheld from the patient", Part.MARK, "withheld from the patient"
    ),
    Fact.HIDDEN_FROM_REPRESENTATIVES: Phrase(
        "hidden from representatives", "not hidden from representatives", Part.MARK, "hidden from representatives"
    ),
    Fact.REIMBURSEMENT_EXPIRED: Phrase(
        "a reimbursement of 24 months ago or more",
        "no reimbursement of 24 months ago or more",
        Part.MARK,
        "a reimbursement of 24 months ago or more",
    ),
    Fact.SUPERSEDED: Phrase("superseded", "not superseded", Part.KIND, "superseded"),
    Fact.ARCHIVED: Phrase("archived", "not archived", Part.KIND, "archived"),
    Fact.DELETED: Phrase("deleted", "not deleted", Part.KIND, "deleted"),
    Fact.KNOWN_DOCUMENT_TYPE: Phrase(
        "of a known type", "of an unknown type", Part.TYPE, "of a known type", "of an unknown type"
    ),
    Fact.PATIENT_DOCUMENT: Phrase(
        "a patient's document", "no patient's document", Part.TYPE, "of the category of patients' documents"
    ),
    Fact.REIMBURSEMENT: Phrase("a reimbursement", "no reimbursement", Part.TYPE, "of the category of reimbursements"),
    Fact.PATIENT_EXPRESSION: Phrase(
        "an expression of the patient's will",
        "no expression of the patient's will",
        Part.TYPE,
        "of a type that expresses the patient's will",
    ),
    Fact.CORRESPONDENT: Phrase(
        "a correspondent of the message",
        "no correspondent of the message",
        Part.CORRESPONDENCE,
        "of which they are the sender or the addressee",
        "between others",
    ),
}
"""How each fact is told."""

ROLES: Mapping[Role, str] = {
    Role.PERSON: "a person",
    Role.PHYSICIAN: "a physician",
    Role.OTHER_HEALTH_PROFESSIONAL: "a health professional",  # who is no physician: those are always told as such
    Role.SOCIAL_PROFESSIONAL: "a social professional",
    Role.HEALTH_FACILITY: "a health facility",
    Role.LABORATORY: "a laboratory",
    Role.PHARMACY: "a pharmacy",
    Role.INSURANCE_FUND: "the insurance fund",
    Role.COMPLEMENTARY_INSURER: "a complementary insurer",
    Role.EMPLOYER: "an employer",
    Role.BANK: "a bank",
    Role.STAFF_OF_HEALTH_FACILITY: "a staff member of a health facility",
    Role.STAFF_OF_LABORATORY: "a staff member of a laboratory",
    Role.STAFF_OF_PHARMACY: "a staff member of a pharmacy",
    Role.STAFF_OF_INSURANCE_FUND: "a staff member of the insurance fund",
    Role.STAFF_OF_COMPLEMENTARY_INSURER: "a staff member of a complementary insurer",
    Role.STAFF_OF_EMPLOYER: "a staff member of an employer",
    Role.STAFF_OF_BANK: "a staff member of a bank",
    Role.UNKNOWN: "somebody",
}
"""Who asks, where no tie names them better."""

DEEDS: Mapping[Action | None, Deed] = {
    None: Deed("asks", "ask", "{question}"),
    Action.DOSSIER_EXISTS: Deed("looks for", "look for", "{dossier}"),
    Action.DOSSIER_OPEN: Deed("opens", "open", "{dossier}"),
    Action.DOSSIER_CLOSE: Deed("closes", "close", "{dossier}"),
    Action.DOSSIER_REOPEN: Deed("reopens", "reopen", "{dossier}"),
    Action.DOSSIER_ERASE: Deed("erases", "erase", "{dossier}"),
    Action.DOSSIER_SUSPEND: Deed("suspends", "suspend", "{dossier}"),
    Action.DOSSIER_EXPORT: Deed("takes a copy of", "take a copy of", "{dossier}"),
    Action.DOCUMENT_DEPOSIT: Deed("deposits", "deposit", "{document}"),
    Action.DOCUMENT_LIST: Deed("lists", "list", "the documents of {dossier}"),
    Action.JOURNAL_READ: Deed("reads", "read", "the journal of {dossier}"),
    Action.ACCESS_LIST: Deed("lists", "list", "who has access to {dossier}"),
    Action.ACCESS_GRANT: Deed("grants", "grant", "access to {dossier}"),
    Action.ACCESS_REVOKE: Deed("revokes", "revoke", "an access to {dossier}"),
    Action.ACCESS_BLOCK: Deed("blocks", "block", "somebody from {dossier}"),
    Action.ACCESS_UNBLOCK: Deed("unblocks", "unblock", "somebody from {dossier}"),
    Action.TREATING_PHYSICIAN_DECLARE: Deed("declares", "declare", "a treating physician in {dossier}"),
    Action.TREATING_PHYSICIAN_END: Deed("removes", "remove", "a treating physician from {dossier}"),
    Action.EMERGENCY_SET: Deed("sets", "set", "the emergency switches of {dossier}"),
    Action.CARE_TEAM_CONSENT: Deed("records", "record", "consent to the care team in {dossier}"),
    Action.MESSAGE_SEND: Deed("sends", "send", "a message about {dossier}"),
    Action.DOCUMENT_READ: Deed("reads", "read", "{document}"),
    Action.DOCUMENT_REPLACE: Deed("replaces", "replace", "{document}"),
    Action.DOCUMENT_MASK: Deed("masks", "mask", "{document}"),
    Action.DOCUMENT_UNMASK: Deed("unmasks", "unmask", "{document}"),
    Action.DOCUMENT_REVEAL: Deed("reveals", "reveal", "to the patient {document}"),
    Action.DOCUMENT_ARCHIVE: Deed("archives", "archive", "{document}"),
    Action.DOCUMENT_RESTORE: Deed("restores", "restore", "{document}"),
    Action.DOCUMENT_DELETE: Deed("deletes", "delete", "{document}"),
    Action.DOCUMENT_CONTEST: Deed("contests", "contest", "{document}"),
    Action.MESSAGE_READ: Deed("reads", "read", "{message}"),
}
"""What is done."""

_OPENED = {
    Fact.NO_DOSSIER: "a dossier where there is none",
    Fact.CLOSED: "a dossier that is closed",
    Fact.SUSPENDED: "a dossier that is suspended",
}


def tell(situation: Situation, verb: Verb = Verb.DOES) -> str:
    """The situation as a clause: who does what, in which circumstances."""
    role, action, facts = situation.role, situation.action, situation.facts
    told = _Told(role, action, facts)
    deed = DEEDS[action]
    what = deed.what.format(
        question=" and ".join(told.of(Part.QUESTION)),
        dossier=told.dossier,
        document=told.document,
        message=" ".join(("a message", *told.of(Part.CORRESPONDENCE))),
    )
    rest = [told.place] if "{dossier}" not in deed.what else []
    tail = [*told.of(Part.MARK), *rest, *told.of(Part.STATEMENT), told.mode, told.consent]
    done = verb.format(does=deed.does, do=deed.do)
    return ", ".join((f"{told.subject} {done} {what}", *filter(None, tail)))


def tell_condition(condition: Condition) -> str:
    """The condition in words, facts that must hold first."""
    so = [PHRASES[fact].so for fact in Fact if fact in condition.required]
    not_so = [PHRASES[fact].not_so for fact in Fact if fact in condition.forbidden]
    return listed([*so, *not_so]) or ALWAYS


def tell_who(roles: Iterable[Role], rules: RuleSet) -> str:
    """The roles by the name of the group that has exactly these, else one by one."""
    wanted = frozenset(roles)
    return _named(rules.roles, [role.value for role in Role if role in wanted]).replace("_", " ")


def tell_actions(actions: Iterable[Action | None], rules: RuleSet) -> str:
    """The actions by the name of the group that has exactly these, else one by one."""
    wanted = frozenset(actions)
    words = [NO_ACTION if action is None else action.value for action in (*Action, None) if action in wanted]
    return _named(rules.actions, words)


def _named(groups: Groups, words: Sequence[str]) -> str:
    same = [group for group, members in groups.members.items() if members == frozenset(words)]
    if len(words) == 1 or not same:
        return listed(words, "or")
    return min(same, key=lambda group: (len(group), group))


def listed(words: Sequence[str], last: str = "and") -> str:
    """The words in a row, with commas and one joining word before the last."""
    *most, final = words or [""]
    return f"{', '.join(most)} {last} {final}" if most else final


class _Told:
    """The parts of one sentence."""

    def __init__(self, role: Role, action: Action | None, facts: frozenset[Fact]) -> None:
        self._role = role
        self._action = action
        self._facts = facts
        self._asked = frozenset[Fact]().union(*(each.facts for each in dimensions(role, action)))

    def of(self, part: Part) -> list[str]:
        """What a part says, in the order of the vocabulary."""
        return [words for fact in Fact if PHRASES[fact].part is part and (words := self._words(fact))]

    def _words(self, fact: Fact) -> str:
        phrase = PHRASES[fact]
        if fact in self._facts:
            return phrase.told
        return phrase.missed if fact in self._asked and self._action in phrase.missed_at else ""

    @property
    def subject(self) -> str:
        """Who asks, with what ties them to the dossier."""
        names = self.of(Part.SUBJECT)
        noun = names[0] if names else ROLES[self._role]
        also = [f"who is also {listed(names[1:])}"] if names[1:] else []
        rest = listed([*also, *self.of(Part.CLAUSE)])
        if Fact.IN_CARE_TEAM not in self._facts:
            return f"{noun} {rest}".strip()
        team = f"{noun} {PHRASES[Fact.IN_CARE_TEAM].told}, {self._words(Fact.CARE_TEAM_CONSENT)},"
        return f"{team} {rest}," if rest else team

    @property
    def consent(self) -> str:
        """The consent to a care team in which whoever asks is not."""
        alone = Fact.CARE_TEAM_CONSENT in self._facts and Fact.IN_CARE_TEAM not in self._facts
        return "the holder having consented to the care team" if alone else ""

    @property
    def dossier(self) -> str:
        """The dossier with its state."""
        if self._action is Action.DOSSIER_OPEN:
            return next(
                (words for fact, words in _OPENED.items() if fact in self._facts), "a dossier that is open already"
            )
        return next(iter(self.of(Part.DOSSIER)), "the dossier")

    @property
    def place(self) -> str:
        """In which dossier, where it is not simply an open one."""
        preposition = "about" if self._action in ACTIONS_ON[ResourceType.MESSAGE] else "in"
        return next((f"{preposition} {words}" for words in self.of(Part.DOSSIER)), "")

    @property
    def document(self) -> str:
        """The document with its kind, whose it is and its type."""
        types = self.of(Part.TYPE)
        if len(types) > 1 and Fact.KNOWN_DOCUMENT_TYPE in self._facts:
            types = types[1:]  # a category says that the type is known
        owner = self.of(Part.OWNER)
        kinds = [*self.of(Part.KIND), "document"]
        if Fact.AUTHOR in self._facts:
            return " ".join((*owner, *kinds, *types))
        article = "an" if kinds[0][0] in "aeiou" else "a"
        return " ".join((article, *kinds, *owner, listed(types))).strip()

    @property
    def mode(self) -> str:
        """The emergency mode with what counts in it."""
        if Fact.NORMAL in self._facts:
            return ""
        of_mode = self.of(Part.OF_MODE)
        if Fact.MASKED in self._facts and Fact.EMERGENCY_LIFTS_MASK not in self._facts:
            of_mode.append("which does not lift masks")
        which = [PHRASES[fact].told for fact in (Fact.BREAK_GLASS, Fact.CENTRE_15) if fact in self._facts]
        reason = [self._words(Fact.REASONED)] if Fact.BREAK_GLASS in self._facts else []
        return ", ".join(filter(None, (" ".join((*which, *reason)), listed(of_mode))))
