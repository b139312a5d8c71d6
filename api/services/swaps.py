"""Rule sets that replace one another: each swap is written down, and for all instances there is one order of versions.

One row says which bundle is in force. Whichever instance puts another one in its place writes the journal's entry in
the same transaction; the others find it done and follow without a word. So a version is journaled once, none is put in
force that is older than the row's, and a restart forgets nothing. Rules of a folder have no version: their revision is
kept in the same row, so that of several workers which load it again, one writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from api.identity import Caller
from models.database import Database
from models.facts import Reference
from models.queries.policy import InForce, find_in_force, lock_in_force, move_in_force
from policy.bundles.form import Bundle
from policy.bundles.verifying import Accepted
from policy.errors import BundleError
from vault.journal.entry import NO_DOSSIER, POLICY_SWAP, Entry, Value
from vault.journal.ledger import Ledger

_RULE = "policy-swap"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who had rules replaced, and by what."""

    who: Reference
    request_id: str

    @classmethod
    def of_caller(cls, caller: Caller) -> "Occasion":
        """A component, by a request."""
        return cls(Reference("client", caller.client.name), caller.request_id)

    @classmethod
    def of_service(cls, moment: str) -> "Occasion":
        """The service itself: at its start, by a signal, by following what is published."""
        return cls(Reference("service", moment), moment)


def content_of(bundle: Bundle) -> bytes:
    """The digest by which two bundles of one version are told apart: of what was signed, whoever signed it."""
    return sha256(bundle.signed_bytes()).digest()


def hold_not_older(bundle: Bundle, version: int, content: bytes) -> None:
    """Raises BundleError on a bundle older than this version, or another one of the same."""
    if bundle.version < version:
        raise BundleError(
            "rolled-back", f"version {bundle.version} is older than version {version}, and versions only grow"
        )
    if bundle.version == version and content_of(bundle) != content:
        raise BundleError("forked", f"there is another version {version} already")


class Swaps:
    """Writes down what replaces what."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def from_folder(self, revision: str, occasion: Occasion, at: datetime) -> None:
        """Note that these rules of a folder decide from now on. The first rules of all replace none.

        Raises JournalUnavailableError or DatabaseError: then they must not decide.
        """
        known = await find_in_force(self._database)
        if known is not None and known.revision == revision:
            return
        async with self._database.begin() as connection:
            before = await lock_in_force(connection, InForce(0, b"", revision, at))
            if before.revision != revision:
                await move_in_force(connection, replace(before, revision=revision, since=at), None)
                change = {"previous": before.revision}
                await self._ledger.append(connection, [_entry(revision, change, occasion, at)])

    async def from_bundle(self, accepted: Accepted, data: bytes, occasion: Occasion, at: datetime) -> None:
        """Note that this bundle is in force. Raises BundleError if it is older than the one that is, or another one.

        Raises JournalUnavailableError or DatabaseError as `from_folder`.
        """
        bundle = accepted.bundle
        after = InForce(bundle.version, content_of(bundle), bundle.revision, at)
        async with self._database.begin() as connection:
            before = await lock_in_force(connection, InForce(0, b"", "", at))
            hold_not_older(bundle, before.version, before.content)
            if (before.version, before.revision) == (after.version, after.revision):
                await move_in_force(connection, before, data)  # perhaps under more signatures
                return
            await move_in_force(connection, after, data)
            change: dict[str, Value] = {
                "previous": before.revision or None,
                "version": str(bundle.version),
                "author": bundle.author,
                "reviewers": " ".join(accepted.reviewers),
            }
            await self._ledger.append(connection, [_entry(bundle.revision, change, occasion, at)])


def _entry(revision: str, change: Mapping[str, Value], occasion: Occasion, at: datetime) -> Entry:
    return Entry(
        at=at,
        dossier=NO_DOSSIER,
        subject=occasion.who,
        action=POLICY_SWAP,
        resource=Reference("policy", revision),
        allowed=True,
        rule=_RULE,
        revision=revision,
        client=occasion.who.id if occasion.who.type == "client" else occasion.who.type,
        request_id=occasion.request_id,
        change=change,
    )
