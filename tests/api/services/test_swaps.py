"""One order of versions for all instances; a swap that cannot be written down is not made."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.identity import Caller, Client
from api.parts import Parts
from api.services.rules import FolderRules
from api.services.swaps import Occasion, Swaps
from models.facts import Reference
from models.queries.policy import InForce, find_bundle, find_in_force
from policy.bundles.form import Bundle
from policy.bundles.verifying import accept
from policy.engine import Engine
from policy.errors import BundleError
from policy.loader import load
from tests.doubles.unreliable_database import UnreliableDatabase
from tests.policy.bundles.reviewers import AUTHOR, LEGAL, MEDICAL, SECURITY, TRUST, signed, stricter
from vault.errors import JournalUnavailableError
from vault.journal.audit import verify_log
from vault.journal.entry import NO_DOSSIER, Entry
from vault.journal.fhir import audit_event
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BY_REQUEST = Occasion.of_caller(Caller(Client("console", frozenset()), "request-1"))
BY_POLL = Occasion.of_service("poll")
OLD, NEW = "1" * 64, "2" * 64


@pytest.fixture
def swaps(parts: Parts) -> Swaps:
    """Over each stack in turn."""
    return Swaps(parts.database, parts.ledger)


async def entries(parts: Parts) -> list[Entry]:
    """What the journal has of no dossier, oldest first."""
    lines = await Reader(parts.database, parts.journal_keys, parts.signer).read(NO_DOSSIER, limit=100)
    assert (await verify_log(parts.database, parts.journal_keys, ())).broken is None
    return [line.entry for line in reversed(lines) if line.entry is not None]


async def swap(swaps: Swaps, bundle: Bundle, occasion: Occasion = BY_POLL, at: datetime = NOW) -> None:
    data = bundle.encode()
    await swaps.from_bundle(accept(data, TRUST), data, occasion, at)


async def refused(swaps: Swaps, bundle: Bundle) -> str:
    with pytest.raises(BundleError) as error:
        await swap(swaps, bundle)
    return error.value.reason


class TestBundles:
    """Versions."""

    async def test_a_version_is_written_down_once(self, swaps: Swaps, parts: Parts) -> None:
        """By whoever puts it in force first, with who wrote it and who signed; the next one says what it replaces."""
        await swap(swaps, signed(version=2))
        await swap(swaps, signed(version=2), at=LATER)
        await swap(swaps, signed(version=3, bundle=stricter(3)), BY_REQUEST, LATER)
        packaged, strict = load().revision, stricter().revision
        told = [
            (entry.at, entry.subject, entry.client, entry.request_id, dict(entry.change))
            for entry in await entries(parts)
        ]
        signers = {"author": AUTHOR, "reviewers": f"{LEGAL} {SECURITY}"}
        assert told == [
            (NOW, Reference("service", "poll"), "service", "poll", {"previous": None, "version": "2", **signers}),
            (
                LATER,
                Reference("client", "console"),
                "console",
                "request-1",
                {"previous": packaged, "version": "3", **signers},
            ),
        ]
        assert [(entry.action, entry.resource, entry.allowed, entry.revision) for entry in await entries(parts)] == [
            ("policy:swap", Reference("policy", revision), True, revision) for revision in (packaged, strict)
        ]
        row = await find_in_force(parts.database)
        assert row is not None
        assert (row.version, row.revision, row.since) == (3, strict, LATER)

    async def test_instances_that_swap_at_once_write_once(self, swaps: Swaps, parts: Parts) -> None:
        """The others find it done."""
        await asyncio.gather(*(swap(Swaps(parts.database, parts.ledger), signed(version=2)) for _ in range(6)))
        assert len(await entries(parts)) == 1

    async def test_an_older_version_is_refused(self, swaps: Swaps, parts: Parts) -> None:
        """However well it is signed: it was replaced for a reason."""
        await swap(swaps, signed(version=3))
        assert await refused(swaps, signed(version=2)) == "rolled-back"
        assert await refused(swaps, signed(version=2, bundle=stricter(2))) == "rolled-back"
        assert len(await entries(parts)) == 1

    async def test_another_bundle_of_the_same_version_is_refused(self, swaps: Swaps, parts: Parts) -> None:
        """Else instances could differ and all be right."""
        await swap(swaps, signed(version=2))
        assert await refused(swaps, signed(version=2, bundle=stricter(2))) == "forked"
        assert len(await entries(parts)) == 1

    async def test_more_signatures_make_no_other_bundle(self, swaps: Swaps, parts: Parts) -> None:
        """What is kept has them, so that one of the first may be withdrawn."""
        await swap(swaps, signed(LEGAL, SECURITY))
        await swap(swaps, signed(SECURITY, MEDICAL))
        assert len(await entries(parts)) == 1
        assert await find_bundle(parts.database) == signed(SECURITY, MEDICAL).encode()

    async def test_a_new_version_of_the_same_rules_is_a_swap(self, swaps: Swaps, parts: Parts) -> None:
        """That is how old rules come back: under a new version."""
        await swap(swaps, signed(version=2))
        await swap(swaps, signed(version=3, bundle=stricter(3)))
        await swap(swaps, signed(version=4))
        told = [(entry.change["version"], entry.revision) for entry in await entries(parts)]
        packaged = load().revision
        assert told == [("2", packaged), ("3", stricter().revision), ("4", packaged)]


class TestFolders:
    """Rules without a version."""

    async def test_the_first_rules_of_all_replace_none(self, swaps: Swaps, parts: Parts) -> None:
        """Nothing is written, and they are remembered."""
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        assert await entries(parts) == []
        assert await find_in_force(parts.database) == InForce(0, b"", OLD, NOW)

    async def test_other_rules_are_a_swap(self, swaps: Swaps, parts: Parts) -> None:
        """Of several workers that load them, the first one writes."""
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        for _ in range(2):
            await swaps.from_folder(NEW, BY_REQUEST, LATER)
        (entry,) = await entries(parts)
        assert (entry.at, entry.revision, dict(entry.change)) == (LATER, NEW, {"previous": OLD})
        await swaps.from_folder(OLD, BY_REQUEST, LATER)
        assert [entry.revision for entry in await entries(parts)] == [NEW, OLD]

    async def test_workers_that_load_at_once_write_once(self, swaps: Swaps, parts: Parts) -> None:
        """Though each has seen that nothing was written yet."""
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        await asyncio.gather(*(swaps.from_folder(NEW, BY_REQUEST, NOW) for _ in range(6)))
        assert len(await entries(parts)) == 1

    async def test_a_folder_forgets_no_version(self, swaps: Swaps, parts: Parts) -> None:
        """Whoever goes back to signed rules goes on where they were, and that is a swap too."""
        await swap(swaps, signed(version=3))
        await swaps.from_folder(NEW, BY_REQUEST, NOW)
        assert await find_bundle(parts.database) == signed(version=3).encode()
        assert await refused(swaps, signed(version=2)) == "rolled-back"
        await swap(swaps, signed(version=3))
        packaged = load().revision
        assert [entry.change["previous"] for entry in await entries(parts)] == [None, packaged, NEW]

    async def test_a_start_under_other_rules_is_a_swap(self, swaps: Swaps, parts: Parts) -> None:
        """Else whoever may restart the service could change its rules without a trace."""
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        rules = await FolderRules.begin(None, swaps, LATER)
        again = await FolderRules.begin(None, swaps, LATER)
        (entry,) = await entries(parts)
        assert (entry.subject, entry.revision) == (Reference("service", "start"), load().revision)
        assert (rules.engine.revision, rules.loaded_at, rules.version) == (again.engine.revision, LATER, None)
        assert rules.facts(LATER + timedelta(seconds=90)) == {"revision": load().revision, "age_seconds": 90}


class TestFailures:
    """Fail closed."""

    @pytest.mark.parametrize("fault", ["fails_to_begin", "fails_to_commit"])
    async def test_a_swap_that_cannot_be_written_down_is_not_made(self, parts: Parts, fault: str) -> None:
        """Neither in force, nor in the journal: the old rules go on deciding."""
        database = UnreliableDatabase(parts.database)
        swaps = Swaps(database, Ledger(database, parts.journal_keys))
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        rules = FolderRules(None, Engine(accept(signed(bundle=stricter()).encode(), TRUST).rules), NOW, swaps)
        setattr(database, fault, True)
        with pytest.raises(type(database.raises)):
            await rules.reload(BY_REQUEST, LATER)
        assert (rules.engine.revision, rules.loaded_at) == (stricter().revision, NOW)
        with pytest.raises(type(database.raises)):
            await swap(swaps, signed())
        assert await find_in_force(parts.database) == InForce(0, b"", OLD, NOW)
        assert await entries(parts) == []

    async def test_a_journal_that_takes_nothing_stops_a_swap(self, parts: Parts) -> None:
        """Though the database is there."""
        swaps = Swaps(parts.database, Unwritable(parts.database, parts.journal_keys))
        await swaps.from_folder(OLD, BY_REQUEST, NOW)
        with pytest.raises(JournalUnavailableError):
            await swaps.from_folder(NEW, BY_REQUEST, NOW)
        with pytest.raises(JournalUnavailableError):
            await swap(swaps, signed())
        assert await find_in_force(parts.database) == InForce(0, b"", OLD, NOW)


class Unwritable(Ledger):
    """A journal that cannot be written."""

    async def append(self, *_: object) -> list[object]:  # type: ignore[override]  # whatever it is given
        raise JournalUnavailableError("no")


async def test_a_swap_is_told_to_those_who_read_fhir(swaps: Swaps, parts: Parts) -> None:
    """As a change of the security's configuration, about no patient."""
    await swap(swaps, signed())
    (entry,) = await entries(parts)
    event = audit_event(entry)
    assert [coding["code"] for coding in event["subtype"]] == ["110129", "policy:swap"]
    assert event["entity"][0]["what"]["identifier"]["value"] == load().revision
    assert [entity for entity in event["entity"] if entity["type"]["display"] == "Person"] == []
