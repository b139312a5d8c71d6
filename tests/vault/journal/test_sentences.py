"""The journal in the patient's words."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from models.facts import Reference
from models.reference import PROFESSIONS
from models.vocabulary import Action, Mode, OrganizationKind, RepresentationKind
from tests.vault.journal.entries import DOCUMENT, DOSSIER, HOLDER, HOSPITAL, NURSE, an_entry
from vault.journal.english import ENGLISH
from vault.journal.entry import POLICY_SWAP, Item
from vault.journal.french import FRENCH, unbroken
from vault.journal.sentences import Words, sentence

Json = dict[str, Any]

REASONS = {
    "masked": Words("Le patient a masqué ce document.", "The patient masked this document."),
    "weak": Words("Il faut une carte : CPS ; « vite » !", "A card is needed: CPS."),
}
READING = Item("document:read", Reference("document", DOCUMENT), True, "care-team")
REFUSED = replace(READING, allowed=False, rule="masked")
SOMEBODY = "Une personne exerçant une profession de santé ou sociale (RPPS\u00a010001234565)"

MOMENTS: dict[str, Json] = {
    "allowed": {},
    "refused": {"allowed": False, "rule": "masked"},
    "refused by a rule of the past": {"allowed": False, "rule": "forgotten"},
    "changed": {"change": {"party": "professional/10007654320 organization/750000002", "until": "2027-01-01"}},
    "in an emergency": {"mode": "break_glass", "reason": "Patient inconscient", "patient_present": True},
    "at the centre 15": {"mode": "centre_15", "organization": "750000002", "profession": "nurse"},
    "in no mode": {"mode": "odd_mode"},
    "by the holder": {"subject": HOLDER, "change": {"masked": True}},
    "by another person": {"subject": Reference("person", DOCUMENT)},
    "by a structure": {"subject": HOSPITAL},
    "by staff": {"subject": Reference("staff", "sec-1")},
    "by something else": {"subject": Reference("robot", "x")},
    "a listing": {"items": (replace(READING, action="document:list"), READING)},
    "a batch": {"items": (READING, REFUSED, replace(REFUSED, rule="forgotten"))},
}
FRENCH_FAULTS = re.compile(r" [:;!?»]|« |[^\u00a0]:|[^\u202f][;!?]|«[^\u00a0]|[^\u00a0]»|['\"]|\.\.|  |\{|\}")
ENGLISH_FAULTS = re.compile(r" [:;!?,.]|['\"]|\.\.|  |\{|\}")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", [*Action, "evaluations", "thing:do", "", POLICY_SWAP])
def test_every_action_has_a_sentence(action: str, moment: str) -> None:
    """In both languages and every circumstance: one sentence, as its language is written, without our own words."""
    told = sentence(an_entry(action=action, **MOMENTS[moment]), REASONS)
    for text in (told.fr, told.en):
        assert text[0].isupper()
        assert text.endswith((".", ".\u00a0»", ".”"))
        assert [word for word in (*Action, "thing:do", POLICY_SWAP, "evaluations", "_") if word in text] == []
        assert str(DOSSIER) not in text
        assert DOCUMENT not in text
    assert FRENCH_FAULTS.findall(told.fr) == []
    assert ENGLISH_FAULTS.findall(told.en) == []


@pytest.mark.parametrize("language", [FRENCH, ENGLISH])
def test_a_language_has_words_for_the_whole_vocabulary(language: Any) -> None:
    """Actions, emergency modes, professions, kinds of structure and of representation: all of them, and no others."""
    assert set(language.actions) == set(Action)
    assert set(language.circumstances.modes) == set(Mode) - {Mode.NORMAL}
    assert set(language.professions) == set(PROFESSIONS)
    assert set(language.subjects.organizations) == set(OrganizationKind)
    assert set(language.subjects.representatives) == set(RepresentationKind)
    assert {name for name, _ in language.switches} == {
        "refuses_break_glass",
        "refuses_centre_15",
        "masked_in_emergency",
    }


@pytest.mark.parametrize(
    "told,french,english",
    [
        ({}, f"{SOMEBODY} a consulté un document du dossier.", None),
        (
            {"profession": "nurse", "organization": "750000002", "subject": NURSE},
            (
                "Une personne exerçant une profession de santé (soins infirmiers, RPPS\u00a010007654320, "
                "structure\u00a0750000002) a consulté un document du dossier."
            ),
            "A health professional (nurse, RPPS 10007654320, organization 750000002) read a document of the dossier.",
        ),
        (
            {"profession": "social_worker"},
            (
                "Une personne exerçant une profession sociale (service social, RPPS\u00a010001234565) a consulté un "
                "document du dossier."
            ),
            "A social professional (social worker, RPPS 10001234565) read a document of the dossier.",
        ),
        (
            {"profession": "shaman"},
            f"{SOMEBODY} a consulté un document du dossier.",
            "A health or social professional (RPPS 10001234565) read a document of the dossier.",
        ),
        (
            {"situation": ("physician", "access:list"), "action": "access:list"},
            (
                "Une personne exerçant une profession de santé (médecine, RPPS\u00a010001234565) a consulté la liste "
                "des personnes et des structures qui ont accès au dossier."
            ),
            "A health professional (physician, RPPS 10001234565) looked at the list of who has access to the dossier.",
        ),
        (
            {"situation": ("social_professional", "none")},
            "Une personne exerçant une profession sociale (RPPS\u00a010001234565) a consulté un document du dossier.",
            None,
        ),
        (
            {"subject": HOLDER, "resource": Reference("message", DOCUMENT), "action": "message:read"},
            "La personne titulaire du dossier a lu un message au sujet du dossier.",
            "The holder of the dossier read a message about the dossier.",
        ),
        (
            {"subject": Reference("person", DOCUMENT), "situation": ("person", "document:read", "caregiver")},
            "Une personne aidante a consulté un document du dossier.",
            "A caregiver read a document of the dossier.",
        ),
        (
            {"subject": Reference("person", DOCUMENT), "situation": ("person", "none", "legal_representative")},
            "Une personne qui représente légalement le ou la titulaire a consulté un document du dossier.",
            "A legal representative of the dossier’s holder read a document of the dossier.",
        ),
        (
            {"subject": Reference("person", DOCUMENT)},
            "Une personne qui n’est pas titulaire du dossier a consulté un document du dossier.",
            "A person who is not the holder of the dossier read a document of the dossier.",
        ),
        (
            {"subject": HOSPITAL, "situation": ("insurance_fund", "none")},
            "Une caisse d’assurance maladie (identifiant\u00a0750000002) a consulté un document du dossier.",
            "A health insurance fund (identifier 750000002) read a document of the dossier.",
        ),
        (
            {"subject": Reference("staff", "sec-1"), "situation": ("staff_of_pharmacy", "none")},
            "Une personne travaillant pour une pharmacie (identifiant\u00a0sec-1) a consulté un document du dossier.",
            "A person working for a pharmacy (identifier sec-1) read a document of the dossier.",
        ),
        (
            {"subject": Reference("service", "retention"), "action": "dossier:erase", "change": {"state": "none"}},
            "Le service qui conserve le dossier a effacé le dossier et tout son contenu.",
            "The service that keeps the dossier erased the dossier and all that it held.",
        ),
        (
            {"subject": Reference("robot", "x")},
            "Une personne ou un service que rien ne permet de reconnaître a consulté un document du dossier.",
            "A person or a service that cannot be recognised read a document of the dossier.",
        ),
    ],
)
def test_who(told: Json, french: str, english: str | None) -> None:
    """Kind of person or structure, profession where the journal knows it, numbers as they were given."""
    text = sentence(an_entry(**told), REASONS)
    assert text.fr == french
    assert english is None or text.en == english


@pytest.mark.parametrize(
    "told,french,english",
    [
        (
            {"mode": "break_glass", "reason": " Patient\ninconscient "},
            ", en urgence, par bris de glace (motif donné\u00a0: «\u00a0Patient inconscient\u00a0»).",
            ", in an emergency, by breaking the glass (reason given: “Patient inconscient”).",
        ),
        (
            {"mode": "centre_15"},
            ", en urgence, pour la régulation médicale du centre\u00a015.",
            ", in an emergency, for the medical dispatch of centre 15.",
        ),
        (
            {"patient_present": True},
            ", en déclarant la présence de la personne titulaire du dossier.",
            ", stating that the holder of the dossier was present.",
        ),
        (
            {"mode": "odd"},
            ", dans un mode d’accès que le service ne connaît pas.",
            ", in a mode of access that the service does not know.",
        ),
    ],
)
def test_under_which_circumstances(told: Json, french: str, english: str) -> None:
    """Emergencies with the reason given, as it was written; the patient's presence as it was stated."""
    text = sentence(an_entry(**told), REASONS)
    assert text.fr == f"{SOMEBODY} a consulté un document du dossier{french}"
    assert text.en == f"A health or social professional (RPPS 10001234565) read a document of the dossier{english}"


@pytest.mark.parametrize(
    "rule,french,english",
    [
        ("masked", "\u00a0: «\u00a0Le patient a masqué ce document.\u00a0»", ": “The patient masked this document.”"),
        (
            "weak",
            "\u00a0: «\u00a0Il faut une carte\u00a0: CPS\u202f; «\u00a0vite\u00a0»\u202f!\u00a0»",
            ": “A card is needed: CPS.”",
        ),
        ("forgotten", ".", "."),
    ],
)
def test_why_it_was_refused(rule: str, french: str, english: str) -> None:
    """In the sentence of the rule, where there is one; French is given the spaces that do not break."""
    text = sentence(an_entry(allowed=False, rule=rule), REASONS)
    assert text.fr == (
        f"{SOMEBODY} a demandé à consulter un document du dossier\u202f; la demande a été refusée{french}"
    )
    assert text.en == (
        "A health or social professional (RPPS 10001234565) asked to read a document of the dossier; "
        f"the request was refused{english}"
    )


@pytest.mark.parametrize(
    "action,change,french,english",
    [
        (
            "access:grant",
            {"party": "professional/10007654320", "relation": "granted", "until": "2027-01-01T00:00:00+00:00"},
            (
                "a donné accès au dossier à la personne exerçant sous le numéro RPPS\u00a010007654320, pour une durée "
                "limitée."
            ),
            "gave access to the dossier to the professional with the RPPS number 10007654320, for a limited time.",
        ),
        (
            "access:block",
            {"party": "organization/750000002", "relation": "blocked", "until": None},
            "a interdit l’accès au dossier à la structure\u00a0750000002.",
            "blocked access to the dossier for the organization 750000002.",
        ),
        (
            "access:unblock",
            {"party": "organization/750000002", "ended": "blocked"},
            "a levé l’interdiction d’accès au dossier faite à la structure\u00a0750000002.",
            "lifted the block on access to the dossier for the organization 750000002.",
        ),
        (
            "treating_physician:declare",
            {"party": "professional/1 professional/2", "relation": "treating_physician"},
            (
                "a déclaré comme médecin traitant la personne exerçant sous le numéro RPPS\u00a01 et la personne "
                "exerçant sous le numéro RPPS\u00a02."
            ),
            (
                "declared as treating physician the professional with the RPPS number 1 and the professional with the "
                "RPPS number 2."
            ),
        ),
        (
            "message:send",
            {"message": DOCUMENT, "addressee": "professional/10007654320"},
            "a envoyé à la personne exerçant sous le numéro RPPS\u00a010007654320 un message au sujet du dossier.",
            "sent a message about the dossier to the professional with the RPPS number 10007654320.",
        ),
        (
            "access:revoke",
            {"ended": "granted"},
            "a retiré à une personne ou une structure l’accès au dossier.",
            "withdrew access to the dossier from a person or an organization.",
        ),
        (
            "emergency:set",
            {"refuses_break_glass": True, "refuses_centre_15": False, "masked_in_emergency": False},
            (
                "a réglé les accès au dossier en cas d’urgence (bris de glace refusé, centre\u00a015 accepté, "
                "documents masqués non montrés)."
            ),
            (
                "set how the dossier may be accessed in an emergency (break-glass refused, centre 15 accepted, masked "
                "documents not shown)."
            ),
        ),
        (
            "emergency:set",
            {"x": "y"},
            "a réglé les accès au dossier en cas d’urgence.",
            "set how the dossier may be accessed in an emergency.",
        ),
        (
            "care_team:consent",
            {"care_team_consent": True},
            "a enregistré le consentement à l’accès de l’équipe de soins au dossier.",
            "recorded the consent to the care team’s access to the dossier.",
        ),
        (
            "care_team:consent",
            {"care_team_consent": False},
            "a enregistré le retrait du consentement à l’accès de l’équipe de soins au dossier.",
            "recorded that the consent to the care team’s access to the dossier is withdrawn.",
        ),
        (
            "document:replace",
            {"document": DOCUMENT},
            "a remplacé un document du dossier par une nouvelle version.",
            "replaced a document of the dossier by a new version.",
        ),
        (
            "document:replace",
            {"contested": True, "kept": True},
            "a maintenu un document du dossier qui était contesté.",
            "kept a contested document of the dossier.",
        ),
        (
            "document:deposit",
            {"document_type": "REMB", "months": "2026-01 2026-02"},
            "a ajouté un document au dossier.",
            "added a document to the dossier.",
        ),
    ],
)
def test_what_was_changed(action: str, change: Json, french: str, english: str) -> None:
    """Done, for whom and to what, but never the type of a document."""
    text = sentence(an_entry(action=action, subject=HOLDER, change=change), REASONS)
    assert text.fr == f"La personne titulaire du dossier {french}"
    assert text.en == f"The holder of the dossier {english}"


def test_a_permission_alone_is_no_change() -> None:
    """Where nothing was changed, only the permission is told."""
    text = sentence(an_entry(action="document:mask", subject=HOLDER), REASONS)
    assert text.fr == (
        "La personne titulaire du dossier a demandé à masquer un document du dossier\u202f; la demande a été acceptée."
    )
    assert text.en == "The holder of the dossier asked to mask a document of the dossier; the request was granted."


@pytest.mark.parametrize(
    "told,french,english",
    [
        (
            {"action": "journal:read", "obligations": ("own_entries_only",)},
            "a consulté l’historique de ses propres accès au dossier.",
            "looked at the history of their own accesses to the dossier.",
        ),
        (
            {"action": "evaluations", "items": (replace(READING, action="document:list"), READING, READING)},
            "a consulté la liste des documents du dossier (2\u00a0documents).",
            "looked at the list of the dossier’s documents (2 documents).",
        ),
        (
            {"action": "document:list", "items": (replace(READING, action="document:list"), READING)},
            "a consulté la liste des documents du dossier (1\u00a0document).",
            "looked at the list of the dossier’s documents (1 document).",
        ),
        (
            {
                "action": "evaluations",
                "items": (replace(READING, action="dossier:export"), replace(READING, action="journal:read")),
            },
            "a obtenu une copie du dossier (0\u00a0document).",
            "got a copy of the dossier (0 documents).",
        ),
        (
            {
                "action": "evaluations",
                "mode": "centre_15",
                "items": (READING, READING, REFUSED, REFUSED, replace(REFUSED, action="x", rule="forgotten")),
            },
            (
                "a présenté 5\u00a0demandes, en urgence, pour la régulation médicale du centre\u00a015\u00a0: "
                "consulter un document du dossier (2\u00a0acceptées, 2\u00a0refusées\u00a0: «\u00a0Le patient a masqué "
                "ce document.\u00a0»), faire une action que le service ne connaît pas (1\u00a0refusée)."
            ),
            (
                "made 5 requests, in an emergency, for the medical dispatch of centre 15: read a document of the "
                "dossier (2 granted, 2 refused: “The patient masked this document.”), do something that the service "
                "does not know (1 refused)."
            ),
        ),
        (
            {"action": "document:read", "items": (READING,)},
            "a présenté 1\u00a0demande\u00a0: consulter un document du dossier (1\u00a0acceptée).",
            "made 1 request: read a document of the dossier (1 granted).",
        ),
    ],
)
def test_several_at_once(told: Json, french: str, english: str) -> None:
    """A list and a copy tell how many documents they show; other requests, how many were granted and refused."""
    text = sentence(an_entry(**told), REASONS)
    assert text.fr == f"{SOMEBODY} {french}"
    assert text.en == f"A health or social professional (RPPS 10001234565) {english}"


def test_what_callers_wrote_is_no_template() -> None:
    """Braces in a reason or a number are told as they are."""
    text = sentence(an_entry(reason="{who} {0}", subject=Reference("professional", "{n}")), REASONS)
    assert "«\u00a0{who} {0}\u00a0»" in text.fr
    assert "(RPPS {n})" in text.en


def test_spaces_that_do_not_break() -> None:
    """Before high punctuation and inside guillemets, and nowhere else."""
    assert unbroken("Quoi ? « Oui » : non ; si !") == ("Quoi\u202f? «\u00a0Oui\u00a0»\u00a0: non\u202f; si\u202f!")
