"""Who appears in the journeys: those of the demonstration's directory, and a few more."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

HOSPITAL_ID = "750000002"
PHARMACY_ID = "330000001"
CLINIC_ID = "920000007"
TREATING_RPPS = "10000000017"
NURSE_RPPS = "10000000025"
STRANGER_RPPS = "10000000033"
SAMU_RPPS = "10000000041"
OTHER_RPPS = "10000000058"
PHARMACIST_RPPS = "10000000066"
SOCIAL_RPPS = "10000000074"
CLINICIAN_RPPS = "10000000082"
UNKNOWN_RPPS = "10000000090"

MORE: list[Json] = [
    {"kind": "organization", "id": CLINIC_ID, "type": "health_facility", "name": "Clinique de test"},
    {"kind": "professional", "rpps": SOCIAL_RPPS, "profession": "social_worker", "samu_regulator": False,
     "organizations": [], "ins": None},
    {"kind": "professional", "rpps": CLINICIAN_RPPS, "profession": "physician", "samu_regulator": False,
     "organizations": [CLINIC_ID], "ins": None},
]  # fmt: skip

REPORT, ANALYSIS, DIRECTIVES, NOTE, REIMBURSEMENT = "11488-4", "11502-2", "EXPPAT_3", "DOCPAT02", "REMB"


@dataclass(frozen=True, slots=True)
class Who:
    """A subject as a caller names it, with what the caller states of the moment."""

    subject: str
    authentication: str = ""
    mode: str = ""
    reason: str = ""
    present: bool = False
    organization: str = ""

    def headers(self) -> dict[str, str]:
        stated = {
            "DMP-Subject": self.subject,
            "DMP-Authentication": self.authentication,
            "DMP-Mode": self.mode,
            "DMP-Reason": quote(self.reason),
            "DMP-Patient-Present": "true" if self.present else "",
            "DMP-Organization": self.organization,
        }
        return {name: value for name, value in stated.items() if value}

    def entity(self) -> Json:
        kind, _, identifier = self.subject.partition("/")
        return {"type": kind, "id": identifier}

    def context(self) -> Json:
        stated = {
            "authentication": self.authentication,
            "mode": self.mode,
            "reason": self.reason,
            "patient_present": self.present,
            "organization": self.organization,
        }
        return {name: value for name, value in stated.items() if value}

    def breaking_the_glass(self, reason: str = "Patient inconscient aux urgences") -> "Who":
        return replace(self, mode="break_glass", reason=reason)

    def regulating(self) -> "Who":
        return replace(self, mode="centre_15")

    def with_patient(self) -> "Who":
        return replace(self, present=True)

    def without_card(self) -> "Who":
        return replace(self, authentication="")


def carded(rpps: str) -> Who:
    """A professional who identifies himself with his card."""
    return Who(f"professional/{rpps}", "cps")


TREATING = carded(TREATING_RPPS)
NURSE = carded(NURSE_RPPS)
STRANGER = carded(STRANGER_RPPS)
SAMU = carded(SAMU_RPPS)
OTHER = carded(OTHER_RPPS)
PHARMACIST = carded(PHARMACIST_RPPS)
SOCIAL = carded(SOCIAL_RPPS)
CLINICIAN = carded(CLINICIAN_RPPS)
UNKNOWN = carded(UNKNOWN_RPPS)
HOSPITAL = Who(f"organization/{HOSPITAL_ID}")
LABORATORY = Who("organization/690000005")
FUND = Who("organization/180035024")
INSURER = Who("organization/775567092")
SECRETARY = Who("staff/secretary-1")


def new_ins() -> str:
    """A well-formed INS that no other test uses, of somebody born in 1980 to 1989."""
    drawn = random.SystemRandom()
    first = f"{drawn.choice('12')}8{drawn.randrange(10)}{drawn.randrange(1, 13):02}75{drawn.randrange(10**6):06}"
    return f"{first}{97 - int(first) % 97:02}"


def facts(*lines: Mapping[str, object]) -> str:
    """As `dmp import` reads them."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def new_rpps() -> str:
    """A well-formed RPPS that no other test uses."""
    first = f"10{random.SystemRandom().randrange(10**6, 10**8):08}"
    digits = [int(digit) for digit in first]
    total = sum(digits[-2::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-1::-2])
    return f"{first}{-total % 10}"
