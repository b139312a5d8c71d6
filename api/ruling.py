"""The rules by which the service and the command line decide, begun as the settings say."""

from collections.abc import Callable
from datetime import datetime

from api.parts import Parts
from api.services.rules import FolderRules, Rules
from api.services.signed_rules import SignedRules, Surroundings
from api.services.swaps import Swaps
from api.settings import Settings


async def begin_rules(settings: Settings, parts: Parts, count_refusal: Callable[[str], None], at: datetime) -> Rules:
    """A folder's rules, or signed ones. Raises PolicyError.

    `count_refusal` is told of each published bundle that is not taken.
    """
    swaps = Swaps(parts.database, parts.ledger)
    if settings.policy_trust is None:
        return await FolderRules.begin(settings.policy_dir, swaps, at)
    around = Surroundings(
        parts.store, settings.policy_trust, parts.database, swaps, count_refusal, settings.policy_poll_seconds
    )
    return await SignedRules.begin(around, at)
