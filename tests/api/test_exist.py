"""The "bouton DMP" decides as any question does, for many persons at once."""

import pytest

from tests.api.service import bearer
from tests.api.whole import (
    CHILD_INS,
    FUND,
    HOSPITAL,
    INS,
    NOBODY_INS,
    NURSE,
    OTHER_INS,
    PHARMACY,
    PHARMACY_KEY,
    PHYSICIAN,
    UNKNOWN_RPPS,
    Whole,
)

BANK, BLOCKED, SELF = "750000036", "10001234607", "10001234615"
EXIST = "/v1/dossiers/exist"
CLOSED_INS = "270026900112315"


@pytest.fixture
async def asked(dmp: Whole) -> Whole:
    """Dossiers in every state, and everybody who can have to do with them."""
    await dmp.learn(
        {"kind": "organization", "id": BANK, "type": "bank", "name": "Bank"},
        {"kind": "staff", "id": "sec-1", "organization": HOSPITAL},
        {"kind": "staff", "id": "teller", "organization": BANK},
        {"kind": "professional", "rpps": BLOCKED, "profession": "physician"},
        {"kind": "professional", "rpps": SELF, "profession": "nurse", "ins": INS},
        {"kind": "relation", "dossier_ins": INS, "professional": BLOCKED, "relation": "blocked"},
        {"kind": "relation", "dossier_ins": INS, "organization": HOSPITAL, "relation": "blocked"},
        {"kind": "dossier", "ins": CHILD_INS, "state": "open", "born": "2015-06-20"},
        {"kind": "dossier", "ins": CLOSED_INS, "state": "closed", "born": "1970-02-01"},
        {"kind": "representation", "dossier_ins": CHILD_INS, "person_ins": INS, "as": "legal_representative"},
        {"kind": "representation", "dossier_ins": OTHER_INS, "person_ins": INS, "as": "caregiver"},
    )
    return dmp


def subjects(dmp: Whole) -> list[str]:
    people = [f"person/{dmp.id_of(ins)}" for ins in (INS, OTHER_INS, NOBODY_INS)]
    professionals = [f"professional/{each}" for each in (PHYSICIAN, NURSE, BLOCKED, SELF, UNKNOWN_RPPS)]
    structures = [f"organization/{each}" for each in (HOSPITAL, PHARMACY, FUND, BANK, "750000044")]
    return [*people, *professionals, *structures, "staff/sec-1", "staff/teller", "staff/nobody"]


async def test_it_answers_as_each_question_alone(asked: Whole) -> None:
    """True where the dossier is open and the ordinary decision says yes, whoever asks, with or without a card."""
    persons = [asked.id_of(ins) for ins in (INS, CLOSED_INS, OTHER_INS, NOBODY_INS, CHILD_INS, INS)]
    are_open = [True, False, True, False, True, True]
    for subject in subjects(asked):
        kind, _, identity = subject.partition("/")
        for authentication in ("cps", ""):
            headers = asked.headers(subject) | {"DMP-Authentication": authentication}
            answer = await asked.http.post(EXIST, json={"persons": persons}, headers=headers)
            batch = {
                "subject": {"type": kind, "id": identity},
                "action": {"name": "dossier:exists"},
                "context": {"authentication": authentication},
                "evaluations": [{"resource": {"type": "dossier", "id": each}} for each in persons],
            }
            alone = (await asked.http.post("/access/v1/evaluations", json=batch)).json()["evaluations"]
            expected = [is_open and each["decision"] for is_open, each in zip(are_open, alone, strict=True)]
            assert answer.json() == {"exist": expected}, subject


async def test_who_may_know(asked: Whole) -> None:
    """Whoever is blocked may know that there is a dossier; a bank and a stranger to the directory may not."""
    expected = {f"professional/{BLOCKED}": True, f"organization/{BANK}": False, f"professional/{UNKNOWN_RPPS}": False}
    for subject, known in expected.items():
        answer = await asked.http.post(EXIST, json={"persons": [asked.id_of()]}, headers=asked.headers(subject))
        assert answer.json() == {"exist": [known]}, subject


async def test_a_client_of_one_organization_asks_for_no_other(asked: Whole) -> None:
    """Whether or not anybody has a dossier: the answer is 403."""
    for persons in ([], [asked.id_of()]):
        headers = asked.headers(f"professional/{PHYSICIAN}") | bearer(PHARMACY_KEY)
        assert (await asked.http.post(EXIST, json={"persons": persons}, headers=headers)).status_code == 403
        own = asked.headers(f"organization/{PHARMACY}") | bearer(PHARMACY_KEY)
        answer = await asked.http.post(EXIST, json={"persons": persons}, headers=own)
        assert answer.json() == {"exist": [True] * len(persons)}


async def test_nothing_is_written_down(asked: Whole) -> None:
    """RULES §4.3: whether a dossier exists is not journaled, given or refused."""
    before = len(await asked.entries())
    for subject in (f"professional/{PHYSICIAN}", f"organization/{BANK}"):
        body = {"persons": [asked.id_of()] * 500}
        answer = await asked.http.post(EXIST, json=body, headers=asked.headers(subject))
        assert answer.status_code == 200
    assert len(await asked.entries()) == before


async def test_five_hundred_at_most(asked: Whole) -> None:
    """One more is refused, and the reason names the member."""
    answer = await asked.http.post(
        EXIST, json={"persons": [asked.id_of()] * 501}, headers=asked.headers(f"professional/{PHYSICIAN}")
    )
    assert answer.status_code == 400
    assert "persons" in answer.json()["detail"]
