"""Being the sender or the addressee of a message opens that message, and changes no other answer (RULES §7)."""

from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from models.facts import Case, Message
from models.vocabulary import Action, ResourceType
from policy.habilitations import read_habilitations
from policy.loader import PACKAGED
from policy.situation import situation_of
from policy.space import dimensions
from policy.words import Fact, Role
from tests.policy.drawing import MESSAGE, PROFESSIONALS, draw_case

CASES = 5_000


def correspondences(case: Case) -> Iterator[Case]:
    """The case of somebody who sent a message, who received one, and who did neither."""
    subject, other = case.question.subject.id, PROFESSIONALS[0]
    yield replace(case, message=Message(MESSAGE, subject, other))
    yield replace(case, message=Message(MESSAGE, other, subject))
    yield replace(case, message=None)


def test_a_message_changes_no_other_situation() -> None:
    """Whoever asks whatever else, in any circumstances: the situation, hence the answer, is the same to the word."""
    matrix, random = read_habilitations(PACKAGED / "habilitations.csv"), Random(7)
    others = [
        case
        for case in (draw_case(random) for _ in range(CASES))
        if case.question.resource.type != ResourceType.MESSAGE
    ]
    assert len(others) > CASES / 2
    changed = [
        case.question
        for case in others
        if {situation_of(each, matrix) for each in correspondences(case)} != {situation_of(case, matrix)}
    ]
    assert changed == []


def test_only_the_reading_of_a_message_asks_who_corresponds() -> None:
    """And of professionals alone."""
    told = {
        (role, action)
        for role in Role
        for action in (None, *Action)
        if any(Fact.CORRESPONDENT in dimension.facts for dimension in dimensions(role, action))
    }
    professionals = (Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL, Role.SOCIAL_PROFESSIONAL)
    assert told == {(role, Action.MESSAGE_READ) for role in professionals}
