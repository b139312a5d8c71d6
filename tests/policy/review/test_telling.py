"""Situations, conditions and groups in words."""

from random import Random

import pytest

from models.vocabulary import Action
from policy.conditions import Condition
from policy.loader import load
from policy.review.planes import MEETINGS, plainest
from policy.review.telling import DEEDS, PHRASES, ROLES, Verb, listed, tell, tell_actions, tell_condition, tell_who
from policy.situation import Situation
from policy.space import dimensions
from policy.words import FACTS, Fact, Role


def situation(text: str) -> Situation:
    return Situation.from_words(text.split())


def condition(text: str) -> Condition:
    literals = text.split()
    return Condition(
        frozenset(FACTS[word] for word in literals if not word.startswith("!")),
        frozenset(FACTS[word[1:]] for word in literals if word.startswith("!")),
    )


@pytest.mark.parametrize(
    "words, expected",
    [
        (
            (
                "other_health_professional document:read normal in_care_team care_team_consent habilitated masked "
                "strong_authentication"
            ),
            (
                "a health professional of the care team, to which the holder consented, reads a masked document of "
                "others of a type that the matrix opens to the profession, with a strong authentication"
            ),
        ),
        ("person document:list normal holder closed", "the holder lists the documents of a closed dossier"),
        (
            "physician document:read centre_15 centre_15_refused samu_regulator habilitated strong_authentication",
            (
                "a physician who is SAMU regulator reads a document of others of a type that the matrix opens to the "
                "profession, with a strong authentication, in centre 15 mode, which the patient refuses"
            ),
        ),
        (
            "physician document:read break_glass masked author treating_physician in_care_team blocked",
            (
                "a treating physician of the care team, to which the holder did not consent, whom the patient blocked, "
                "reads their own masked document of a type that the matrix does not open to the profession, without "
                "strong authentication, in break-glass mode without a reason, which does not lift masks"
            ),
        ),
        (
            (
                "social_professional document:list break_glass reasoned break_glass_refused emergency_lifts_mask "
                "granted own_dossier care_team_consent"
            ),
            (
                "a social professional who has the holder's explicit consent and whose own dossier it is lists the "
                "documents of the dossier, without strong authentication, in break-glass mode with a reason, which the "
                "patient refuses and which lifts masks, the holder having consented to the care team"
            ),
        ),
        (
            "person document:read normal holder legal_representative caregiver archived withheld suspended",
            (
                "the holder who is also a legal representative and a caregiver reads an archived document of others, "
                "withheld from the patient, in a suspended dossier"
            ),
        ),
        (
            "physician access:grant normal for_self patient_present strong_authentication",
            (
                "a physician grants access to the dossier, with a strong authentication, with the patient present and "
                "consenting, naming themselves"
            ),
        ),
        ("pharmacy dossier:open normal", "a pharmacy opens a dossier that is open already"),
        ("pharmacy dossier:open normal no_dossier", "a pharmacy opens a dossier where there is none"),
        (
            "person document:deposit normal holder known_document_type patient_document patient_expression",
            (
                "the holder deposits a document of the category of patients' documents and of a type that expresses "
                "the patient's will"
            ),
        ),
        ("person document:deposit normal holder", "the holder deposits a document of an unknown type"),
        (
            "physician message:read normal closed correspondent strong_authentication",
            (
                "a physician reads a message of which they are the sender or the addressee, about a closed dossier, "
                "with a strong authentication"
            ),
        ),
        (
            "unknown none unknown_action unknown_mode",
            "somebody asks for an action that does not exist and in a mode that does not exist",
        ),
    ],
)
def test_a_situation_reads_as_a_sentence(words: str, expected: str) -> None:
    """Everything that holds is said, and of what does not hold what a reader would miss."""
    assert tell(situation(words)) == expected


@pytest.mark.parametrize(
    "verb, expected",
    [
        (Verb.DOES, "the holder reads the journal of the dossier"),
        (Verb.NOW, "the holder now reads the journal of the dossier"),
        (Verb.NO_LONGER, "the holder no longer reads the journal of the dossier"),
        (Verb.MAY, "the holder may read the journal of the dossier"),
        (Verb.MAY_NOT, "the holder may not read the journal of the dossier"),
    ],
)
def test_the_verb_says_how_the_deed_is_meant(verb: Verb, expected: str) -> None:
    """The same deed is told as done, as new, as ended, as permitted and as refused."""
    assert tell(situation("person journal:read normal holder"), verb) == expected


def test_every_word_has_its_phrase() -> None:
    """No role, action or fact of the vocabulary is without words, and no two roles have the same."""
    assert set(PHRASES) == set(Fact)
    assert set(DEEDS) == {None, *Action}
    assert set(ROLES) == set(Role)
    assert len(set(ROLES.values())) == len(Role)


@pytest.mark.no_cover
def test_every_fact_changes_the_sentence() -> None:
    """Whatever else is so, drawn at random, two alternatives of a dimension are never told alike."""
    draw = Random(4)
    for role, action in MEETINGS:
        bearing = dimensions(role, action)
        whole = [draw.choice(each.alternatives) for each in bearing]
        for place, dimension in enumerate(bearing):
            others = frozenset[Fact]().union(*whole[:place], *whole[place + 1 :])
            sentences = {tell(Situation.of(role, action, others | some)) for some in dimension.alternatives}
            assert len(sentences) == len(dimension.alternatives), (role, action, sentences)


def test_actions_are_told_apart() -> None:
    """The same role in the same circumstances never has one sentence for two actions."""
    sentences = [
        tell(Situation.of(role, action, frozenset[Fact]().union(*map(plainest, dimensions(role, action)))))
        for role, action in MEETINGS
        if action is not None
    ]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    "literals, expected",
    [
        ("", "always"),
        ("masked", "masked"),
        ("!masked", "not masked"),
        (
            "masked !author !treating_physician !emergency_lifts_mask",
            "masked, masks not lifted by an emergency, not a treating physician and not the author",
        ),
        (
            "normal in_care_team care_team_consent",
            "in normal mode, in the care team and with consent to the care team",
        ),
        ("!strong_authentication habilitated", "the type open to the profession and without strong authentication"),
    ],
)
def test_a_condition_reads_as_a_list(literals: str, expected: str) -> None:
    """What must hold comes first, then what must not."""
    assert tell_condition(condition(literals)) == expected


def test_every_literal_of_a_condition_has_its_own_words() -> None:
    """No two facts, and no fact and its contrary, read the same in a condition."""
    literals = [word for phrase in PHRASES.values() for word in (phrase.so, phrase.not_so)]
    assert len(set(literals)) == 2 * len(Fact)


@pytest.mark.parametrize(
    "roles, expected",
    [
        ([Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL], "health professional"),
        ([Role.PERSON, Role.PHYSICIAN], "person or physician"),
        ([Role.STAFF_OF_BANK], "staff of bank"),
        ([Role.BANK, Role.PERSON, Role.EMPLOYER], "person, employer or bank"),
        (list(Role), "anyone"),
    ],
)
def test_roles_are_named_by_their_group(roles: list[Role], expected: str) -> None:
    """A group's name stands for exactly its members; what is no group is listed in the vocabulary's order."""
    assert tell_who(roles, load()) == expected


@pytest.mark.parametrize(
    "actions, expected",
    [
        ([Action.DOCUMENT_LIST, Action.DOCUMENT_READ], "reading"),
        ([Action.DOCUMENT_READ, Action.DOSSIER_OPEN], "dossier:open or document:read"),
        ([None], "none"),
        ([None, *Action], "anything"),
    ],
)
def test_actions_are_named_by_their_group(actions: list[Action | None], expected: str) -> None:
    """As roles are; the question that cannot be put is the action `none`."""
    assert tell_actions(actions, load()) == expected


def test_nothing_listed_is_nothing() -> None:
    """An empty list has no words."""
    assert listed([]) == ""
