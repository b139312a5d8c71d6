"""From a change of rules to its publication, by the commands for bundles, as reviewers type them."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.main import dmp
from policy.bundles.form import MAX_SIZE, parse
from policy.bundles.signing import ReviewerKey
from policy.loader import load
from tests.api.cli.shell import run
from tests.policy.bundles.reviewers import GRANTED, STRICTER, changed_folder, stricter
from tests.policy.folders import copy_of_the_policy

AUTHOR, LEGAL, SECURITY = "drafter.author", "legal.office", "security"
TODAY = "2026-11-26"


class Desk:
    """A folder in which somebody works, with a changed policy, two reviewers' keys and a trust file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy"
        self.policy.mkdir()
        changed_folder(copy_of_the_policy(self.policy), GRANTED, STRICTER)
        rows = [self.key(name) for name in (AUTHOR, LEGAL, SECURITY)]
        self.trust = folder / "trust.csv"
        self.trust.write_text("reviewer,key\n" + "".join(rows))
        self.bundle = folder / "v2.bundle"

    def key(self, name: str) -> str:
        """The row that is printed; the private key is left as it is."""
        made = run("policy", "reviewer", name, "--key", str(self.folder / name), "--no-passphrase")
        assert made.exit_code == 0, made.output
        return made.output

    def pack(self, *more: str, version: str = "2") -> Result:
        words = ("policy", "bundle", str(self.policy), "--version", version, "--author", AUTHOR, "--created", TODAY)
        return run(*words, "--output", str(self.bundle), *more)

    def sign(self, reviewer: str, *more: str, key: str | None = None, **options: Any) -> Result:
        words = ("policy", "sign", str(self.bundle), "--key", str(self.folder / (key or reviewer)))
        return CliRunner().invoke(dmp, [*words, "--reviewer", reviewer, *more], **options)

    def verify(self, *more: str) -> Result:
        return run("policy", "verify", str(self.bundle), "--trust", str(self.trust), *more)

    def signed(self, *reviewers: str, version: str = "2") -> Path:
        """A bundle that these have signed."""
        self.bundle.unlink(missing_ok=True)
        for result in (self.pack(version=version), *(self.sign(each) for each in reviewers)):
            assert result.exit_code == 0, result.output
        return self.bundle


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One desk for all: making keys and policies takes time."""
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def desk(shared: Desk) -> Iterator[Desk]:
    """The desk without a bundle."""
    yield shared
    shared.bundle.unlink(missing_ok=True)


def refusal(result: Result) -> str:
    """The one sentence that is shown."""
    assert result.exit_code != 0
    return str(result.exception) if not isinstance(result.exception, SystemExit) else result.output.splitlines()[-1]


def test_from_a_changed_folder_to_a_bundle_that_is_accepted(desk: Desk) -> None:
    """Packed, signed by two, verified."""
    packed = desk.pack()
    revision, files = load(desk.policy).revision, len(parse(desk.bundle.read_bytes()).files)
    assert packed.output == f"version 2, revision {revision}, {files} files\n"
    assert desk.verify().exit_code == 1
    for name in (LEGAL, SECURITY):
        assert desk.sign(name).output == f"signed by {name}: version 2, revision {revision}\n"
    verified = desk.verify()
    assert (verified.exit_code, verified.output.splitlines()) == (
        0,
        [
            f"version 2, by {AUTHOR}, {TODAY}",
            f"revision {revision}",
            f"signature of {LEGAL} counts",
            f"signature of {SECURITY} counts",
            "accepted",
        ],
    )
    assert parse(desk.bundle.read_bytes()).revision == stricter().revision


def test_each_command_says_the_same_to_machines(desk: Desk, tmp_path: Path) -> None:
    """With names that stay."""
    revision = load(desk.policy).revision
    packed = json.loads(desk.pack("--json").output)
    assert (packed["version"], packed["revision"], "model.conf" in packed["files"]) == (2, revision, True)
    assert json.loads(desk.sign(LEGAL, "--json").output) == {"version": 2, "revision": revision, "reviewer": LEGAL}
    desk.sign(SECURITY)
    assert json.loads(desk.verify("--json").output)["accepted"] is True
    unpacked = json.loads(run("policy", "unpack", str(desk.bundle), str(tmp_path / "out"), "--json").output)
    assert unpacked == packed
    made = json.loads(run("policy", "reviewer", "x", "--key", str(tmp_path / "x"), "--no-passphrase", "--json").output)
    key = ReviewerKey.decode((tmp_path / "x").read_bytes(), None)
    assert made == {"reviewer": "x", "key": key.public}


def test_a_bundle_is_unpacked_for_the_other_commands(desk: Desk, tmp_path: Path) -> None:
    """A reviewer looks at what he is asked to sign."""
    desk.pack()
    out = run("policy", "unpack", str(desk.bundle), str(tmp_path / "out"))
    assert out.output.startswith(f"version 2 by {AUTHOR}, revision {load(desk.policy).revision}, ")
    assert load(tmp_path / "out").revision == load(desk.policy).revision
    again = run("policy", "unpack", str(desk.bundle), str(tmp_path / "out"))
    assert refusal(again) == f"{tmp_path / 'out'}: is not empty, and a bundle is unpacked alone"


def test_todays_date_is_the_default(desk: Desk) -> None:
    """The bundle says when it was made."""
    words = ("policy", "bundle", str(desk.policy), "--version", "2", "--author", AUTHOR, "--output", str(desk.bundle))
    assert run(*words).exit_code == 0
    assert parse(desk.bundle.read_bytes()).created.year >= 2026


class TestKeys:
    """Private keys stay with their reviewer."""

    def test_a_private_key_is_for_its_owner(self, desk: Desk) -> None:
        """And never overwritten."""
        file = desk.folder / LEGAL
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        again = run("policy", "reviewer", LEGAL, "--key", str(file), "--no-passphrase")
        assert refusal(again) == f"there is a file already, and keys are never overwritten: {file}"

    def test_a_passphrase_is_asked_for_unless_it_is_told_otherwise(self, desk: Desk, tmp_path: Path) -> None:
        """Twice when it is made, once when it is used; it is not shown."""
        key = tmp_path / "key"
        made = CliRunner().invoke(dmp, ["policy", "reviewer", LEGAL, "--key", str(key)], input="hush\nhush\n")
        assert made.exit_code == 0
        assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        desk.pack()
        signed = desk.sign(LEGAL, key=str(key), input="hush\n")
        assert signed.exit_code == 0
        assert "hush" not in made.output + signed.output
        assert refusal(desk.sign(SECURITY, key=str(key), input="wrong\n")).startswith("this is no private key")

    def test_a_passphrase_may_stand_in_a_file(self, desk: Desk, tmp_path: Path) -> None:
        """For scripts."""
        key, passphrase = tmp_path / "key", tmp_path / "passphrase"
        passphrase.write_text("hush\n")
        options = ("--passphrase-file", str(passphrase))
        made = run("policy", "reviewer", LEGAL, "--key", str(key), *options)
        assert made.exit_code == 0
        desk.pack()
        assert desk.sign(LEGAL, *options, key=str(key)).exit_code == 0
        both = run("policy", "reviewer", LEGAL, "--key", str(tmp_path / "k"), "--no-passphrase", *options)
        assert refusal(both) == "Error: --passphrase-file and --no-passphrase exclude each other"

    def test_a_name_has_one_spelling(self, tmp_path: Path) -> None:
        """So that nobody is two by an accent or a capital."""
        made = run("policy", "reviewer", "Legal", "--key", str(tmp_path / "key"), "--no-passphrase")
        expected = "the name of a reviewer is lower-case letters and digits, joined by single hyphens or dots"
        assert (refusal(made), list(tmp_path.iterdir())) == (expected, [])


class TestRefusals:
    """In one sentence, and nothing is written."""

    def test_what_the_loader_refuses_is_not_packed(self, desk: Desk) -> None:
        """With file and line."""
        chapter = desk.policy / "rules" / "99-more.csv"
        chapter.write_text("p, masked/x, everyone, document:read, always, deny\n")
        try:
            assert refusal(desk.pack()).startswith("rules/99-more.csv:1: 'everyone' is no known role")
        finally:
            chapter.unlink()
        assert not desk.bundle.exists()

    def test_a_bundle_is_not_overwritten(self, desk: Desk) -> None:
        """It may have been signed."""
        desk.pack()
        assert refusal(desk.pack()) == f"there is a file already: {desk.bundle}"

    @pytest.mark.parametrize(
        "reviewer, key, sentence",
        [
            (AUTHOR, AUTHOR, "drafter.author is the author, whose signature does not count"),
            (LEGAL, LEGAL, "legal.office has signed already"),
            (SECURITY, LEGAL, "this key has signed already, under another name"),
        ],
    )
    def test_a_signature_that_would_not_count_is_not_made(
        self, desk: Desk, reviewer: str, key: str, sentence: str
    ) -> None:
        """The bundle stays as it was."""
        before = desk.signed(LEGAL).read_bytes()
        assert refusal(desk.sign(reviewer, key=key)) == sentence
        assert desk.bundle.read_bytes() == before

    def test_a_bundle_that_is_signed_stays_readable(self, desk: Desk) -> None:
        """By whoever could read it before."""
        desk.pack()
        desk.bundle.chmod(0o640)
        desk.sign(LEGAL)
        assert stat.S_IMODE(desk.bundle.stat().st_mode) == 0o640

    @pytest.mark.parametrize("command", [["sign", "--key", "KEY", "--reviewer", LEGAL], ["unpack", "FOLDER"]])
    def test_what_is_no_bundle_is_neither_signed_nor_unpacked(
        self, desk: Desk, tmp_path: Path, command: list[str]
    ) -> None:
        """Nor is a bundle whose revision is not that of its rules."""
        words = {"KEY": str(desk.folder / LEGAL), "FOLDER": str(tmp_path / "out")}
        name, *options = (words.get(word, word) for word in command)
        data = desk.signed().read_bytes()
        for spoilt, sentence in (
            (data[:-1], "this is no policy bundle, or not the whole of one, or one with more"),
            (bytes(MAX_SIZE + 9), f"the bundle is larger than {MAX_SIZE} bytes"),
            (
                data.replace(load(desk.policy).revision.encode(), b"0" * 64),
                "the revision that the bundle declares is not that of its rules",
            ),
        ):
            desk.bundle.write_bytes(spoilt)
            assert refusal(run("policy", name, str(desk.bundle), *options)) == sentence
        assert not (tmp_path / "out").exists()

    def test_verifying_needs_to_know_whom_to_trust(self, desk: Desk) -> None:
        """By an option or by the setting."""
        file = str(desk.signed(LEGAL, SECURITY))
        assert refusal(run("policy", "verify", file)).startswith("whose signatures count?")
        trusting = CliRunner().invoke(dmp, ["policy", "verify", file], env={"DMP_POLICY_TRUST": str(desk.trust)})
        assert trusting.exit_code == 0

    def test_an_older_version_is_told(self, desk: Desk) -> None:
        """Where the version in force is named."""
        desk.signed(LEGAL, SECURITY)
        assert desk.verify("--not-older-than", "2").exit_code == 0
        assert refusal(desk.verify("--not-older-than", "3")) == "refused: version 2 is older than version 3"


class TestPublishing:
    """Where instances follow."""

    @pytest.fixture
    def settings(self, desk: Desk, migrated_url: str, tmp_path: Path) -> dict[str, str]:
        """A service's, on each database engine in turn."""
        return {
            "DMP_HOME": str(tmp_path),
            "DMP_DATABASE_URL": migrated_url,
            "DMP_VAULT_URL": f"file://{tmp_path / 'vault'}",
            "DMP_POLICY_TRUST": str(desk.trust),
        }

    def publish(self, file: Path, settings: dict[str, str], *more: str) -> Result:
        return CliRunner().invoke(dmp, ["policy", "publish", str(file), *more], env=settings)

    def test_a_signed_bundle_is_published(self, desk: Desk, settings: dict[str, str], tmp_path: Path) -> None:
        """And said to be, with who signed; again, it is there already."""
        file = desk.signed(LEGAL, SECURITY)
        revision = load(desk.policy).revision
        said = f"version 2, revision {revision}, signed by legal.office and security\n"
        assert self.publish(file, settings).output == f"published: {said}"
        assert (tmp_path / "vault" / "policy" / "bundle").read_bytes() == file.read_bytes()
        assert self.publish(file, settings).output == f"published already: {said}"
        told = json.loads(self.publish(desk.signed(LEGAL, SECURITY, version="3"), settings, "--json").output)
        expected = {
            "version": 3,
            "revision": revision,
            "reviewers": [LEGAL, SECURITY],
            "replaced": 2,
            "unchanged": False,
        }
        assert told == expected

    def test_what_instances_would_refuse_is_not_published(self, desk: Desk, settings: dict[str, str]) -> None:
        """Too few signatures, an older version."""
        assert refusal(self.publish(desk.signed(LEGAL), settings)) == "1 of 2 reviewers have signed"
        self.publish(desk.signed(LEGAL, SECURITY, version="3"), settings)
        older = self.publish(desk.signed(LEGAL, SECURITY), settings)
        assert refusal(older) == "version 2 is older than version 3, and versions only grow"

    @pytest.mark.parametrize(
        "name, value, sentence",
        [
            ("DMP_POLICY_TRUST", "", "DMP_POLICY_TRUST names whose signatures count"),
            ("DMP_VAULT_URL", "s3://bucket", "a vault is file:///folder or s3://"),
        ],
    )
    def test_a_setting_that_is_missing_is_named(
        self, desk: Desk, settings: dict[str, str], name: str, value: str, sentence: str
    ) -> None:
        """Before anything is done."""
        assert refusal(self.publish(desk.signed(LEGAL, SECURITY), settings | {name: value})).startswith(sentence)
