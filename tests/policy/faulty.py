"""Deliberately faulty policies, each the packaged one with one change that a reviewer could make by mistake.

`python -m tests.policy.faulty NAME FOLDER` writes one, to be tried by hand.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.policy.folders import copy_of_the_policy, rewrite


@dataclass(frozen=True)
class Fault:
    """What is changed, in which file."""

    file: str
    right: str
    wrong: str

    def write(self, folder: Path) -> Path:
        """The faulty policy, in this empty folder; gives the folder."""
        copy_of_the_policy(folder)
        rewrite(folder / self.file, lambda text: text.replace(self.right, self.wrong))
        return folder


_MASKED = "p, masked, professional, showing, masked & !author & !treating_physician & !emergency_lifts_mask, deny"
_BLOCKED = "p, blocked, professional, ended_by_blocking, blocked, deny"

LEAK = Fault("rules/40-documents.csv", _MASKED, _MASKED.replace("!emergency_lifts_mask", "normal"))
"""Masked documents leak in emergencies, whatever the patient permitted."""

TYPO = Fault("rules/20-parties.csv", _BLOCKED, _BLOCKED.replace("deny", "denny"))
"""A misspelt effect, which Casbin alone would take for none: the refusal would be off."""

USELESS = Fault(
    "rules/40-documents.csv",
    _MASKED,
    f"{_MASKED}\np, masked/at-night, health_professional, document:read, masked & granted & normal & !author "
    "& !treating_physician, deny",
)
"""A row that takes away nothing which another has not taken away before."""

FAULTS = {"leak": LEAK, "typo": TYPO, "useless": USELESS}

if __name__ == "__main__":
    FAULTS[sys.argv[1]].write(Path(sys.argv[2]))
