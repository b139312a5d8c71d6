"""The first act: who may see what."""

import json
from collections.abc import Iterator
from pathlib import Path

from api.cli.demo.story import (
    BLOCKED_PHYSICIAN,
    CHILD_INS,
    CONTENT,
    FUND,
    HOSPITAL,
    INSURER,
    LABORATORY,
    NURSE,
    PATIENT_INS,
    SAMU_REGULATOR,
    SECRETARY,
    STRANGER,
    TREATING_PHYSICIAN,
    Record,
    Story,
    Who,
    with_card,
)
from api.cli.running import dmp


def play(story: Story, home: Path) -> None:
    """All of it; the dossier is left with its report masked, and break-glass refused."""
    record = play_opening(story)
    report = play_care(record, home)
    play_masking(record, report)
    result = play_withholding(record)
    play_emergencies(record, report, result)
    play_outsiders(record, result)
    play_childhood(story)
    play_trust(story, record, home)


def play_opening(story: Story) -> Record:
    """An adult's dossier is opened, by whom the rules let."""
    http = story.http
    person = http.post("/v1/identities", json={"ins": PATIENT_INS}).raise_for_status().json()["person"]
    whole = ("dossier", person)
    story.chapter("A dossier is opened")

    def opens(question: str, who: Who, expected: tuple[bool, str]) -> None:
        request = http.build_request("POST", "/v1/dossiers", json={"ins": PATIENT_INS, "born": "1985-05-12"})
        story.step(question, who, "dossier:open", whole, request, expected)

    opens("An insurer opens a dossier", Who(INSURER), (False, "prohibited-party"))
    opens("A physician opens it, the patient absent", with_card(TREATING_PHYSICIAN), (False, "not-permitted"))
    opens("The same with the patient present", with_card(TREATING_PHYSICIAN, present=True), (True, "open"))
    opens("A hospital opens it again", Who(HOSPITAL), (False, "already-open"))
    return Record(story, person)


def play_care(record: Record, home: Path) -> str:
    """Who reads a report in ordinary care: the report's id."""
    patient, physician, nurse = record.holder, with_card(TREATING_PHYSICIAN), with_card(NURSE)
    record.story.chapter("Care")
    report = record.deposit("The hospital deposits a report", Who(HOSPITAL), "11488-4", (True, "depositor"))
    record.rights(
        "The patient declares a treating physician",
        patient,
        "treating_physician:declare",
        "/treating-physicians/10000000017",
        {"professional": "10000000017"},
    )
    record.read("The treating physician reads the report", physician, report, (True, "treating-physician"))
    record.read("... without his card", Who(TREATING_PHYSICIAN), report, (False, "weak-authentication"))
    record.read("A nurse reads it", nurse, report, (False, "not-permitted"))
    join_care_team(home, "10000000025")
    record.read("... in the care team, no consent given yet", nurse, report, (False, "not-permitted"))
    record.change(
        "The patient consents to the care team", patient, "care_team:consent", "/care-team-consent", {"given": True}
    )
    record.read("The nurse of the care team reads it", nurse, report, (True, "care-team"))
    record.read("A physician who is a stranger reads it", with_card(STRANGER), report, (False, "not-permitted"))
    record.read("The secretary of the hospital reads it", Who(SECRETARY), report, (False, "not-permitted"))
    record.read("The hospital's software reads what it deposited", Who(HOSPITAL), report, (False, "not-permitted"))
    return report


def play_masking(record: Record, report: str) -> None:
    """The patient masks the report: who still reads it."""
    patient = record.holder
    record.story.chapter("The patient masks")
    record.patch("The patient masks the report", patient, "document:mask", report, {"masked": True}, "holder")
    record.read("The nurse reads the masked report", with_card(NURSE), report, (False, "masked"))
    record.read("The treating physician reads it", with_card(TREATING_PHYSICIAN), report, (True, "treating-physician"))
    record.read("The patient reads it", patient, report, (True, "holder"))


def play_withholding(record: Record) -> str:
    """A result that the patient does not see before a physician explains it: the result's id."""
    patient, physician = record.holder, with_card(TREATING_PHYSICIAN)
    record.story.chapter("A result withheld until it is explained")
    result = record.deposit(
        "The laboratory deposits, withheld", Who(LABORATORY), "11502-2", (True, "depositor"), withheld=True
    )
    record.read("The patient reads it", patient, result, (False, "withheld-from-patient"))
    record.read("The treating physician reads it", physician, result, (True, "treating-physician"))
    record.patch("... and reveals it", physician, "document:reveal", result, {"withheld": False}, "treating-physician")
    record.read("The patient reads it", patient, result, (True, "holder"))
    return result


def play_emergencies(record: Record, report: str, result: str) -> None:
    """Both emergency modes, and the patient's refusal of one."""
    record.story.chapter("Emergencies")
    urgent = with_card(STRANGER, mode="break_glass", reason="Patient inconscient aux urgences")
    regulator = with_card(SAMU_REGULATOR, mode="centre_15")
    no_reason = with_card(STRANGER, mode="break_glass")
    record.read("Break-glass without a reason", no_reason, result, (False, "reason-required"))
    record.read("Break-glass with a reason", urgent, result, (True, "break-glass"))
    record.read("... of the masked report", urgent, report, (False, "masked"))
    record.read("The SAMU's regulating physician reads", regulator, result, (True, "centre-15"))
    record.read("A nurse claims to be the SAMU", with_card(NURSE, mode="centre_15"), result, (False, "not-permitted"))
    switches = {"refuses_break_glass": True, "refuses_centre_15": False, "masked_in_emergency": False}
    record.change("The patient refuses break-glass", record.holder, "emergency:set", "/emergency", switches)
    record.read("Break-glass with a reason", urgent, result, (False, "break-glass-refused"))
    record.read("The SAMU still reads", regulator, result, (True, "centre-15"))


def play_outsiders(record: Record, result: str) -> None:
    """Whoever is blocked, prohibited, or only pays."""
    record.story.chapter("Blocked, insured, reimbursed")
    record.rights(
        "The patient blocks a physician",
        record.holder,
        "access:block",
        "/accesses/professional/10000000058",
        {"professional": "10000000058"},
        {"access": "blocked"},
    )
    record.read("He reads all the same", with_card(BLOCKED_PHYSICIAN), result, (False, "blocked"))
    record.read("... in an emergency", with_card(BLOCKED_PHYSICIAN, mode="centre_15"), result, (False, "blocked"))
    record.read("The insurer reads", Who(INSURER), result, (False, "prohibited-party"))
    refund = record.deposit("The fund deposits reimbursements", Who(FUND), "REMB", (True, "fund"))
    record.read("The fund reads them back", Who(FUND), refund, (False, "not-permitted"))
    record.read("The patient reads them", record.holder, refund, (True, "holder"))


def play_childhood(story: Story) -> None:
    """A child's dossier: a representative, and what may stay hidden from him."""
    persons = (
        story.http.post("/v1/identities", json={"ins": ins}).raise_for_status().json()["person"]
        for ins in (CHILD_INS, PATIENT_INS)
    )
    child, parent = persons
    record = Record(story, child)
    story.chapter("A child and a representative")
    visit = record.deposit("The hospital deposits a report", Who(HOSPITAL), "11488-4", (True, "depositor"))
    secret = record.deposit(
        "... and one hidden from representatives",
        Who(HOSPITAL),
        "11488-4",
        (True, "depositor"),
        hidden_from_representatives=True,
    )
    mother = Who(f"person/{parent}")
    record.read("The parent reads the first", mother, visit, (True, "legal-representative"))
    record.read("The parent reads the second", mother, secret, (False, "hidden-from-representatives"))
    record.read("The child's physician reads it", with_card(TREATING_PHYSICIAN), secret, (True, "treating-physician"))
    record.read("The child reads it", record.holder, secret, (True, "holder"))


def play_trust(story: Story, record: Record, home: Path) -> None:
    """What cannot be trusted is not given, and everything was written down."""
    story.chapter("A storage that lies, and the trace")
    patient = record.holder
    before = set(objects(home))
    note = record.deposit("The patient deposits a note", patient, "DOCPAT02", (True, "holder"))
    (stored,) = set(objects(home)) - before
    flip_one_bit(stored)
    response = story.http.get(f"/v1/documents/{note}/content", headers=patient.headers())
    nothing_left = response.is_server_error and CONTENT not in response.content
    answer = f"nothing leaves ({response.status_code})"
    story.tell("One bit of the stored object changes; he reads it", answer, "seal-broken", expected=nothing_left)
    trace = story.http.get(record.path("/journal"), params={"limit": 500}, headers=patient.headers())
    entries = trace.raise_for_status().json()["entries"]
    rules = {entry["rule"] for entry in entries}
    told = {"holder", "treating-physician", "care-team", "break-glass", "blocked", "masked", "seal-broken"} <= rules
    story.tell("The patient reads who looked, and who tried", f"{len(entries)} entries", "holder", expected=told)
    verified = dmp(home, "journal", "verify")
    size = verified.stdout.partition(" entries")[0]
    story.tell("The trace is verified", f"{size} entries hold", "", expected=verified.returncode == 0)


def join_care_team(home: Path, rpps: str) -> None:
    """The hospital's list of the care team arrives by import while the service runs."""
    fact = {"kind": "relation", "dossier_ins": PATIENT_INS, "professional": rpps, "relation": "care_team"}
    dmp(home, "import", "-", stdin=json.dumps(fact)).check_returncode()


def objects(home: Path) -> Iterator[Path]:
    """The sealed objects of the embedded vault."""
    return (path for path in (home / "vault").rglob("*") if path.is_file())


def flip_one_bit(path: Path) -> None:
    """Change the last byte of the sealed text, as a failing disk or an intruder would."""
    sealed = bytearray(path.read_bytes())
    sealed[-20] ^= 1
    path.chmod(0o600)
    path.write_bytes(sealed)
