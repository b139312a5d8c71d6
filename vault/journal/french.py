"""The journal in French.

Every subject is told by a word whose gender says nothing of the person ("une personne"), and no past participle
agrees with it. Spaces before high punctuation and inside guillemets do not break: they are written as escapes, since
nobody sees them otherwise.
"""

import re

from models.vocabulary import Action, Mode, OrganizationKind, ProfessionKind, RepresentationKind
from vault.journal.language import Batch, Circumstances, Endings, Language, Numbers, Phrase, Subjects, Whom

_BEFORE_HIGH, _BEFORE_COLON, _AFTER_OPENING = (
    re.compile(r" (?=[;!?])"),
    re.compile(r" (?=[:»])"),
    re.compile(r"(?<=«) "),
)


def unbroken(text: str) -> str:
    """The text with spaces that do not break where French typography asks for them."""
    text = _BEFORE_HIGH.sub("\u202f", text)
    return _AFTER_OPENING.sub("\u00a0", _BEFORE_COLON.sub("\u00a0", text))


_ACTIONS = {
    Action.DOSSIER_EXISTS: Phrase("a vérifié si un dossier existe", "vérifier si un dossier existe"),
    Action.DOSSIER_OPEN: Phrase("a ouvert le dossier", "ouvrir le dossier"),
    Action.DOSSIER_CLOSE: Phrase("a fermé le dossier", "fermer le dossier"),
    Action.DOSSIER_REOPEN: Phrase("a rouvert le dossier", "rouvrir le dossier"),
    Action.DOSSIER_ERASE: Phrase("a effacé le dossier et tout son contenu", "effacer le dossier et tout son contenu"),
    Action.DOSSIER_SUSPEND: Phrase("a suspendu le dossier", "suspendre le dossier"),
    Action.DOSSIER_EXPORT: Phrase("a demandé une copie du dossier", "obtenir une copie du dossier"),
    Action.DOCUMENT_DEPOSIT: Phrase("a ajouté un document au dossier", "ajouter un document au dossier"),
    Action.DOCUMENT_LIST: Phrase(
        "a consulté la liste des documents du dossier", "consulter la liste des documents du dossier"
    ),
    Action.JOURNAL_READ: Phrase(
        "a consulté l’historique des accès au dossier", "consulter l’historique des accès au dossier"
    ),
    Action.ACCESS_LIST: Phrase(
        "a consulté la liste des personnes et des structures qui ont accès au dossier",
        "consulter la liste des personnes et des structures qui ont accès au dossier",
    ),
    Action.ACCESS_GRANT: Phrase("a donné accès au dossier à {whom}{limit}", "donner accès au dossier"),
    Action.ACCESS_REVOKE: Phrase("a retiré à {whom} l’accès au dossier", "retirer un accès au dossier"),
    Action.ACCESS_BLOCK: Phrase("a interdit l’accès au dossier à {whom}", "interdire un accès au dossier"),
    Action.ACCESS_UNBLOCK: Phrase(
        "a levé l’interdiction d’accès au dossier faite à {whom}", "lever une interdiction d’accès au dossier"
    ),
    Action.TREATING_PHYSICIAN_DECLARE: Phrase(
        "a déclaré comme médecin traitant {whom}", "déclarer qui est médecin traitant"
    ),
    Action.TREATING_PHYSICIAN_END: Phrase(
        "a retiré à {whom} le rôle de médecin traitant", "retirer le rôle de médecin traitant"
    ),
    Action.EMERGENCY_SET: Phrase(
        "a réglé les accès au dossier en cas d’urgence{switches}", "régler les accès au dossier en cas d’urgence"
    ),
    Action.CARE_TEAM_CONSENT: Phrase(
        "a enregistré le consentement à l’accès de l’équipe de soins au dossier",
        "changer le consentement à l’accès de l’équipe de soins au dossier",
    ),
    Action.MESSAGE_SEND: Phrase(
        "a envoyé à {whom} un message au sujet du dossier", "envoyer un message au sujet du dossier"
    ),
    Action.DOCUMENT_READ: Phrase("a consulté un document du dossier", "consulter un document du dossier"),
    Action.DOCUMENT_REPLACE: Phrase(
        "a remplacé un document du dossier par une nouvelle version", "remplacer un document du dossier"
    ),
    Action.DOCUMENT_MASK: Phrase("a masqué un document du dossier", "masquer un document du dossier"),
    Action.DOCUMENT_UNMASK: Phrase(
        "a mis fin au masquage d’un document du dossier", "mettre fin au masquage d’un document du dossier"
    ),
    Action.DOCUMENT_REVEAL: Phrase(
        "a rendu visible à la personne titulaire du dossier un document qui devait d’abord lui être expliqué",
        "rendre visible à la personne titulaire du dossier un document qui doit d’abord lui être expliqué",
    ),
    Action.DOCUMENT_ARCHIVE: Phrase("a archivé un document du dossier", "archiver un document du dossier"),
    Action.DOCUMENT_RESTORE: Phrase(
        "a remis en circulation un document archivé du dossier",
        "remettre en circulation un document archivé du dossier",
    ),
    Action.DOCUMENT_DELETE: Phrase("a supprimé un document du dossier", "supprimer un document du dossier"),
    Action.DOCUMENT_CONTEST: Phrase("a contesté un document du dossier", "contester un document du dossier"),
    Action.MESSAGE_READ: Phrase("a lu un message au sujet du dossier", "lire un message au sujet du dossier"),
}

_PROFESSIONS = {
    "physician": "médecine",
    "pharmacist": "pharmacie",
    "nurse": "soins infirmiers",
    "dental_surgeon": "chirurgie dentaire",
    "midwife": "sage-femme",
    "physiotherapist": "masso-kinésithérapie",
    "podiatrist": "pédicurie-podologie",
    "speech_therapist": "orthophonie",
    "orthoptist": "orthoptie",
    "dietitian": "diététique",
    "occupational_therapist": "ergothérapie",
    "psychomotor_therapist": "psychomotricité",
    "radiographer": "électroradiologie médicale",
    "laboratory_technician": "laboratoire médical",
    "hearing_aid_practitioner": "audioprothèse",
    "optician": "optique-lunetterie",
    "psychologist": "psychologie",
    "social_coordinator": "coordination et orientation",
    "social_worker": "service social",
    "care_support_worker": "accompagnement au soin",
    "social_educator": "accompagnement social et éducatif",
    "social_supervisor": "encadrement et organisation",
    "social_administrator": "administration et appui",
}

FRENCH = Language(
    actions=_ACTIONS,
    unknown=Phrase("a fait une action que le service ne connaît pas", "faire une action que le service ne connaît pas"),
    own_trace=Phrase(
        "a consulté l’historique de ses propres accès au dossier",
        "consulter l’historique de ses propres accès au dossier",
    ),
    kept=Phrase(
        "a maintenu un document du dossier qui était contesté", "maintenir un document du dossier qui est contesté"
    ),
    withdrawn=Phrase(
        "a enregistré le retrait du consentement à l’accès de l’équipe de soins au dossier",
        "changer le consentement à l’accès de l’équipe de soins au dossier",
    ),
    copied="a obtenu une copie du dossier",
    switches={
        ("refuses_break_glass", True): "bris de glace refusé",
        ("refuses_break_glass", False): "bris de glace accepté",
        ("refuses_centre_15", True): "centre\u00a015 refusé",
        ("refuses_centre_15", False): "centre\u00a015 accepté",
        ("masked_in_emergency", True): "documents masqués montrés",
        ("masked_in_emergency", False): "documents masqués non montrés",
    },
    professions=_PROFESSIONS,
    subjects=Subjects(
        holder="la personne titulaire du dossier",
        representatives={
            RepresentationKind.LEGAL_REPRESENTATIVE: "une personne qui représente légalement le ou la titulaire",
            RepresentationKind.CAREGIVER: "une personne aidante",
        },
        other_person="une personne qui n’est pas titulaire du dossier",
        professionals={
            ProfessionKind.HEALTH: "une personne exerçant une profession de santé",
            ProfessionKind.SOCIAL: "une personne exerçant une profession sociale",
        },
        professional="une personne exerçant une profession de santé ou sociale",
        organizations={
            OrganizationKind.HEALTH_FACILITY: "un établissement de santé",
            OrganizationKind.LABORATORY: "un laboratoire",
            OrganizationKind.PHARMACY: "une pharmacie",
            OrganizationKind.INSURANCE_FUND: "une caisse d’assurance maladie",
            OrganizationKind.COMPLEMENTARY_INSURER: "une complémentaire santé",
            OrganizationKind.EMPLOYER: "un employeur",
            OrganizationKind.BANK: "une banque",
        },
        organization="une structure",
        of_structure="une personne travaillant pour {}",
        service="le service qui conserve le dossier",
        unknown="une personne ou un service que rien ne permet de reconnaître",
    ),
    numbers=Numbers("RPPS\u00a0{}", "structure\u00a0{}", "identifiant\u00a0{}"),
    whom=Whom(
        professional="la personne exerçant sous le numéro RPPS\u00a0{}",
        organization="la structure\u00a0{}",
        somebody="une personne ou une structure",
        conjunction=" et ",
        limit=", pour une durée limitée",
    ),
    circumstances=Circumstances(
        modes={
            Mode.BREAK_GLASS: ", en urgence, par bris de glace",
            Mode.CENTRE_15: ", en urgence, pour la régulation médicale du centre\u00a015",
        },
        unknown_mode=", dans un mode d’accès que le service ne connaît pas",
        reason=" (motif donné\u00a0: {})",
        present=", en déclarant la présence de la personne titulaire du dossier",
    ),
    endings=Endings(
        granted="{who} a demandé à {asked}{how}\u202f; la demande a été acceptée",
        refused="{who} a demandé à {asked}{how}\u202f; la demande a été refusée",
    ),
    batch=Batch(
        requests=("{who} a présenté {n}\u00a0demande{how}", "{who} a présenté {n}\u00a0demandes{how}"),
        listed=(" ({n}\u00a0document)", " ({n}\u00a0documents)"),
        granted=("{n}\u00a0acceptée", "{n}\u00a0acceptées"),
        refused=("{n}\u00a0refusée", "{n}\u00a0refusées"),
    ),
    colon="\u00a0: ",
    quoted="«\u00a0{}\u00a0»",
    singular=frozenset({0, 1}),
)
