"""How askers of the matrix are called together: shortly, and leaving nobody out."""

import pytest

from models.reference import PROFESSIONS
from models.vocabulary import ProfessionKind
from policy.review.matrix.askers import ASKERS, Asker, called

HEALTH = [key for key, profession in PROFESSIONS.items() if profession.kind is ProfessionKind.HEALTH]


def some(*pairs: tuple[str, str]) -> list[Asker]:
    return [asker for asker in ASKERS if (asker.who, asker.tie) in pairs]


def words(askers: list[Asker]) -> list[tuple[str, list[str]]]:
    return [(each.tie.en, [name.en for name in each.names]) for each in called(askers)]


@pytest.mark.parametrize(
    "askers, expected",
    [
        (some(("person", "holder"), ("person", "caregiver")), [("persons", ["holder", "caregiver"])]),
        (some(("nurse", "granted")), [("granted by the holder", ["nurse"])]),
        (some(("nurse", "granted"), ("nurse", "none")), [("granted by the holder or no tie", ["nurse"])]),
        (
            some(("nurse", "granted"), ("nurse", "none"), ("nurse", "care_team")),
            [("whatever the tie but emergency call regulator", ["nurse"])],
        ),
        ([asker for asker in ASKERS if asker.who == "optician"], [("whatever the tie", ["optician"])]),
        (
            some(("nurse", "granted"), ("midwife", "granted"), ("midwife", "care_team")),
            [("care team with consent or granted by the holder", ["midwife"]), ("granted by the holder", ["nurse"])],
        ),
        (some(*((key, "none") for key in HEALTH)), [("no tie", ["every health profession"])]),
        (
            some(*((key, "none") for key in HEALTH if key != "physician")),
            [("no tie", ["every health profession but physician"])],
        ),
        (
            some(*((key, "none") for key in PROFESSIONS)),
            [("no tie", ["every health profession", "every social profession"])],
        ),
        (
            some(("bank", "none"), ("employer", "none"), ("staff_of_bank", "none"), ("staff_of_employer", "none")),
            [("organizations and staff", ["employer", "bank", "with their staff"])],
        ),
        (
            some(("bank", "none"), ("staff_of_employer", "none")),
            [("organizations and staff", ["bank", "staff of employer"])],
        ),
    ],
)
def test_askers_are_called_together(askers: list[Asker], expected: list[tuple[str, list[str]]]) -> None:
    """By what they share."""
    assert words(askers) == expected


def test_everything_is_told_in_french_too() -> None:
    """Ties and names."""
    told = called(ASKERS)
    french = [text for each in told for text in (each.tie.fr, *(name.fr for name in each.names))]
    assert french == [
        "personnes",
        "titulaire du dossier",
        "représentant légal",
        "aidant",
        "quel que soit le lien",
        "toute profession de santé",
        "toute profession sociale",
        "structures et personnel",
        "toute structure",
        "personnel de toute structure",
    ]
