"""`dmp keys`, as an operator types it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from api.cli import rotating
from api.cli.setting_up import initialise
from api.parts import Parts, open_parts
from api.services.key_changes import KeyChanges
from api.services.sealed_columns import SEALED_COLUMNS
from api.settings import Settings
from models import tables
from models.tables import dossier_key
from tests.api.cli.shell import run
from vault.errors import KeyStateError
from vault.journal.entry import NO_DOSSIER
from vault.journal.tracing import by_dossier
from vault.keys import Tree

DOSSIER, OTHER, WITHOUT = UUID(int=1 << 116), UUID(int=2 << 116), UUID(int=3 << 116)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of an embedded service that was set up, with two dossiers; no other process looks at its keyring."""
    monkeypatch.setattr("api.services.key_changes.SETTLE_SECONDS", 0.0)
    initialise(Settings.from_environment({"DMP_HOME": str(tmp_path)}))

    async def fill(parts: Parts) -> None:
        async with parts.database.begin() as connection:
            for each in (DOSSIER, OTHER):
                await parts.dossier_keys.ensure(connection, each)

    within(tmp_path, fill)
    return tmp_path


def within(home: Path, work: Callable[[Parts], Coroutine[Any, Any, Any]]) -> Any:
    async def done() -> Any:
        async with open_parts(Settings.from_environment({"DMP_HOME": str(home)})) as parts:
            return await work(parts)

    return asyncio.run(done())


def said(home: Path, *words: str) -> str:
    result = run("keys", *words, home=home)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.strip()


def refused(home: Path, *words: str) -> str:
    result = run("keys", *words, home=home)
    assert isinstance(result.exception, KeyStateError), result.output
    return str(result.exception)


def misused(home: Path, *words: str) -> str:
    result = run("keys", *words, home=home)
    assert result.exit_code == 2
    return result.stderr.splitlines()[-1]


def key_ids(home: Path) -> list[tuple[UUID, int, str]]:
    """Of the dossiers' keys: whose, which version, under which shard key."""

    async def read(parts: Parts) -> Any:
        async with parts.database.connect() as connection:
            query = select(dossier_key.c.dossier, dossier_key.c.version, dossier_key.c.key_id)
            return list(map(tuple, await connection.execute(query.order_by(dossier_key.c.dossier))))

    rows: list[tuple[UUID, int, str]] = within(home, read)
    return rows


def test_status_is_a_table(home: Path) -> None:
    """Of masters, what is below them, and the shards' keys; no key stands in it."""
    told = said(home, "status").splitlines()
    assert told[0] == "local keyring, generation 1"
    assert "dossier  dossier/1  primary  2                 1" in told
    assert any(line.startswith("dossier: shard keys: 2 primary; highest version 1; dossier/00") for line in told)
    assert any(line.endswith(" has wrapped most: 1 of 2147483648") for line in told)
    assert "rows: no shard key yet" in told


def test_status_for_programs(home: Path) -> None:
    """The same in JSON."""
    said(home, "rotate", "shard", "--tree", "dossier", "--shard", "001")
    told = json.loads(said(home, "status", "--json"))
    assert (told["service"], told["generation"], told["limit"]) == ("local keyring", 1, 2**31)
    assert set(told["trees"]) == {"dossier", "journal", "index", "rows", "signing"}
    tree = told["trees"]["dossier"]
    assert tree["masters"] == [{"id": "dossier/1", "state": "primary", "shard_keys": 3}]
    assert tree["shard_keys"] == {"primary": 2, "enabled": 1, "disabled": 0, "destroyed": 0}
    assert (tree["primary"], tree["floor"], tree["highest_version"], tree["outdated"]) == ("dossier/1", 1, 2, 0)
    assert told["trees"]["rows"]["most_used"] is None


def test_masters_rotate_and_the_old_ones_are_destroyed(home: Path) -> None:
    """All trees, or those that are named; refused as long as something is below."""
    assert said(home, "rotate", "master", "--tree", "dossier") == "new masters: dossier; 2 shard keys wrapped anew"
    assert said(home, "rotate", "master").startswith("new masters: dossier, journal, index, rows, signing; ")
    assert refused(home, "destroy", "dossier/3") == "dossier/3 is primary: rotate first"
    assert said(home, "disable", "dossier/1") == "dossier/1 is disabled"
    assert said(home, "enable", "dossier/1") == "dossier/1 is enabled"
    assert said(home, "destroy", "dossier/1", "index/1") == "destroyed: dossier/1, index/1"
    assert said(home, "destroy", "--replaced", "--tree", "dossier") == "1 replaced keys destroyed: dossier"
    assert said(home, "status").splitlines()[3:6] == [
        "dossier  dossier/1  destroyed  0                 3",
        "dossier  dossier/2  destroyed  0                 3",
        "dossier  dossier/3  primary    2                 3",
    ]
    said(home, "destroy", "--replaced")
    assert key_ids(home) == [(DOSSIER, 1, "dossier/001/1"), (OTHER, 1, "dossier/002/1")]


def test_shards_rotate(home: Path) -> None:
    """Of dossiers and journals; or one shard of one tree."""
    one = said(home, "rotate", "shard", "--tree", "dossier", "--shard", "002")
    assert one == "new shard keys: dossier; 1 keys of dossiers wrapped anew"
    assert key_ids(home) == [(DOSSIER, 1, "dossier/001/1"), (OTHER, 1, "dossier/002/2")]
    assert said(home, "rotate", "shard") == "new shard keys: dossier, journal; 3 keys of dossiers wrapped anew"
    assert key_ids(home) == [(DOSSIER, 1, "dossier/001/2"), (OTHER, 1, "dossier/002/3")]
    assert said(home, "destroy", "dossier/002/1") == "destroyed: dossier/002/1"
    assert refused(home, "rotate", "shard", "--tree", "index").startswith("the key of the index has no successor")


def test_what_was_left_is_wrapped_anew(home: Path) -> None:
    """By a rotation that was interrupted after it had made the keys."""

    async def interrupted(parts: Parts) -> None:
        await parts.key_service.rotate(Tree.DOSSIER)

    within(home, interrupted)
    assert refused(home, "destroy", "dossier/1") == ("2 shard keys are still under dossier/1: `dmp keys rewrap` first")
    assert said(home, "rewrap", "--tree", "dossier") == (
        "2 wrapped or authenticated anew; nothing is under a key that was replaced"
    )
    assert said(home, "rewrap").startswith("0 wrapped or authenticated anew")
    assert said(home, "destroy", "dossier/1") == "destroyed: dossier/1"


def test_rows_and_signing_keys_rotate(home: Path) -> None:
    """What the old ones signed still verifies."""
    assert said(home, "rotate", "rows") == "new key of rows; 0 rows authenticated anew"
    before = run("journal", "key", home=home).output.splitlines()
    assert said(home, "rotate", "signing") == "new signing key: the journal's next checkpoint is signed with it"
    after = run("journal", "key", home=home).output.splitlines()
    assert (len(after), after[1:]) == (2, before)


def test_dossiers_get_other_keys(home: Path) -> None:
    """Those that are named, or all."""
    assert said(home, "rotate", "dossier", str(OTHER)) == "1 dossiers have other keys"
    assert said(home, "rotate", "dossier", str(OTHER), str(WITHOUT)) == "1 dossiers have other keys; 1 have none"
    assert said(home, "rotate", "dossier", "--all") == "2 dossiers have other keys"
    assert said(home, "rotate", "dossier", "--all", "--after", str(DOSSIER)) == "1 dossiers have other keys"
    assert [version for _, version, _ in key_ids(home)] == [2, 5]


def test_whoever_is_interrupted_is_told_where_to_go_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last dossier that has another key."""

    async def interrupted(_: KeyChanges, after: UUID | None, reached: Callable[[UUID], None]) -> None:
        reached(DOSSIER)
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyChanges, "rotate_all_dossiers", interrupted)
    result = run("keys", "rotate", "dossier", "--all", home=home)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (1, f"go on with --after {DOSSIER}")


def test_what_does_not_open_is_counted_and_fails_the_command(home: Path) -> None:
    """After everything else was done."""

    async def spoil(parts: Parts) -> None:
        async with parts.database.begin() as connection:
            one = update(dossier_key).where(dossier_key.c.dossier == DOSSIER)
            await connection.execute(one.values(wrapped=b"nothing"))

    within(home, spoil)
    broken = "1 done; 1 do not open, and were left as they are"
    assert refused(home, "rotate", "shard", "--tree", "dossier") == broken
    assert refused(home, "destroy", "dossier/001/1") == (
        "1 keys of dossiers are still under dossier/001/1: `dmp keys rewrap` first"
    )


def test_progress_is_told_on_standard_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each part; more of them where it takes long; a bar on a terminal."""
    monkeypatch.setattr(rotating, "_LINE_SECONDS", 0.0)
    lines = run("keys", "rotate", "shard", "--tree", "dossier", home=home).stderr.splitlines()
    assert [line.partition(" in ")[0] for line in lines] == [
        "dossier: new shard keys: 2 of 2",
        "dossier: new shard keys: 2",
        "dossier: keys of dossiers: 2 of 2",
        "dossier: keys of dossiers: 2",
    ]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("keys", "rotate", "shard", "--tree", "dossier", home=home).exit_code == 0


@pytest.mark.parametrize(
    "words, why",
    [
        (("rotate", "shard", "--shard", "1000"), "a shard is three hexadecimal digits, such as 0a1"),
        (("rotate", "shard", "--shard", "xyz"), "a shard is three hexadecimal digits, such as 0a1"),
        (("rotate", "shard", "--tree", "rows"), "`dmp keys rotate rows` does that"),
        (("rotate", "dossier"), "which dossiers? Name them, or say --all"),
        (("rotate", "dossier", "--all", str(DOSSIER)), "which dossiers? Name them, or say --all"),
        (("rotate", "dossier", str(DOSSIER), "--after", str(DOSSIER)), "--after goes with --all"),
        (("rotate", "dossier", "x"), "Error: Invalid value for '[DOSSIER]...'"),
        (("rotate", "master", "--tree", "x"), "Error: Invalid value for '--tree'"),
        (("destroy",), "which keys? Name them, or say --replaced"),
        (("destroy", "rows/1", "--replaced"), "which keys? Name them, or say --replaced"),
        (("destroy", "rows/1", "--tree", "rows"), "--tree goes with --replaced"),
    ],
)
def test_what_is_asked_wrongly_is_refused(home: Path, words: tuple[str, ...], why: str) -> None:
    """With what is right."""
    assert why in misused(home, *words)


def test_what_is_no_key_is_refused(home: Path) -> None:
    """By saying how keys are named."""
    assert refused(home, "destroy", "key").startswith("a key is named like dossier/1, a master, or dossier/0a1/3")


def test_every_act_is_written_down_before(home: Path) -> None:
    """Who replaced which key, and when; where entries of no dossier stand."""
    said(home, "rotate", "master", "--tree", "rows")
    said(home, "rotate", "shard", "--tree", "dossier", "--shard", "001", "--shard", "00a")
    said(home, "rotate", "dossier", str(OTHER))
    refused(home, "destroy", "rows/2")

    async def read(parts: Parts) -> Any:
        ever = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        lines = [line async for line in by_dossier(parts.database, parts.journal_keys, NO_DOSSIER, *ever)]
        return [line.entry for line in lines if line.entry is not None]

    told = [
        (entry.action, f"{entry.resource.type}/{entry.resource.id}", dict(entry.change or {}))
        for entry in within(home, read)
    ]
    assert told == [
        ("keys:rotate", "key/rows", {"what": "master"}),
        ("keys:rotate", "key/dossier", {"what": "shard", "shards": "001 00a"}),
        ("keys:rotate", f"dossier/{OTHER}", {"what": "dossier"}),
        ("keys:destroy", "key/rows/2", {}),
    ]


def test_whatever_is_sealed_under_a_dossiers_key_is_known_to_its_rotation() -> None:
    """By what the tables say of their columns; what of a document or a dossier is sealed, the rotation knows itself."""
    sealed = {
        column
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if "under the dossier's" in (comment := (column.comment or "").lower()) and "journal key" not in comment
    }
    content = tables.content.c
    known = {tables.dossier.c.ins_sealed, content.data_key, content.sha256, content.title_sealed}
    others = {each.column for each in SEALED_COLUMNS} - {tables.idempotency.c.answer}
    assert {str(each) for each in sealed - known} == {str(each) for each in others}
