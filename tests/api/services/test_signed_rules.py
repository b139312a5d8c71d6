"""Instances follow what is published, and nothing that reviewers did not sign is ever put in force."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from api.reloading import reload_by_signal
from api.services.rules import FolderRules, Rules
from api.services.signed_rules import PUBLISHED, SignedRules, Surroundings
from api.services.swaps import Occasion, Swaps
from models.database import Database
from models.queries.policy import InForce, find_in_force, lock_in_force, move_in_force
from policy.bundles.form import Bundle
from policy.bundles.signing import Trust
from policy.engine import Engine
from policy.errors import BundleError, PolicyFileError
from tests.doubles.notices import MemoryNoticeBoard
from tests.doubles.unreliable_database import UnreliableDatabase
from tests.policy.bundles.reviewers import (
    LEGAL,
    MEDICAL,
    SECURITY,
    TRUST,
    key_of,
    packaged,
    signed,
    stricter,
    trust_file,
    unsigned,
)
from tests.policy.folders import copy_of_the_policy
from tests.vault.journal.shards import fixed_keys
from vault.errors import StoreUnavailableError
from vault.journal.checkpoint import Signer
from vault.journal.entry import NO_DOSSIER
from vault.journal.ledger import Ledger
from vault.journal.reading import Reader

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
BY_HAND = Occasion.of_service("signal")
SECONDS = 15


class Fleet:
    """What several instances have in common: a board, a database, a trust file; and what they count."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.board = MemoryNoticeBoard()
        self.database = UnreliableDatabase(database)
        self.trust_file = trust_file(folder)
        self.refusals: list[str] = []

    def publish(self, bundle: Bundle | bytes | None) -> None:
        """As whoever holds the store could."""
        if bundle is None:
            self.board.notices.clear()
        else:
            self.board.notices[PUBLISHED] = bundle if isinstance(bundle, bytes) else bundle.encode()

    async def instance(self, at: datetime = NOW) -> SignedRules:
        """One more, started."""
        swaps = Swaps(self.database, Ledger(self.database, fixed_keys()))
        around = Surroundings(
            self.board, self.trust_file, self.database, swaps, self.refusals.append, poll_seconds=SECONDS
        )
        return await SignedRules.begin(around, at)

    async def versions(self) -> list[object]:
        """What the journal says was put in force, in order."""
        lines = await journal(self.database.real).read(NO_DOSSIER, limit=100)
        return [line.entry.change["version"] for line in reversed(lines) if line.entry is not None]


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Fleet:
    """On each engine in turn, with nothing published."""
    return Fleet(database, tmp_path)


def journal(database: Database) -> Reader:
    return Reader(database, fixed_keys(), Signer("tests", Ed25519PrivateKey.generate()))


def strict(version: int) -> Bundle:
    return signed(version=version, bundle=stricter(version))


def state(rules: SignedRules) -> tuple[int | None, str]:
    return rules.version, rules.engine.revision


PACKAGED, STRICT = packaged().revision, stricter().revision


class TestFollowing:
    """What is published and acceptable is put in force everywhere."""

    async def test_an_instance_starts_with_what_is_published(self, fleet: Fleet) -> None:
        """And that is the first swap."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        assert state(rules) == (2, PACKAGED)
        assert rules.facts(NOW) == {
            "revision": PACKAGED,
            "age_seconds": 0,
            "version": 2,
            "last_poll_age_seconds": 0,
            "stale": False,
        }
        assert await fleet.versions() == ["2"]

    async def test_every_instance_follows(self, fleet: Fleet) -> None:
        """By polling; one of them writes it down."""
        fleet.publish(signed(version=2))
        instances = [await fleet.instance() for _ in range(3)]
        fleet.publish(strict(3))
        assert [state(each) for each in instances] == [(2, PACKAGED)] * 3
        await asyncio.gather(*(each.poll(NOW) for each in instances))
        assert [state(each) for each in instances] == [(3, STRICT)] * 3
        assert await fleet.versions() == ["2", "3"]

    async def test_what_is_unchanged_is_not_read_again(self, fleet: Fleet) -> None:
        """Its tag says so."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        before = fleet.board.readings
        for _ in range(3):
            await rules.poll(NOW)
        assert fleet.board.readings == before
        assert rules.loaded_at == NOW

    async def test_a_request_follows_at_once(self, fleet: Fleet) -> None:
        """And is named in the journal."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.publish(strict(3))
        await rules.reload(BY_HAND, NOW + timedelta(seconds=5))
        assert state(rules) == (3, STRICT)
        assert rules.facts(NOW + timedelta(seconds=65))["age_seconds"] == 60

    async def test_a_restart_forgets_nothing(self, fleet: Fleet) -> None:
        """The version in force is kept where all instances see it."""
        fleet.publish(strict(3))
        await fleet.instance()
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        assert state(rules) == (3, STRICT)
        assert (rules.facts(NOW)["stale"], rules.facts(NOW)["refused"]) == (True, "rolled-back")

    async def test_old_rules_come_back_under_a_new_version(self, fleet: Fleet) -> None:
        """That is the answer to a version that was a mistake."""
        fleet.publish(strict(3))
        rules = await fleet.instance()
        fleet.publish(signed(version=4))
        await rules.poll(NOW)
        assert state(rules) == (4, PACKAGED)

    async def test_who_took_the_engine_finishes_with_it(self, fleet: Fleet) -> None:
        """The new one is built beside it."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        taken = rules.engine
        fleet.publish(strict(3))
        await rules.poll(NOW)
        assert (taken.revision, rules.engine.revision) == (PACKAGED, STRICT)


SPOILT: list[tuple[str, Callable[[], bytes | Bundle | None]]] = [
    ("malformed", lambda: strict(3).encode()[:-1]),
    ("malformed", lambda: b""),
    ("too-large", lambda: bytes(5_000_000)),
    ("not-canonical", lambda: strict(3).encode() + b"\n"),
    ("format", lambda: strict(3).encode().replace(b"bundle@v1", b"bundle@v0")),
    ("signatures", lambda: unsigned(version=3)),
    ("signatures", lambda: signed(LEGAL, version=3)),
    ("signatures", lambda: signed(LEGAL, "stranger", version=3)),
    ("signatures", lambda: strict(3).encode().replace(b"normal & granted", b"granted & normal")),
    ("rolled-back", lambda: signed(version=1)),
    ("rolled-back", lambda: strict(1)),
    ("forked", lambda: strict(2)),
    ("missing", lambda: None),
]


class TestRefusals:
    """What is refused changes nothing, and is seen."""

    @pytest.mark.parametrize("reason, spoilt", SPOILT)
    async def test_what_is_refused_changes_nothing(
        self, fleet: Fleet, reason: str, spoilt: Callable[[], bytes | Bundle | None]
    ) -> None:
        """It is logged by one word, counted once, told to who asks, and readiness says that the rules are stale.

        An instance that starts takes what is in force, so whoever can write to the store cannot keep it from starting.
        """
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        engine = rules.engine
        fleet.publish(spoilt())
        with capture_logs() as logs:
            for _ in range(3):
                await rules.poll(NOW + timedelta(seconds=30))
        assert logs == [{"event": "policy_refused", "reason": reason, "log_level": "error"}]
        assert fleet.refusals == [reason]
        told = rules.facts(NOW + timedelta(seconds=30))
        assert (told["stale"], told["refused"], told["last_poll_age_seconds"]) == (True, reason, 0)
        with pytest.raises(BundleError) as refused:
            await rules.reload(BY_HAND, NOW)
        assert refused.value.reason == reason
        assert (rules.engine, rules.version) == (engine, 2)
        started = await fleet.instance()
        assert (state(started), started.facts(NOW)["refused"]) == ((2, PACKAGED), reason)
        assert await fleet.versions() == ["2"]

    async def test_what_is_put_right_is_fresh_again(self, fleet: Fleet) -> None:
        """Whether by the same bundle or by a newer one."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        for right in (signed(version=2), strict(3)):
            fleet.publish(b"wrong")
            await rules.poll(NOW)
            assert rules.facts(NOW)["stale"] is True
            fleet.publish(right)
            await rules.poll(NOW)
            assert (rules.version, rules.facts(NOW)["stale"]) == (right.version, False)
            assert "refused" not in rules.facts(NOW)

    async def test_nothing_acceptable_no_service(self, fleet: Fleet) -> None:
        """One sentence says why."""
        with pytest.raises(BundleError, match=r"^no policy bundle is published$"):
            await fleet.instance()
        fleet.publish(signed(LEGAL))
        with pytest.raises(BundleError, match=r"^1 of 2 reviewers have signed$"):
            await fleet.instance()
        assert await find_in_force(fleet.database.real) is None

    async def test_what_is_kept_is_verified_too(self, fleet: Fleet) -> None:
        """Whoever can write to the database cannot make rules."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        async with fleet.database.real.begin() as connection:
            before = await lock_in_force(connection, InForce(0, b"", "", NOW))
            after = InForce(9, b"9" * 32, STRICT, NOW)
            await move_in_force(connection, after, unsigned(version=9).encode())
            assert before.version == 2
        await rules.poll(NOW)
        assert (state(rules), rules.facts(NOW)["refused"]) == ((2, PACKAGED), "signatures")
        with pytest.raises(BundleError):
            await fleet.instance()

    async def test_a_database_that_is_rolled_back_rolls_nothing_back(self, fleet: Fleet) -> None:
        """What runs remembers by itself."""
        fleet.publish(strict(3))
        rules = await fleet.instance()
        async with fleet.database.real.begin() as connection:
            await lock_in_force(connection, InForce(0, b"", "", NOW))
            await move_in_force(connection, InForce(0, b"", "", NOW), b"")
        fleet.publish(signed(version=2))
        await rules.poll(NOW)
        assert (state(rules), rules.facts(NOW)["refused"]) == ((3, STRICT), "rolled-back")


class TestLeftBehind:
    """An instance that does not see what the others saw."""

    async def test_it_takes_what_is_in_force(self, fleet: Fleet) -> None:
        """Even if what was published is gone again, or was never shown to it."""
        fleet.publish(signed(version=2))
        first, second = await fleet.instance(), await fleet.instance()
        fleet.publish(strict(3))
        await first.poll(NOW)
        fleet.publish(signed(version=2))
        await second.poll(NOW)
        assert (state(second), second.facts(NOW)["stale"]) == ((3, STRICT), False)
        assert await fleet.versions() == ["2", "3"]

    async def test_it_does_so_though_what_is_published_is_refused(self, fleet: Fleet) -> None:
        """And stays stale until that is put right."""
        fleet.publish(signed(version=2))
        first, second = await fleet.instance(), await fleet.instance()
        fleet.publish(strict(3))
        await first.poll(NOW)
        fleet.publish(b"wrong")
        await second.poll(NOW)
        assert (state(second), second.facts(NOW)["refused"]) == ((3, STRICT), "malformed")


class TestOutages:
    """What does not answer is asked again."""

    @pytest.mark.parametrize("part", ["board", "database"])
    async def test_what_does_not_answer_leaves_the_rules_and_their_age_is_told(self, fleet: Fleet, part: str) -> None:
        """They are stale after four intervals without an answer, and fresh at the first one."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.publish(strict(3))
        fleet.board.fails = part == "board"
        fleet.database.fails_to_begin = part == "database"
        with capture_logs() as logs:
            await rules.poll(NOW + timedelta(seconds=15))
        (kind,) = [line["kind"] for line in logs if line["event"] == "policy_not_polled"]
        assert kind == ("StoreUnavailableError" if part == "board" else "DatabaseUnavailableError")
        assert state(rules) == (2, PACKAGED)
        for seconds, stale in ((60, False), (61, True)):
            told = rules.facts(NOW + timedelta(seconds=seconds))
            assert (told["stale"], told["last_poll_age_seconds"]) == (stale, seconds)
        fleet.board.fails = fleet.database.fails_to_begin = False
        await rules.poll(NOW + timedelta(seconds=90))
        assert (state(rules), rules.facts(NOW + timedelta(seconds=90))["stale"]) == ((3, STRICT), False)
        assert fleet.refusals == []

    async def test_a_swap_that_cannot_be_written_down_is_not_made(self, fleet: Fleet) -> None:
        """It is made as soon as it can."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.publish(strict(3))
        fleet.database.fails_to_commit = True
        await rules.poll(NOW)
        assert (state(rules), await fleet.versions()) == ((2, PACKAGED), ["2"])
        fleet.database.fails_to_commit = False
        await rules.poll(NOW)
        assert (state(rules), await fleet.versions()) == ((3, STRICT), ["2", "3"])

    async def test_a_service_does_not_start_unseen(self, fleet: Fleet) -> None:
        """Neither without the store nor without the journal."""
        fleet.publish(signed(version=2))
        fleet.database.fails_to_commit = True
        with pytest.raises(type(fleet.database.raises)):
            await fleet.instance()
        fleet.board.fails = True
        with pytest.raises(StoreUnavailableError):
            await fleet.instance()


class TestTrust:
    """Whose signatures count is read at the start, and when the rules are loaded again by hand."""

    async def test_a_new_reviewer_counts_after_a_reload(self, fleet: Fleet, tmp_path: Path) -> None:
        """What was refused is then looked at again."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        bundle = signed(MEDICAL, "new", version=3)
        fleet.publish(bundle)
        await rules.poll(NOW)
        trust_file(tmp_path, Trust({**TRUST.reviewers, key_of("new").public: "new"}))
        await rules.poll(NOW)
        assert rules.version == 2
        await rules.reload(BY_HAND, NOW)
        assert (rules.version, rules.facts(NOW)["stale"]) == (3, False)

    async def test_a_key_that_is_withdrawn_does_not_count_any_more(self, fleet: Fleet, tmp_path: Path) -> None:
        """The rules in force go on, and say that they are stale; a start asks for others."""
        fleet.publish(signed(LEGAL, SECURITY))
        rules = await fleet.instance()
        left = {key: name for key, name in TRUST.reviewers.items() if name != SECURITY}
        trust_file(tmp_path, Trust(left))
        with pytest.raises(BundleError):
            await rules.reload(BY_HAND, NOW)
        assert (rules.version, rules.facts(NOW)["refused"]) == (2, "signatures")
        with pytest.raises(BundleError):
            await fleet.instance()
        fleet.publish(signed(LEGAL, MEDICAL))
        await rules.poll(NOW)
        assert rules.facts(NOW)["stale"] is False
        fleet.publish(None)
        assert (await fleet.instance()).version == 2

    async def test_a_trust_file_that_is_refused_changes_nothing(self, fleet: Fleet) -> None:
        """Nor does a service start with one."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.trust_file.write_text("reviewer\n")
        with pytest.raises(PolicyFileError):
            await rules.reload(BY_HAND, NOW)
        assert state(rules) == (2, PACKAGED)
        with pytest.raises(PolicyFileError):
            await fleet.instance()


class TestSignal:
    """SIGHUP has nobody to tell but the log."""

    async def test_it_follows(self, fleet: Fleet) -> None:
        """As a request does."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.publish(strict(3))
        await reload_by_signal(rules, NOW)
        assert state(rules) == (3, STRICT)

    async def test_what_goes_wrong_is_logged(self, fleet: Fleet) -> None:
        """A refusal, an outage, a trust file; each by words of ours."""
        fleet.publish(signed(version=2))
        rules = await fleet.instance()
        fleet.publish(b"wrong")
        with capture_logs() as logs:
            await reload_by_signal(rules, NOW)
            fleet.board.fails = True
            await reload_by_signal(rules, NOW)
            fleet.trust_file.write_text("reviewer\n")
            await reload_by_signal(rules, NOW)
        assert [{name: value for name, value in line.items() if name != "log_level"} for line in logs] == [
            {"event": "policy_refused", "reason": "malformed"},
            {"event": "policy_not_reloaded", "kind": "StoreUnavailableError"},
            {"event": "policy_refused", "file": str(fleet.trust_file), "line": 1},
        ]

    async def test_a_folder_is_loaded_again(self, database: Database, tmp_path: Path) -> None:
        """The same rules are no swap."""
        folder = copy_of_the_policy(tmp_path)
        rules: Rules = await FolderRules.begin(folder, Swaps(database, Ledger(database, fixed_keys())), NOW)
        with capture_logs() as logs:
            await reload_by_signal(rules, NOW + timedelta(seconds=5))
        assert logs == [{"event": "policy_loaded", "revision": Engine.load().revision, "log_level": "info"}]
        assert rules.loaded_at == NOW + timedelta(seconds=5)
        assert await journal(database).read(NO_DOSSIER, limit=1) == []
