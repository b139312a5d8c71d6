"""Putting a bundle where every instance follows it."""

import secrets
from dataclasses import dataclass

from api.services.signed_rules import PUBLISHED, READ_AT_MOST
from api.services.swaps import content_of, hold_not_older
from models.database import Database
from models.queries.policy import find_in_force
from policy.bundles.signing import Trust
from policy.bundles.verifying import Accepted, accept
from policy.errors import BundleError
from vault.errors import NoObjectError
from vault.notices import Notice, NoticeBoard, hold_replaceable


@dataclass(frozen=True, slots=True)
class Published:
    """What is published; `replaced` is the version that was, if it was acceptable. Unchanged: nothing was done."""

    accepted: Accepted
    replaced: int | None
    unchanged: bool


async def publish(board: NoticeBoard, database: Database, trust: Trust, data: bytes) -> Published:
    """Publish a bundle that every instance will take. Raises BundleError if one of them would not.

    Raises NoticeChangedError if somebody else publishes at the same time, StoreError, DatabaseError.
    """
    accepted = accept(data, trust)
    in_force = await find_in_force(database)
    if in_force is not None:
        hold_not_older(accepted.bundle, in_force.version, in_force.content)
    present = await _present(board)
    replaced = None if present is None else _replaced(present, trust, accepted)
    if present is not None and present.data == data:
        return Published(accepted, replaced, unchanged=True)
    await hold_replaceable(board, f"policy/{secrets.token_hex(16)}")
    await board.post_notice(PUBLISHED, data, None if present is None else present.tag)
    return Published(accepted, replaced, unchanged=False)


async def _present(board: NoticeBoard) -> Notice | None:
    try:
        return await board.read_notice(PUBLISHED, READ_AT_MOST)
    except NoObjectError:
        return None


def _replaced(present: Notice, trust: Trust, accepted: Accepted) -> int | None:
    """The version of what is published. What no instance would take may be replaced by anything."""
    try:
        before = accept(present.data, trust).bundle
    except BundleError:
        return None
    hold_not_older(accepted.bundle, before.version, content_of(before))
    return before.version
