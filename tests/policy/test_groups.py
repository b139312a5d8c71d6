"""The groups of the packaged rules are what their names say."""

from models.vocabulary import ACTIONS_ON, Action, ResourceType
from policy.ruleset import RuleSet
from policy.words import KNOWN_ROLES, PROFESSIONALS, Role

ON_DOCUMENT = ACTIONS_ON[ResourceType.DOCUMENT]
PROHIBITED = {
    Role.COMPLEMENTARY_INSURER,
    Role.EMPLOYER,
    Role.BANK,
    Role.STAFF_OF_COMPLEMENTARY_INSURER,
    Role.STAFF_OF_EMPLOYER,
    Role.STAFF_OF_BANK,
}
STAFF = {role for role in Role if role.startswith("staff_of_")}
ORGANIZATIONS = KNOWN_ROLES - PROFESSIONALS - STAFF - {Role.PERSON}


def test_groups_of_actions_are_what_the_tables_say(rules: RuleSet) -> None:
    """`everything but` is everything but that."""
    everything = {action.value for action in Action}
    upkeep = {"document:replace", "document:archive", "document:restore", "document:delete"}
    reading = {"document:list", "document:read"}
    patient = {"dossier:reopen", "dossier:erase", "dossier:export", "journal:read"}
    expected = {
        "anything": everything | {"none"},
        "all_but_exists": everything - {"dossier:exists"},
        "needing_a_dossier": everything - {"dossier:exists", "dossier:open"},
        "all_but_reading": everything - reading,
        "ended_by_closure": everything - {"dossier:exists"} - patient,
        "kept_after_closure": patient - {"dossier:reopen"},
        "ended_by_blocking": everything - {"dossier:exists", "document:deposit"} - upkeep,
        "author_upkeep": upkeep,
        "on_document": {action.value for action in ON_DOCUMENT},
        "changing": {action.value for action in ON_DOCUMENT}
        - {"document:read", "document:mask", "document:unmask", "document:restore"},
        "changing_or_restoring": {action.value for action in ON_DOCUMENT}
        - {"document:read", "document:mask", "document:unmask"},
        "card_only": {
            *reading,
            "journal:read",
            "document:mask",
            "document:reveal",
            "message:send",
            "message:read",
            *(action for action in everything if action.startswith(("access:", "treating_physician:"))),
        },
    }
    assert {name: set(rules.actions.members[name]) for name in expected} == expected


def test_groups_of_roles_are_what_the_tables_say(rules: RuleSet) -> None:
    """Everybody is in one place or the other, and the unknown only in `anyone`."""
    known = set(KNOWN_ROLES)
    expected: dict[str, set[Role]] = {
        "anyone": set(Role),
        "everyone_but_the_fund": known - {Role.INSURANCE_FUND},
        "everyone_but_professionals": known - PROFESSIONALS,
        "prohibited_party": PROHIBITED,
        "professional_or_organization": (set(PROFESSIONALS) | ORGANIZATIONS) - PROHIBITED,
        "permitted_party": known - PROHIBITED - {Role.PERSON},
    }
    assert {name: {Role(word) for word in rules.roles.members[name]} for name in expected} == expected
