"""Known interactions of medicines over the same days: a hint for who prescribes, by which nothing is decided.

Whoever prescribed, and wherever it stands: what was administered and what was reimbursed counts too. It knows no more
than its table, hence `models.reference.interactions.Coverage` beside every answer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from api.services.clinical_facts import Medicine
from api.services.overlaps import Overlap, joined, latest, overlap_of, overlapping
from models.reference.interactions import INTERACTIONS, Interaction
from models.vocabulary import CodeSystem, InteractionLevel

_LENGTHS = (5, 7)  # of an ATC code of level 4 and 5, which is what the table has
_GRAVITY = {level: place for place, level in enumerate(InteractionLevel)}


@dataclass(frozen=True, slots=True)
class Interacting:
    """Treatments on both sides of a known interaction, over the same days."""

    interaction: Interaction
    overlap: Overlap


def interacting(medicines: Iterable[Medicine], table: Mapping[str, Interaction] = INTERACTIONS) -> list[Interacting]:
    """The gravest first, then the latest."""
    sides = {side.atc for interaction in table.values() for side in interaction.pair}
    present = _present(latest(medicines), sides)
    found: list[Interacting] = []
    for interaction in table.values():
        one, other = (present.get(side.atc, ()) for side in interaction.pair)
        pairs = [pair for a in one for b in other if a is not b and (pair := overlapping(a, b))]
        found.extend(Interacting(interaction, overlap_of(together)) for together in joined(pairs))
    return sorted(found, key=lambda each: (_GRAVITY[each.interaction.level], -each.overlap.begins.toordinal()))


def _present(medicines: Iterable[Medicine], sides: Collection[str]) -> Mapping[str, list[Medicine]]:
    """Those that are one of these substances, or of one of these groups."""
    found: dict[str, list[Medicine]] = {}
    for each in medicines:
        values = {code.value for code in each.codes if code.system is CodeSystem.ATC}
        for atc in {value[:length] for value in values for length in _LENGTHS if len(value) >= length} & set(sides):
            found.setdefault(atc, []).append(each)
    return found
