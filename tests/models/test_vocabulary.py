"""The vocabularies are the words of the rules, and the data use no other."""

from enum import StrEnum

import pytest

from models import reference
from models.facts import type_of_subject
from models.vocabulary import (
    ACTIONS_ON,
    Action,
    Authentication,
    Category,
    DocumentStatus,
    DossierState,
    Mode,
    Obligation,
    OrganizationKind,
    ProfessionKind,
    RelationKind,
    RepresentationKind,
    ResourceType,
    Scope,
    Space,
    SubjectType,
)

# As RULES §1 lists them.
ON_A_DOSSIER = """
    dossier:exists dossier:open dossier:close dossier:reopen dossier:erase dossier:suspend dossier:export
    document:deposit document:list journal:read access:list access:grant access:revoke access:block access:unblock
    treating_physician:declare treating_physician:end emergency:set care_team:consent message:send
"""
ON_A_DOCUMENT = """
    document:read document:replace document:mask document:unmask document:reveal document:archive document:restore
    document:delete document:contest
"""
ON_A_MESSAGE = "message:read"


@pytest.mark.parametrize(
    "resource, words",
    [
        (ResourceType.DOSSIER, ON_A_DOSSIER),
        (ResourceType.DOCUMENT, ON_A_DOCUMENT),
        (ResourceType.MESSAGE, ON_A_MESSAGE),
    ],
)
def test_each_resource_has_the_actions_of_the_rules(resource: ResourceType, words: str) -> None:
    """The table of actions of RULES §1, resource by resource."""
    assert {action.value for action in ACTIONS_ON[resource]} == set(words.split())


def test_every_action_is_asked_on_one_type_of_resource() -> None:
    """Each action belongs to exactly one type of resource, each type has some."""
    assert set(ACTIONS_ON) == set(ResourceType)
    assert sorted(action for actions in ACTIONS_ON.values() for action in actions) == sorted(Action)


@pytest.mark.parametrize(
    "vocabulary, words",
    [
        (SubjectType, "person professional organization staff"),
        (ResourceType, "dossier document message"),
        (
            OrganizationKind,
            "health_facility laboratory pharmacy insurance_fund complementary_insurer employer bank",
        ),
        (Mode, "normal break_glass centre_15"),
        (DossierState, "none open closed suspended"),
        (DocumentStatus, "current superseded archived deleted"),
        (RelationKind, "treating_physician care_team granted blocked"),
        (RepresentationKind, "legal_representative caregiver"),
        (Authentication, "cps e_cps pro_sante_connect"),
        (ProfessionKind, "health social"),
        (
            Space,
            "reports imaging summaries treatments analyses prevention certificates reimbursements personal",
        ),
        (
            Obligation,
            """
            notify_patient notify_treating_physicians alert_withheld alert_hidden_from_representatives own_entries_only
            write_down
            """,
        ),
        (Scope, "decide documents dossiers journal feeds policy operate"),
    ],
)
def test_the_words_are_those_of_the_rules_in_their_order(vocabulary: type[StrEnum], words: str) -> None:
    """Every closed list of RULES (§1 to §6) and of the interfaces, word for word."""
    assert [word.value for word in vocabulary] == words.split()


def test_the_categories_are_those_of_the_data() -> None:
    """The enumeration and the file name the same categories in the same order."""
    assert list(reference.CATEGORIES) == list(Category)


def test_every_kind_of_subject_has_its_type() -> None:
    """Facts about a subject say which type of subject it is."""
    assert set(type_of_subject.values()) == set(SubjectType)
