"""The journal in English."""

from models.vocabulary import Action, Mode, OrganizationKind, ProfessionKind, RepresentationKind
from vault.journal.language import Batch, Circumstances, Endings, Language, Numbers, Phrase, Subjects, Whom

_ACTIONS = {
    Action.DOSSIER_EXISTS: Phrase("checked whether a dossier exists", "check whether a dossier exists"),
    Action.DOSSIER_OPEN: Phrase("opened the dossier", "open the dossier"),
    Action.DOSSIER_CLOSE: Phrase("closed the dossier", "close the dossier"),
    Action.DOSSIER_REOPEN: Phrase("reopened the dossier", "reopen the dossier"),
    Action.DOSSIER_ERASE: Phrase("erased the dossier and all that it held", "erase the dossier and all that it holds"),
    Action.DOSSIER_SUSPEND: Phrase("suspended the dossier", "suspend the dossier"),
    Action.DOSSIER_EXPORT: Phrase("asked for a copy of the dossier", "get a copy of the dossier"),
    Action.DOCUMENT_DEPOSIT: Phrase("added a document to the dossier", "add a document to the dossier"),
    Action.DOCUMENT_LIST: Phrase(
        "looked at the list of the dossier’s documents", "look at the list of the dossier’s documents"
    ),
    Action.JOURNAL_READ: Phrase(
        "looked at the history of accesses to the dossier", "look at the history of accesses to the dossier"
    ),
    Action.ACCESS_LIST: Phrase(
        "looked at the list of who has access to the dossier", "look at the list of who has access to the dossier"
    ),
    Action.ACCESS_GRANT: Phrase("gave access to the dossier to {whom}{limit}", "give access to the dossier"),
    Action.ACCESS_REVOKE: Phrase(
        "withdrew access to the dossier from {whom}", "withdraw somebody’s access to the dossier"
    ),
    Action.ACCESS_BLOCK: Phrase("blocked access to the dossier for {whom}", "block access to the dossier"),
    Action.ACCESS_UNBLOCK: Phrase(
        "lifted the block on access to the dossier for {whom}", "lift a block on access to the dossier"
    ),
    Action.TREATING_PHYSICIAN_DECLARE: Phrase(
        "declared as treating physician {whom}", "declare who is treating physician"
    ),
    Action.TREATING_PHYSICIAN_END: Phrase(
        "ended the role of treating physician of {whom}", "end somebody’s role of treating physician"
    ),
    Action.EMERGENCY_SET: Phrase(
        "set how the dossier may be accessed in an emergency{switches}",
        "set how the dossier may be accessed in an emergency",
    ),
    Action.CARE_TEAM_CONSENT: Phrase(
        "recorded the consent to the care team’s access to the dossier",
        "change the consent to the care team’s access to the dossier",
    ),
    Action.MESSAGE_SEND: Phrase("sent a message about the dossier to {whom}", "send a message about the dossier"),
    Action.DOCUMENT_READ: Phrase("read a document of the dossier", "read a document of the dossier"),
    Action.DOCUMENT_REPLACE: Phrase(
        "replaced a document of the dossier by a new version", "replace a document of the dossier"
    ),
    Action.DOCUMENT_MASK: Phrase("masked a document of the dossier", "mask a document of the dossier"),
    Action.DOCUMENT_UNMASK: Phrase(
        "ended the masking of a document of the dossier", "end the masking of a document of the dossier"
    ),
    Action.DOCUMENT_REVEAL: Phrase(
        "showed to the holder of the dossier a document that had to be explained first",
        "show to the holder of the dossier a document that has to be explained first",
    ),
    Action.DOCUMENT_ARCHIVE: Phrase("archived a document of the dossier", "archive a document of the dossier"),
    Action.DOCUMENT_RESTORE: Phrase(
        "restored an archived document of the dossier", "restore an archived document of the dossier"
    ),
    Action.DOCUMENT_DELETE: Phrase("deleted a document of the dossier", "delete a document of the dossier"),
    Action.DOCUMENT_CONTEST: Phrase("contested a document of the dossier", "contest a document of the dossier"),
    Action.MESSAGE_READ: Phrase("read a message about the dossier", "read a message about the dossier"),
}

_PROFESSIONS = {
    "physician": "physician",
    "pharmacist": "pharmacist",
    "nurse": "nurse",
    "dental_surgeon": "dental surgeon",
    "midwife": "midwife",
    "physiotherapist": "physiotherapist",
    "podiatrist": "podiatrist",
    "speech_therapist": "speech therapist",
    "orthoptist": "orthoptist",
    "dietitian": "dietitian",
    "occupational_therapist": "occupational therapist",
    "psychomotor_therapist": "psychomotor therapist",
    "radiographer": "radiographer",
    "laboratory_technician": "laboratory technician",
    "hearing_aid_practitioner": "hearing aid practitioner",
    "optician": "optician",
    "psychologist": "psychologist",
    "social_coordinator": "social coordinator",
    "social_worker": "social worker",
    "care_support_worker": "care support worker",
    "social_educator": "social educator",
    "social_supervisor": "social supervisor",
    "social_administrator": "social administrator",
}

ENGLISH = Language(
    actions=_ACTIONS,
    unknown=Phrase("did something that the service does not know", "do something that the service does not know"),
    own_trace=Phrase(
        "looked at the history of their own accesses to the dossier",
        "look at the history of their own accesses to the dossier",
    ),
    kept=Phrase("kept a contested document of the dossier", "keep a contested document of the dossier"),
    withdrawn=Phrase(
        "recorded that the consent to the care team’s access to the dossier is withdrawn",
        "change the consent to the care team’s access to the dossier",
    ),
    copied="got a copy of the dossier",
    switches={
        ("refuses_break_glass", True): "break-glass refused",
        ("refuses_break_glass", False): "break-glass accepted",
        ("refuses_centre_15", True): "centre 15 refused",
        ("refuses_centre_15", False): "centre 15 accepted",
        ("masked_in_emergency", True): "masked documents shown",
        ("masked_in_emergency", False): "masked documents not shown",
    },
    professions=_PROFESSIONS,
    subjects=Subjects(
        holder="the holder of the dossier",
        representatives={
            RepresentationKind.LEGAL_REPRESENTATIVE: "a legal representative of the dossier’s holder",
            RepresentationKind.CAREGIVER: "a caregiver",
        },
        other_person="a person who is not the holder of the dossier",
        professionals={
            ProfessionKind.HEALTH: "a health professional",
            ProfessionKind.SOCIAL: "a social professional",
        },
        professional="a health or social professional",
        organizations={
            OrganizationKind.HEALTH_FACILITY: "a health facility",
            OrganizationKind.LABORATORY: "a laboratory",
            OrganizationKind.PHARMACY: "a pharmacy",
            OrganizationKind.INSURANCE_FUND: "a health insurance fund",
            OrganizationKind.COMPLEMENTARY_INSURER: "a complementary insurer",
            OrganizationKind.EMPLOYER: "an employer",
            OrganizationKind.BANK: "a bank",
        },
        organization="an organization",
        of_structure="a person working for {}",
        service="the service that keeps the dossier",
        unknown="a person or a service that cannot be recognised",
    ),
    numbers=Numbers("RPPS {}", "organization {}", "identifier {}"),
    whom=Whom(
        professional="the professional with the RPPS number {}",
        organization="the organization {}",
        somebody="a person or an organization",
        conjunction=" and ",
        limit=", for a limited time",
    ),
    circumstances=Circumstances(
        modes={
            Mode.BREAK_GLASS: ", in an emergency, by breaking the glass",
            Mode.CENTRE_15: ", in an emergency, for the medical dispatch of centre 15",
        },
        unknown_mode=", in a mode of access that the service does not know",
        reason=" (reason given: {})",
        present=", stating that the holder of the dossier was present",
    ),
    endings=Endings(
        granted="{who} asked to {asked}{how}; the request was granted",
        refused="{who} asked to {asked}{how}; the request was refused",
    ),
    batch=Batch(
        requests=("{who} made {n} request{how}", "{who} made {n} requests{how}"),
        listed=(" ({n} document)", " ({n} documents)"),
        granted=("{n} granted", "{n} granted"),
        refused=("{n} refused", "{n} refused"),
    ),
    colon=": ",
    quoted="“{}”",
    singular=frozenset({1}),
)
