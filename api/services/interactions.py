"""Known interactions of medicines over the same days: a hint for who prescribes, by which nothing is decided.

Whoever prescribed, and wherever it stands: what was administered and what was reimbursed counts too. It knows no more
than its table, hence `models.reference.interactions.Coverage` beside every answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.services.clinical_facts import Medicine
from api.services.overlaps import Overlap, joined, latest, overlap_of, overlapping
from models.reference.interactions import INTERACTIONS, Interaction
from models.vocabulary import CodeSystem, InteractionLevel

_GRAVITY = {level: place for place, level in enumerate(InteractionLevel)}


@dataclass(frozen=True, slots=True)
class Interacting:
    """Treatments on both sides of a known interaction, over the same days."""

    interaction: Interaction
    overlap: Overlap


def interacting(medicines: Iterable[Medicine], table: Mapping[str, Interaction] = INTERACTIONS) -> list[Interacting]:
    """The gravest first, then the latest."""
    compared = latest(medicines)
    found: list[Interacting] = []
    for interaction in table.values():
        one, other = (_of(compared, side.atc) for side in interaction.pair)
        pairs = [pair for a in one for b in other if a is not b and (pair := overlapping(a, b))]
        found.extend(Interacting(interaction, overlap_of(together)) for together in joined(pairs))
    return sorted(found, key=lambda each: (_GRAVITY[each.interaction.level], -each.overlap.begins.toordinal()))


def _of(medicines: Sequence[Medicine], atc: str) -> list[Medicine]:
    return [
        each
        for each in medicines
        if any(code.system is CodeSystem.ATC and code.value.startswith(atc) for code in each.codes)
    ]
