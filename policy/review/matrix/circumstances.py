"""What changes the answer: a few typical askers, each with one circumstance at a time, judged by the engine."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from models.decisions import Decision
from models.vocabulary import Action, Mode
from policy.engine import Engine
from policy.errors import SituationError
from policy.review.matrix.askers import Words
from policy.review.matrix.cells import MODES
from policy.situation import Situation
from policy.words import Fact, Role

_CARD = frozenset({Fact.STRONG_AUTHENTICATION, Fact.HABILITATED})


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody typical, in the mode that he uses, before a document of a type that is open to him."""

    key: str
    mode: Mode
    role: Role
    ties: frozenset[Fact]
    words: Words

    @property
    def facts(self) -> frozenset[Fact]:
        return self.ties | MODES[self.mode]


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One thing that is otherwise: facts that come (the first of `comes` that can) and facts that go."""

    key: str
    heading: str
    words: Words
    comes: tuple[frozenset[Fact], ...] = (frozenset(),)
    goes: frozenset[Fact] = frozenset()

    def befalling(self, persona: Persona, action: Action) -> Situation | None:
        """The persona's situation with this circumstance, if there is one."""
        if not self.goes <= persona.facts:
            return None
        for coming in self.comes:
            with suppress(SituationError):
                return Situation.of(persona.role, action, persona.facts - self.goes | coming)
        return None


PERSONAS = (
    Persona("holder", Mode.NORMAL, Role.PERSON, frozenset({Fact.HOLDER}), Words("holder", "titulaire du dossier")),
    Persona(
        "legal_representative",
        Mode.NORMAL,
        Role.PERSON,
        frozenset({Fact.LEGAL_REPRESENTATIVE}),
        Words("legal representative", "représentant légal"),
    ),
    Persona("caregiver", Mode.NORMAL, Role.PERSON, frozenset({Fact.CAREGIVER}), Words("caregiver", "aidant")),
    Persona(
        "treating_physician",
        Mode.NORMAL,
        Role.PHYSICIAN,
        _CARD | {Fact.TREATING_PHYSICIAN},
        Words("treating physician", "médecin traitant"),
    ),
    Persona(
        "care_team",
        Mode.NORMAL,
        Role.OTHER_HEALTH_PROFESSIONAL,
        _CARD | {Fact.IN_CARE_TEAM, Fact.CARE_TEAM_CONSENT},
        Words("nurse of the care team", "infirmier de l’équipe de soins"),
    ),
    Persona(
        "granted",
        Mode.NORMAL,
        Role.OTHER_HEALTH_PROFESSIONAL,
        _CARD | {Fact.GRANTED},
        Words("nurse granted access", "infirmier à qui l’accès est donné"),
    ),
    Persona(
        "break_glass",
        Mode.BREAK_GLASS,
        Role.OTHER_HEALTH_PROFESSIONAL,
        _CARD,
        Words("nurse breaking the glass", "infirmier en bris de glace"),
    ),
    Persona(
        "centre_15",
        Mode.CENTRE_15,
        Role.PHYSICIAN,
        _CARD | {Fact.SAMU_REGULATOR},
        Words("physician of centre 15", "médecin régulateur du centre 15"),
    ),
)


def _comes(*facts: Fact) -> tuple[frozenset[Fact], ...]:
    return (frozenset(facts),)


CIRCUMSTANCES = (
    Circumstance("ordinary", "ord", Words("nothing out of the ordinary", "rien de particulier")),
    Circumstance("masked", "mas", Words("masked by the patient", "masqué par le patient"), _comes(Fact.MASKED)),
    Circumstance(
        "masked_shown",
        "sho",
        Words("masked, but shown in emergencies", "masqué, mais montré en urgence"),
        _comes(Fact.MASKED, Fact.EMERGENCY_LIFTS_MASK),
    ),
    Circumstance(
        "withheld", "wit", Words("still withheld from the patient", "non encore annoncé"), _comes(Fact.WITHHELD)
    ),
    Circumstance(
        "hidden",
        "hid",
        Words("hidden from representatives", "caché aux représentants"),
        _comes(Fact.HIDDEN_FROM_REPRESENTATIVES),
    ),
    Circumstance("blocked", "blo", Words("blocked by the patient", "bloqué par le patient"), _comes(Fact.BLOCKED)),
    Circumstance(
        "weak",
        "wea",
        Words("weak authentication", "authentification faible"),
        goes=frozenset({Fact.STRONG_AUTHENTICATION}),
    ),
    Circumstance(
        "no_consent",
        "con",
        Words("no consent to the care team", "équipe de soins sans consentement"),
        goes=frozenset({Fact.CARE_TEAM_CONSENT}),
    ),
    Circumstance(
        "refused",
        "ref",
        Words("emergency access refused by the patient", "accès d’urgence refusé par le patient"),
        (*_comes(Fact.BREAK_GLASS_REFUSED), *_comes(Fact.CENTRE_15_REFUSED)),
    ),
    Circumstance(
        "no_reason",
        "rea",
        Words("glass broken without a reason", "bris de glace non motivé"),
        goes=frozenset({Fact.REASONED}),
    ),
    Circumstance("closed", "clo", Words("dossier closed", "dossier fermé"), _comes(Fact.CLOSED)),
)


@dataclass(frozen=True, slots=True)
class Changes:
    """A persona's answers; a circumstance that cannot be this persona's is left out."""

    persona: Persona
    decisions: Mapping[str, Decision]


def changes(engine: Engine, action: Action, modes: Iterable[Mode]) -> tuple[Changes, ...]:
    """What each circumstance does to each persona of these modes."""
    return tuple(
        Changes(
            persona,
            {
                circumstance.key: engine.judge(situation)
                for circumstance in CIRCUMSTANCES
                if (situation := circumstance.befalling(persona, action)) is not None
            },
        )
        for persona in PERSONAS
        if persona.mode in modes
    )
