"""What a load is made of, as data: every figure says where it comes from.

`ASSUMED` marks a figure that nobody publishes; change it here and the report says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ASSUMED = "assumption"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its source."""

    value: float
    source: str


POPULATION: Mapping[str, Figure] = {
    "dossiers with a treating physician": Figure(0.90, "seed 004"),
    "documents a dossier, mean": Figure(7, "seed 004"),
    "most documents of a dossier": Figure(500, ASSUMED),
    "documents masked": Figure(0.03, ASSUMED),
    "dossiers whose holder consents to the care team": Figure(0.80, ASSUMED),
    "dossiers with somebody blocked": Figure(0.01, ASSUMED),
    "nurses in a care team, most": Figure(3, ASSUMED),
    "dossiers a physician": Figure(300, ASSUMED),
    "dossiers a nurse": Figure(150, ASSUMED),
}
"""How the synthetic patients are drawn: shares lie between 0 and 1, the rest are counts."""

MIX: Mapping[str, Figure] = {
    "treating physician": Figure(30, ASSUMED),
    "nurse of the care team": Figure(25, ASSUMED),
    "stranger": Figure(10, ASSUMED),
    "hospital": Figure(10, ASSUMED),
    "patient": Figure(10, ASSUMED),
    "what-if": Figure(15, ASSUMED),
}
"""Of a hundred users, how many are of each persona; national figures of use are published for none of them."""
