"""Rights on a dossier: granted, blocked, withdrawn, declared, and what the patient who is present says."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.people import (
    CLINIC_ID,
    CLINICIAN,
    CLINICIAN_RPPS,
    FUND,
    HOSPITAL,
    NURSE,
    NURSE_RPPS,
    SOCIAL,
    STRANGER,
    STRANGER_RPPS,
    TREATING,
    TREATING_RPPS,
    Who,
    carded,
    new_rpps,
)
from tests.journeys.service import Record, refused

NURSE_ACCESS = f"/accesses/professional/{NURSE_RPPS}"
GRANTED = {"access": "granted", "until": None}


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def test_a_grant_opens_and_its_withdrawal_closes(record: Record) -> None:
    """Explicit consent opens the dossier to one professional until it is withdrawn."""
    document = record.deposited(HOSPITAL)
    assert refused(record.read(document, NURSE)) == (404, "no-document")
    answer = record.ask("PUT", NURSE_ACCESS, record.holder, GRANTED)
    assert (answer.status_code, answer.json()) == (200, GRANTED)
    assert record.read(document, NURSE).content == b"content"
    with record.traced() as entries:
        assert record.ask("DELETE", NURSE_ACCESS, record.holder).status_code == 204
    assert [(entry["action"], entry["change"]) for entry in entries] == [
        ("access:revoke", {"party": f"professional/{NURSE_RPPS}", "ended": "granted"})
    ]
    assert refused(record.read(document, NURSE)) == (404, "no-document")


def test_a_withdrawal_ends_the_grant_and_the_care_team(record: Record) -> None:
    """Whoever is no longer wanted keeps nothing, however he came in."""
    record.grant()
    record.relate(professional=NURSE_RPPS, relation="care_team")
    record.ask("PUT", "/care-team-consent", record.holder, {"given": True})
    document = record.deposited(HOSPITAL)
    assert record.read(document, NURSE).status_code == 200
    with record.traced() as entries:
        record.ask("DELETE", NURSE_ACCESS, record.holder)
    assert entries[0]["change"]["ended"] == "care_team granted"
    assert refused(record.read(document, NURSE)) == (404, "no-document")


def test_a_block_is_lifted_before_anything_is_revoked(record: Record) -> None:
    """DELETE unblocks whoever is blocked, and leaves what he was granted."""
    record.grant()
    document = record.deposited(HOSPITAL)
    assert record.ask("PUT", NURSE_ACCESS, record.holder, {"access": "blocked"}).status_code == 200
    assert refused(record.read(document, NURSE)) == (403, "blocked")
    assert refused(record.read(document, NURSE.breaking_the_glass())) == (403, "blocked")
    with record.traced() as entries:
        assert record.ask("DELETE", NURSE_ACCESS, record.holder).status_code == 204
    assert [(entry["action"], entry["change"]["ended"]) for entry in entries] == [("access:unblock", "blocked")]
    assert record.read(document, NURSE).status_code == 200


def test_a_block_that_has_ended_is_none(record: Record) -> None:
    """A block counts until its end; afterwards DELETE revokes, as for anybody who is not blocked."""
    record.grant()
    record.relate(professional=NURSE_RPPS, relation="blocked", until=ago(hours=1))
    document = record.deposited(HOSPITAL)
    assert record.read(document, NURSE).status_code == 200
    with record.traced() as entries:
        record.ask("DELETE", NURSE_ACCESS, record.holder)
    assert [entry["action"] for entry in entries] == ["access:revoke"]
    assert refused(record.read(document, NURSE)) == (404, "no-document")


def test_withdrawing_what_was_not_given_changes_nothing(record: Record) -> None:
    """It is not an error: afterwards nobody has what nobody had."""
    assert record.ask("DELETE", NURSE_ACCESS, record.holder).status_code == 204


@pytest.mark.parametrize("offset, status", [(timedelta(hours=1), 200), (timedelta(hours=-1), 404)])
def test_a_grant_ends(record: Record, offset: timedelta, status: int) -> None:
    """It counts until its end, and one that ended in the past never counts."""
    document = record.deposited(HOSPITAL)
    record.grant(until=(datetime.now(UTC) + offset).isoformat())
    assert record.read(document, NURSE).status_code == status


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_no_calendar_has_is_refused(record: Record, until: str) -> None:
    """What is before the first or after the last instant of UTC cannot be read, and does no harm to the dossier."""
    answer = record.ask("PUT", NURSE_ACCESS, record.holder, {"access": "granted", "until": until})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:dmp:malformed")
    assert record.ask("GET", "/accesses", record.holder).status_code == 200
    assert record.deposit(HOSPITAL, created_at=until).status_code == 400
    assert record.ask("GET", "/documents", record.holder).json()["documents"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"access": "blocked", "until": "2030-01-01T00:00:00Z"},
        {"access": "granted", "until": "2030-01-01T00:00:00"},
        {"access": "care_team"},
        {"access": "granted", "until": "tomorrow"},
        {},
    ],
)
def test_what_is_no_access_is_not_given(record: Record, body: object) -> None:
    """A block has no end, an instant has a time zone, and only two kinds of access are set here."""
    answer = record.ask("PUT", NURSE_ACCESS, record.holder, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:dmp:malformed")


@pytest.mark.parametrize("party", ["professional/10000000018", "organization/750000003", "staff/secretary-1", "x/y"])
def test_access_is_given_to_somebody_who_can_exist(record: Record, party: str) -> None:
    """A wrong key, or a kind of party that has no access, is refused."""
    assert record.ask("PUT", f"/accesses/{party}", record.holder, GRANTED).status_code == 400
    assert record.ask("DELETE", f"/accesses/{party}", record.holder).status_code == 400


def test_access_is_the_holders_to_give(record: Record) -> None:
    """Nobody else grants; a treating physician may block, and not grant."""
    record.declare_treating_physician()
    for who in (STRANGER, HOSPITAL, FUND, TREATING):
        assert refused(record.ask("PUT", NURSE_ACCESS, who, GRANTED)) == (403, "not-permitted")
    assert record.ask("PUT", NURSE_ACCESS, TREATING, {"access": "blocked"}).status_code == 200
    assert refused(record.ask("DELETE", NURSE_ACCESS, TREATING)) == (403, "not-permitted")


def test_the_patient_who_is_present_consents(record: Record) -> None:
    """A health professional records the consent of the patient in front of him: for himself, and for nobody else."""
    own = f"/accesses/professional/{STRANGER_RPPS}"
    assert refused(record.ask("PUT", own, STRANGER, GRANTED)) == (403, "not-permitted")
    present = STRANGER.with_patient()
    assert refused(record.ask("PUT", NURSE_ACCESS, present, GRANTED)) == (403, "not-permitted")
    assert refused(record.ask("PUT", own, present, {"access": "blocked"})) == (403, "not-permitted")
    assert refused(record.ask("PUT", own, SOCIAL.with_patient(), GRANTED)) == (403, "not-permitted")
    document = record.deposited(HOSPITAL)
    with record.traced() as entries:
        assert record.ask("PUT", own, present, GRANTED).status_code == 200
    assert [(entry["rule"], entry["patient_present"]) for entry in entries] == [("record-consent", True)]
    assert record.read(document, STRANGER).status_code == 200


def test_a_physician_declares_himself_with_the_patient(record: Record) -> None:
    """Himself, if a physician; the fund declares anybody; a nurse nobody."""
    path = "/treating-physicians"
    assert refused(record.ask("PUT", f"{path}/{NURSE_RPPS}", NURSE.with_patient())) == (403, "not-permitted")
    assert refused(record.ask("PUT", f"{path}/{TREATING_RPPS}", STRANGER.with_patient())) == (403, "not-permitted")
    assert record.ask("PUT", f"{path}/{TREATING_RPPS}", TREATING.with_patient()).status_code == 204
    assert record.ask("PUT", f"{path}/{STRANGER_RPPS}", FUND).status_code == 204
    document = record.deposited(HOSPITAL)
    assert [record.read(document, who).status_code for who in (TREATING, STRANGER)] == [200, 200]
    assert refused(record.ask("DELETE", f"{path}/{TREATING_RPPS}", FUND)) == (403, "not-permitted")
    assert record.ask("DELETE", f"{path}/{TREATING_RPPS}", record.holder).status_code == 204
    assert [record.read(document, who).status_code for who in (TREATING, STRANGER)] == [404, 200]


def test_a_treating_physician_is_a_physician(record: Record) -> None:
    """A nurse who is declared all the same gets nothing by it."""
    assert record.ask("PUT", f"/treating-physicians/{NURSE_RPPS}", record.holder).status_code == 204
    assert refused(record.read(record.deposited(HOSPITAL), NURSE)) == (404, "no-document")


def test_an_organization_is_let_in_and_kept_out_with_those_who_exercise_there(record: Record) -> None:
    """A grant to an organization serves its professionals; blocking all a professional's organizations blocks him."""
    document = record.deposited(HOSPITAL)
    path = f"/accesses/organization/{CLINIC_ID}"
    assert record.ask("PUT", path, record.holder, GRANTED).status_code == 200
    assert record.read(document, CLINICIAN).status_code == 200
    assert record.ask("PUT", path, record.holder, {"access": "blocked"}).status_code == 200
    assert refused(record.read(document, CLINICIAN)) == (403, "blocked")
    record.grant(CLINICIAN_RPPS)
    assert refused(record.read(document, CLINICIAN)) == (403, "blocked")


def test_the_care_team_needs_the_patients_consent(record: Record) -> None:
    """Given or taken back by the holder, or said to a professional whom the patient faces."""
    record.relate(professional=NURSE_RPPS, relation="care_team")
    document = record.deposited(HOSPITAL)
    path = "/care-team-consent"
    assert refused(record.read(document, NURSE)) == (404, "no-document")
    answer = record.ask("PUT", path, NURSE.with_patient(), {"given": True})
    assert (answer.status_code, answer.json()) == (200, {"given": True})
    assert record.read(document, NURSE).status_code == 200
    assert record.ask("PUT", path, record.holder, {"given": False}).status_code == 200
    assert refused(record.read(document, NURSE)) == (404, "no-document")
    assert refused(record.ask("PUT", path, HOSPITAL, {"given": True})) == (403, "not-permitted")


def test_the_list_of_accesses_tells_how_and_until_when(record: Record) -> None:
    """Professionals, organizations, representatives; what ended is listed too."""
    record.declare_treating_physician()
    record.grant(until="2025-01-01T00:00:00Z")
    record.block(STRANGER_RPPS)
    helper = record.represented_by(record.service.opened(), until="2031-01-01T00:00:00Z")
    listed = record.ask("GET", "/accesses", record.holder).raise_for_status().json()["accesses"]
    told = {(each["type"], each["id"]): (each["access"], each["until"]) for each in listed}
    assert told == {
        ("professional", TREATING_RPPS): ("treating_physician", None),
        ("professional", NURSE_RPPS): ("granted", "2025-01-01T00:00:00Z"),
        ("professional", STRANGER_RPPS): ("blocked", None),
        ("person", helper.subject.partition("/")[2]): ("caregiver", "2031-01-01T00:00:00Z"),
    }
    assert refused(record.ask("GET", "/accesses", helper)) == (403, "not-permitted")
    assert refused(record.ask("GET", "/accesses", TREATING.without_card())) == (403, "weak-authentication")
    assert record.ask("GET", "/accesses", TREATING).status_code == 200


@pytest.mark.parametrize(
    "born, protected, expected", [("2020-01-01", False, 200), ("1950-01-01", True, 200), ("1950-01-01", False, 403)]
)
def test_a_legal_representative_acts_for_a_minor_or_protected_holder(
    record: Record, born: str, expected: int, *, protected: bool
) -> None:
    """He does what the holder may; for an adult who is not protected he is nobody."""
    child = record.service.opened(born, protected=protected)
    parent = child.represented_by(record, "legal_representative")
    answer = child.ask("PUT", NURSE_ACCESS, parent, GRANTED)
    assert (answer.status_code, answer.json().get("reason")) == (
        expected,
        None if expected == 200 else "unknown-subject",
    )


def test_nobody_consults_his_own_dossier_as_a_professional(record: Record) -> None:
    """He has his access as a patient, and no other, whatever he was granted."""
    rpps = new_rpps()
    fact = {"kind": "professional", "rpps": rpps, "profession": "physician", "samu_regulator": False}
    record.service.learn(fact | {"organizations": [], "ins": record.ins})
    record.grant(rpps)
    document = record.deposited(HOSPITAL)
    assert refused(record.read(document, carded(rpps))) == (403, "self-consultation")
    assert refused(record.ask("GET", "", carded(rpps))) == (403, "self-consultation")
    assert record.read(document, record.holder).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"DMP-Subject": "professional"},
        {"DMP-Subject": "/1"},
        {"DMP-Subject": "person/1", "DMP-Patient-Present": "perhaps"},
        {"DMP-Subject": "person/1", "DMP-Reason": "%FF%FE"},
        {"DMP-Subject": "person/1", "DMP-Reason": "a%00b"},
    ],
)
def test_headers_that_say_nothing_clear_are_refused(record: Record, headers: dict[str, str]) -> None:
    """On whose behalf a request is made is known, or it is not made."""
    answer = record.ask("GET", "", Who(""), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:dmp:malformed")


def test_a_subject_named_twice_is_refused(record: Record) -> None:
    """Two headers of one name would leave open which one counts."""
    twice = [("DMP-Subject", record.holder.subject), ("DMP-Subject", HOSPITAL.subject)]
    assert record.service.http.get(record.path(), headers=twice).status_code == 400
