"""What tells people works as long as the service does; what its secret is; what a decision owes to whom."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from structlog.testing import capture_logs

from api import notifying
from api.notifying import read_secrets, webhook_of
from api.services.notifications import Outbox
from api.services.webhook import Webhook
from api.settings import Settings, SettingsError
from models.database import Database
from models.queries.notifications import Backlog, count_notifications, list_notifications
from tests.api.whole import HOLDER, NURSE, TREATING, Clock, Whole
from tests.api.whole import KEY as CLIENT_KEY
from tests.doubles.receiver import KEY, SECRET, Receiver, receiving
from tests.doubles.told import AT, BOTH, owe
from tests.doubles.unreliable_database import UnreliableDatabase

PATIENT, PHYSICIANS = BOTH
PATIENCE_SECONDS = 20
GLASS = {"DMP-Mode": "break_glass", "DMP-Reason": "Patient%20inconscient"}
SETTING = "DMP_NOTIFY_SECRET_FILE"
BROKEN = "DMP_NOTIFY_SECRET_FILE must hold 1 to 4 lines, each whsec_ and 24 to 64 bytes in base64"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what it waits for happens elsewhere
            await asyncio.sleep(0.01)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """On loopback."""
    async with receiving() as made:
        yield made


class TestService:
    """As long as it lives."""

    async def test_what_is_due_is_delivered_and_what_waits_is_counted(
        self, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until it stops."""
        monkeypatch.setattr(notifying, "_LOOK_SECONDS", 0.01)
        seen: list[Backlog] = []
        outbox = Outbox(database, Webhook(receiver.url, [KEY]), Clock(AT), seen.append)
        await owe(database, 40, PATIENT)
        async with notifying.notifying(outbox)(Litestar()):
            await until(lambda: len(receiver.told) == 40 and seen[-1] == Backlog(0, 0))
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_without_a_receiver_what_waits_is_counted(self, database: Database) -> None:
        """So that an operator sees that nobody is told."""
        outbox = Outbox(database, None, Clock(AT))
        await owe(database, 2, PATIENT)
        async with notifying.notifying(outbox)(Litestar()):
            await until(lambda: outbox.backlog == Backlog(2, 0))

    async def test_a_silent_receiver_does_not_keep_it_from_stopping(
        self, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was under way is left, to be told again."""
        monkeypatch.setattr(notifying, "_LEAVE_SECONDS", 0.05)
        receiver.answers.append(None)
        outbox = Outbox(database, Webhook(receiver.url, [KEY]), Clock(AT))
        await owe(database, 1, PATIENT)
        async with notifying.notifying(outbox)(Litestar()):
            await until(lambda: len(receiver.told) == 1)
        assert await count_notifications(database, AT) == Backlog(1, 0)

    async def test_a_delivery_under_way_ends_before_it_stops(self, database: Database, receiver: Receiver) -> None:
        """And is then told once."""
        outbox = Outbox(database, Webhook(receiver.url, [KEY]), Clock(AT))
        await owe(database, 1, PATIENT)
        async with notifying.notifying(outbox)(Litestar()):
            await until(lambda: len(receiver.told) == 1)
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_it_outlives_a_database_that_fails(
        self, database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It says so, and goes on once the database does."""
        monkeypatch.setattr(notifying, "_PAUSE_SECONDS", 0.01)
        unreliable = UnreliableDatabase(database, fails_to_begin=True)
        outbox = Outbox(unreliable, Webhook(receiver.url, [KEY]), Clock(AT))
        await owe(database, 1, PATIENT)
        with capture_logs() as said:
            async with notifying.notifying(outbox)(Litestar()):
                await until(lambda: {"notifications_halted"} == {each["event"] for each in said})
                unreliable.fails_to_begin = False
                await until(lambda: len(receiver.told) == 1)
        assert await count_notifications(database, AT) == Backlog(0, 0)

    async def test_no_line_of_the_log_tells_more_than_an_id(self, database: Database, receiver: Receiver) -> None:
        """Neither the receiver's address nor the dossier."""
        receiver.answers.append(b"")
        outbox = Outbox(database, Webhook(receiver.url, [KEY]), Clock(AT))
        await owe(database, 1, PATIENT)
        with capture_logs() as said:
            assert await outbox.deliver_due() == 1
        await outbox.close()
        (kept,) = await list_notifications(database, dead=False, limit=1)
        assert said == [
            {
                "event": "notification_not_delivered",
                "notification": str(kept.id),
                "attempts": 1,
                "failure": "cannot be reached",
                "log_level": "warning",
            }
        ]


class TestSecrets:
    """What signs."""

    def written(self, folder: Path, text: str, mode: int = 0o600) -> Path:
        file = folder / "secret"
        file.write_text(text)
        file.chmod(mode)
        return file

    def test_secrets_are_read_from_a_file(self, tmp_path: Path) -> None:
        """One on each line, of any allowed size."""
        sizes = (24, 64)
        lines = ["whsec_" + base64.b64encode(bytes(size)).decode() for size in sizes]
        assert read_secrets(self.written(tmp_path, "\n".join([SECRET, *lines, ""])), SETTING) == [
            KEY,
            bytes(24),
            bytes(64),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\n",
            SECRET.removeprefix("whsec_"),
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "whsec_" + base64.b64encode(bytes(65)).decode(),
            "whsec_%%%%",
            "whsec_é",
            f"{SECRET}\nsecret",
            "\n".join([SECRET] * 5),
        ],
    )
    def test_what_is_no_secret_is_refused(self, tmp_path: Path, text: str) -> None:
        """Whole, with a sentence that repeats nothing of it."""
        with pytest.raises(SettingsError) as refused:
            read_secrets(self.written(tmp_path, text), SETTING)
        assert str(refused.value) == BROKEN

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
    def test_a_secret_is_nobody_elses_to_read(self, tmp_path: Path, mode: int) -> None:
        """Nor to write."""
        with pytest.raises(SettingsError) as refused:
            read_secrets(self.written(tmp_path, SECRET, mode), SETTING)
        assert str(refused.value) == "DMP_NOTIFY_SECRET_FILE may be read by others: its mode must be 0600"

    def test_a_secret_that_is_gone_is_refused(self, tmp_path: Path) -> None:
        """The service does not start without it."""
        with pytest.raises(SettingsError) as refused:
            read_secrets(tmp_path / "nothing", SETTING)
        assert str(refused.value) == "DMP_NOTIFY_SECRET_FILE cannot be read"

    async def test_there_is_a_webhook_if_one_was_set(self, tmp_path: Path) -> None:
        """With its secret; none otherwise."""
        common = {"DMP_HOME": str(tmp_path)}
        assert webhook_of(Settings.from_environment(common)) is None
        file = self.written(tmp_path, SECRET)
        given = {"DMP_NOTIFY_URL": "https://told.example/", "DMP_NOTIFY_SECRET_FILE": str(file)}
        made = webhook_of(Settings.from_environment(common | given))
        assert made is not None
        await made.close()


class TestDecisions:
    """Whom a decision of the service obliges to tell."""

    async def owed(self, dmp: Whole) -> list[tuple[str, str, str]]:
        waiting = await list_notifications(dmp.database, dead=False, limit=100)
        return sorted((each.obligation, each.action, each.mode) for each in waiting)

    async def test_breaking_the_glass_is_told_to_both(self, dmp: Whole) -> None:
        """Once for the listing with its lines, once for the reading."""
        document = await dmp.deposit()
        nurse = f"professional/{NURSE}"
        answer = await dmp.get("/documents", nurse, **GLASS)
        assert answer.status_code == 200, answer.text
        answer = await dmp.http.get(f"/v1/documents/{document}/content", headers=dmp.headers(nurse, **GLASS))
        assert answer.status_code == 200
        told = ("document:read", "evaluations")
        assert await self.owed(dmp) == [(each, action, "break_glass") for each in BOTH for action in told]

    async def test_a_first_access_is_told_to_the_patient_and_a_later_one_to_nobody(self, dmp: Whole) -> None:
        """Once something was read."""
        document = await dmp.deposit()
        headers = dmp.headers(TREATING)
        for _ in range(2):
            answer = await dmp.http.get(f"/v1/documents/{document}/content", headers=headers)
            assert answer.status_code == 200
        assert await self.owed(dmp) == [(PATIENT, "document:read", "normal")]

    async def test_refusals_dry_runs_and_patients_are_told_to_nobody(self, dmp: Whole) -> None:
        """Nothing was done, nobody else did it, or it was only asked."""
        assert (await dmp.get("/documents", f"professional/{NURSE}")).status_code == 403
        assert (await dmp.get("/documents", HOLDER)).status_code == 200
        question = {
            "subject": {"type": "professional", "id": TREATING.removeprefix("professional/")},
            "action": {"name": "document:list"},
            "resource": {"type": "dossier", "id": dmp.id_of()},
            "context": {"authentication": "cps", "dry_run": True},
        }
        bearer = {"Authorization": f"Bearer {CLIENT_KEY}"}
        answer = await dmp.http.post("/access/v1/evaluation", json=question, headers=bearer)
        assert answer.json()["decision"] is True
        assert await self.owed(dmp) == []
        del question["context"]["dry_run"]  # type: ignore[attr-defined]  # a mapping
        await dmp.http.post("/access/v1/evaluation", json=question, headers=bearer)
        assert await self.owed(dmp) == [(PATIENT, "document:list", "normal")]

    async def test_readiness_says_what_waits(self, dmp: Whole) -> None:
        """And whether it is delivered at all."""
        answer = await dmp.http.get("/health/ready")
        expected: dict[str, Any] = {"ok": True, "delivered": False, "waiting": 0, "dead": 0}
        assert answer.json()["checks"]["notifications"] == expected
