"""Laws: what is read, what is refused, and where each consequence fails."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.vocabulary import Action
from policy import space
from policy.conditions import read_condition
from policy.errors import PolicyFileError
from policy.loader import PACKAGED
from policy.review.laws import HEADER, WORDS, laws_folder, read_laws
from policy.review.prove import hold
from policy.ruleset import Rule, RuleSet
from policy.space import Dimension
from policy.words import Fact, Role

GROUPS = "g, physician, professional\ng, social_professional, professional\ng2, document:list, reading\n"


def laws(folder: Path, row: str) -> Path:
    """A folder of laws with one row."""
    (folder / WORDS).write_text(GROUPS)
    (folder / "10-laws.csv").write_text(f"{','.join(HEADER)}\n{row}\n")
    return folder


def law(condition: str, follows: str, *, action: str = "reading", who: str = "professional") -> str:
    return f"a-law,{who},{action},{condition},{follows},So it shall be."


REFUSED = law("always", "refused")


@pytest.mark.parametrize(
    "row, fault",
    [
        (law("always", "refusd"), "'refusd' is no known consequence; did you mean refused?"),
        (law("always", "refused_by maskd"), "'maskd' is no known rule of reasons.csv; did you mean masked?"),
        (law("always", "refused_by cannot-judge"), "'cannot-judge' is no known rule of reasons.csv"),
        (law("always", "owes write_dow"), "'write_dow' is no known obligation; did you mean write_down?"),
        (law("always", "maskt never_opens"), "'maskt' is no known fact; did you mean masked?"),
        (law("always", "maskt never_told"), "'maskt' is no known fact; did you mean masked?"),
        (law("always", "never_opens masked"), "'never_opens' is no known consequence"),
        (law("always", "refused by masked"), "'refused by masked' is no consequence: one word, or two"),
        (law("grantd", "refused"), "'grantd' is no known fact; did you mean granted?"),
        (law("always", "refused", who="physican"), "'physican' is no known role or group of roles; did you mean phy"),
        (
            law("always", "refused", action="readin"),
            "'readin' is no known action or group of actions; did you mean rea",
        ),
        (law("masked", "refused"), "says nothing: professional, reading and masked do not meet"),
        (REFUSED.replace("a-law", "A law"), "'A law' is no law's id: lower-case words joined by hyphens"),
        (f"{REFUSED}\n{REFUSED}", "the law a-law stands already in 10-laws.csv"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, rules: RuleSet, row: str, fault: str) -> None:
    """What is misspelt or says nothing is refused."""
    with pytest.raises(PolicyFileError) as refused:
        read_laws(laws(tmp_path, row), rules.register)
    line = 3 if "stands already" in fault else 2
    assert str(refused.value).startswith(f"{tmp_path / '10-laws.csv'}:{line}: {fault}")


def test_a_folder_without_laws_is_refused(tmp_path: Path, rules: RuleSet) -> None:
    """Nothing would be proved by it."""
    (tmp_path / WORDS).write_text(GROUPS)
    with pytest.raises(PolicyFileError, match="holds no law"):
        read_laws(tmp_path, rules.register)


def test_a_policy_without_laws_is_held_against_the_packaged_ones(tmp_path: Path) -> None:
    """So that nothing is proved by leaving them out."""
    assert laws_folder(tmp_path) == PACKAGED / "laws"
    (tmp_path / "laws").mkdir()
    assert laws_folder(tmp_path) == tmp_path / "laws"


STRONG = "strong_authentication"
GRANTED = f"normal & granted & {STRONG} & !blocked & !own_dossier & !no_dossier & !closed & !suspended"


@pytest.mark.parametrize(
    "condition, follows",
    [
        (GRANTED, "allowed"),
        (GRANTED, "owes write_down"),
        (f"{GRANTED} & !treating_physician & !in_care_team", "decided_by granted"),
        ("blocked", "refused"),
        ("blocked", "refused_by blocked"),
        ("no_dossier", "decided_by no-dossier"),
        ("normal & !treating_physician & !granted & !in_care_team", "given_nothing"),
        ("has_read & normal", "owes_not notify_patient"),
        ("always", "blocked never_opens"),
        ("always", "granted never_closes"),
        ("always", "patient_present never_opens"),
        ("always", "correspondent never_told"),
        ("always", "masked never_told"),
    ],
)
def test_what_is_so_holds(tmp_path: Path, rules: RuleSet, condition: str, follows: str) -> None:
    """Each consequence, of the packaged rules."""
    read = read_laws(laws(tmp_path, law(condition, follows, who="physician")), rules.register)
    assert hold(rules, read).breaches == ()


NO_OTHER_TIE = "normal & !treating_physician & !granted"
IN_THE_TEAM = "normal in_care_team care_team_consent strong_authentication"


@pytest.mark.parametrize(
    "condition, follows, smallest",
    [
        ("always", "allowed", "normal"),
        (NO_OTHER_TIE, "refused", IN_THE_TEAM),
        ("blocked", "decided_by blocked", "normal blocked"),
        ("normal", "refused_by weak-authentication", "normal strong_authentication"),
        ("always", "given_nothing", "break_glass"),
        (NO_OTHER_TIE, "owes notify_patient", f"{IN_THE_TEAM} has_read"),
        (NO_OTHER_TIE, "owes_not notify_patient", IN_THE_TEAM),
        (NO_OTHER_TIE, "in_care_team never_opens", IN_THE_TEAM),
        ("normal & granted & !treating_physician", "blocked never_closes", f"normal granted blocked {STRONG}"),
        ("granted", "in_care_team never_told", "normal in_care_team granted"),
    ],
)
def test_what_is_not_so_is_told_by_its_smallest_situation(
    tmp_path: Path, rules: RuleSet, condition: str, follows: str, smallest: str
) -> None:
    """The fewest facts with which the law does not hold."""
    read = read_laws(laws(tmp_path, law(condition, follows, who="physician")), rules.register)
    (breach,) = hold(rules, read).breaches
    assert " ".join(breach.situation.words()) == f"physician document:list {smallest}"


def without(rules: RuleSet, *rows: str) -> RuleSet:
    """The rules without these rows."""
    return replace(
        rules,
        rules=tuple(row for row in rules.rules if row.id not in rows),
        duties=tuple(row for row in rules.duties if row.id not in rows),
    )


def conditioned(row: str, text: str) -> Callable[[RuleSet], RuleSet]:
    """The rules with another condition for one row."""
    condition = read_condition((Path("a test"), 1), text)

    def change(rules: RuleSet) -> RuleSet:
        return replace(
            rules,
            rules=tuple(replace(each, condition=condition) if each.id == row else each for each in rules.rules),
            duties=tuple(replace(each, condition=condition) if each.id == row else each for each in rules.duties),
        )

    return change


def given(action: str, who: str, text: str = "always") -> Callable[[RuleSet], RuleSet]:
    """The rules with one more row, which gives something."""
    row = Rule("granted/more", who, action, read_condition((Path("a test"), 1), text), Path("a test"), 1, "allow")
    return lambda rules: replace(rules, rules=(*rules.rules, row))


@pytest.mark.parametrize(
    "change, broken",
    [
        (lambda rules: without(rules, "masked"), "masks-keep-professionals-out"),
        (lambda rules: without(rules, "blocked"), "blocked-professionals-are-out"),
        (lambda rules: without(rules, "withheld-from-patient"), "withheld-from-patients"),
        (lambda rules: without(rules, "not-habilitated"), "the-matrix-holds"),
        (lambda rules: without(rules, "reason-required"), "glass-breaks-with-a-reason"),
        (lambda rules: without(rules, "write_down"), "every-access-is-written-down"),
        (lambda rules: without(rules, "holder"), "the-holder-sees-who-looked"),
        (conditioned("care-team", "normal & in_care_team"), "care-teams-read-by-consent"),
        (conditioned("masked", "!masked & !author"), "masked-never-opens"),
        (conditioned("notify_patient/emergency", "!normal & !has_read"), "emergencies-are-told"),
        (given("message:read", "bank"), "other-systems-give-prohibited-parties-nothing"),
        (given("document:list", "staff_of_employer"), "other-systems-give-prohibited-parties-nothing"),
        (given("message:send", "person", "caregiver"), "caregivers-never-send"),
        (given("message:send", "person", "holder"), "caregivers-never-send"),
    ],
)
def test_the_laws_of_the_dmp_see_what_breaks_them(
    rules: RuleSet, change: Callable[[RuleSet], RuleSet], broken: str
) -> None:
    """A rule that is gone or says less breaks the law that stands for it."""
    (law,) = (law for law in read_laws(PACKAGED / "laws", rules.register) if law.id == broken)
    assert hold(rules, [law]).passed
    assert not hold(change(rules), [law]).passed


@pytest.fixture
def told_of_documents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A vocabulary that tells of documents, too, who is a correspondent."""
    more = Dimension(
        (frozenset(), frozenset({Fact.CORRESPONDENT})), frozenset({Role.PHYSICIAN}), frozenset({Action.DOCUMENT_READ})
    )
    monkeypatch.setattr(space, "DIMENSIONS", (*space.DIMENSIONS, more))
    remembering = (space.dimensions, space._alternatives)  # noqa: SLF001 - both remember the vocabulary
    for each in remembering:
        each.cache_clear()
    yield
    monkeypatch.undo()
    for each in remembering:
        each.cache_clear()


@pytest.mark.usefixtures("told_of_documents")
def test_a_message_that_is_told_of_documents_breaks_its_law(rules: RuleSet) -> None:
    """Even where no rule looks at it yet: the law is about what rules could ever look at."""
    (law,) = (law for law in read_laws(PACKAGED / "laws", rules.register) if law.id == "a-message-opens-no-document")
    (breach,) = hold(rules, [law]).breaches
    assert breach.situation.words() == ("physician", "document:read", "normal", "correspondent")
