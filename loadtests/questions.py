"""What each persona asks, with the answer that the population knows by construction.

There is no second copy of the rules here: whoever asks picks a dossier and a document for which the answer is plain.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loadtests.drawing import Draw, Source
from loadtests.population import INSURER, Document, Dossier
from loadtests.population.draws import Truths
from loadtests.population.people import NOBODY, Block

_REASON = "patient inconscient, urgence vitale"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about reading a document, and whether the answer is yes."""

    subject: tuple[str, str]
    document: Document
    expected: bool
    authentication: str | None = "cps"
    mode: str | None = None
    reason: str | None = None

    def body(self, *, dry_run: bool = False) -> Mapping[str, Any]:
        """The request of `POST /access/v1/evaluation`."""
        stated = {
            "authentication": self.authentication,
            "mode": self.mode,
            "reason": self.reason,
            "dry_run": dry_run or None,
        }
        return {
            "subject": dict(zip(("type", "id"), self.subject, strict=True)),
            "action": {"name": "document:read"},
            "resource": {"type": "document", "id": str(self.document.id)},
            "context": {name: value for name, value in stated.items() if value is not None},
        }


def batch(asked: Sequence[Asked], *, dry_run: bool = False) -> Mapping[str, Any]:
    """The request of `POST /access/v1/evaluations` that asks all of it."""
    return {"evaluations": [each.body(dry_run=dry_run) for each in asked]}


def treating_physician(source: Source) -> Asked:
    """Reads whatever there is, masked or not."""
    dossier, rpps = with_treating_physician(source)
    return _asked(source, rpps, dossier, lambda _: True)


def treating_physician_without_card(source: Source) -> Asked:
    """Is known by a password alone."""
    return replace(treating_physician(source), expected=False, authentication=None)


def nurse(source: Source) -> Asked:
    """Of a care team to which the patient consents: reads what is not masked."""
    dossier, rpps = with_nurse(source)
    return _asked(source, rpps, dossier, _unmasked)


def nurse_without_consent(source: Source) -> Asked:
    """Of a care team to which the patient has not consented."""
    dossier, nurses = source.with_tie(lambda dossier: None if dossier.consents else dossier.nurses)
    return _asked(source, source.random.choice(nurses), dossier, _nothing)


def hospital_physician(source: Source) -> Asked:
    """Exercises in a hospital of the care team: reads what is not masked, if the patient consents."""
    dossier, hospitals = source.with_tie(lambda dossier: dossier.hospitals)
    rpps = source.population.hospital_physician(source.random.choice(hospitals), source.random.randrange(1_000))
    return _asked(source, rpps, dossier, _unmasked if dossier.consents else _nothing)


def specialist(source: Source) -> Asked:
    """Was let in: reads what is not masked."""
    dossier, rpps = source.with_tie(lambda dossier: dossier.specialist)
    return _asked(source, rpps, dossier, _unmasked)


def pharmacist(source: Source) -> Asked:
    """Where the patient goes: reads what is not masked, if the pharmacy was let in."""
    dossier = source.read()
    rpps = source.population.pharmacist(dossier.usual_pharmacy, source.random.randrange(1_000))
    return _asked(source, rpps, dossier, _unmasked if dossier.pharmacy == dossier.usual_pharmacy else _nothing)


def stranger(source: Source) -> Asked:
    """A physician whom nothing ties to the dossier."""
    dossier = source.read()
    return _asked(source, dossier.stranger, dossier, _nothing)


def blocked(source: Source) -> Asked:
    """A physician whom the patient blocked."""
    dossier = source.where(_with_somebody_blocked)
    return _asked(source, dossier.blocked or "", dossier, _nothing)


def insurer(source: Source) -> Asked:
    """A complementary insurer, to whom the law refuses everything."""
    document = source.random.choice(source.read().documents)
    return Asked(("organization", INSURER), document, expected=False, authentication=None)


def regulator(source: Source) -> Asked:
    """The SAMU's physician who regulates, unless the patient refused it."""
    dossier = source.read()
    rpps = source.population.regulator(source.random.randrange(1_000))
    opens = _nothing if dossier.refuses_centre_15 else _in_emergency(dossier)
    return replace(_asked(source, rpps, dossier, opens), mode="centre_15")


def regulator_who_is_none(source: Source) -> Asked:
    """A physician who says that he regulates."""
    return replace(stranger(source), mode="centre_15")


def break_glass(source: Source) -> Asked:
    """A physician whom nothing ties to the dossier, in an emergency, unless the patient refused it."""
    dossier = source.read()
    opens = _nothing if dossier.refuses_break_glass else _in_emergency(dossier)
    return replace(_asked(source, dossier.stranger, dossier, opens), mode="break_glass", reason=_REASON)


def break_glass_without_reason(source: Source) -> Asked:
    """He does not say what the emergency is."""
    return replace(break_glass(source), expected=False, reason=None)


def break_glass_although_blocked(source: Source) -> Asked:
    """Whom the patient blocked, no emergency lets in."""
    return replace(blocked(source), mode="break_glass", reason=_REASON)


def anybody(source: Source) -> Asked:
    """One of these, as often as each other."""
    return source.random.choice(READERS)(source)


READERS: tuple[Callable[[Source], Asked], ...] = (
    treating_physician,
    treating_physician_without_card,
    nurse,
    nurse_without_consent,
    hospital_physician,
    specialist,
    pharmacist,
    stranger,
    blocked,
    insurer,
    regulator,
    regulator_who_is_none,
    break_glass,
    break_glass_without_reason,
    break_glass_although_blocked,
)


def of_one_dossier(source: Source, size: int) -> list[Asked]:
    """So many questions of a treating physician about one dossier, some asked again if it has few documents."""
    dossier, rpps = with_treating_physician(source)
    return [_asked(source, rpps, dossier, lambda _: True) for _ in range(size)]


def with_treating_physician(source: Source) -> tuple[Dossier, str]:
    """A dossier that has a treating physician, and his RPPS."""
    return source.with_tie(lambda dossier: dossier.treating_physician)


def without_tie(source: Source, rpps: str) -> Dossier:
    """A dossier with another treating physician than this one, or with none: nothing else ties him to it."""
    return source.with_tie(lambda dossier: dossier.treating_physician != rpps)[0]


def with_hospital(source: Source, draw: Draw) -> tuple[Dossier, str, str]:
    """A dossier that is open to its care team, a hospital of that, and the RPPS of a physician of the hospital.

    The dossier has a treating physician.
    """
    dossier, hospitals = source.with_tie(
        lambda dossier: dossier.hospitals if dossier.consents and dossier.treating_physician else None, draw
    )
    hospital = source.random.choice(hospitals)
    return dossier, hospital, source.population.hospital_physician(hospital, source.random.randrange(1_000))


def with_nurse(source: Source) -> tuple[Dossier, str]:
    """A dossier that is open to its care team, and the RPPS of a nurse of that."""
    dossier, nurses = source.with_tie(lambda dossier: dossier.nurses if dossier.consents else None)
    return dossier, source.random.choice(nurses)


def with_caregiver(source: Source) -> tuple[Dossier, int]:
    """A dossier of an adult who has one, and the number of the caregiver's own dossier."""
    dossier = source.where(_with_caregiver)
    return dossier, dossier.caregiver or 0


def _with_caregiver(block: Block) -> Truths:
    has: Truths = (block.guardian != NOBODY) & ~block.is_child
    return has


def _asked(source: Source, rpps: str, dossier: Dossier, opens: Callable[[Document], bool]) -> Asked:
    document = source.random.choice(dossier.documents)
    return Asked(("professional", rpps), document, expected=opens(document))


def _with_somebody_blocked(block: Block) -> Truths:
    blocked: Truths = block.specialists[:, 1] != NOBODY
    return blocked


def _unmasked(document: Document) -> bool:
    return not document.masked


def _nothing(_: Document) -> bool:
    return False


def _in_emergency(dossier: Dossier) -> Callable[[Document], bool]:
    return (lambda _: True) if dossier.masked_in_emergency else _unmasked
