"""Between folders and bundles."""

from pathlib import Path

import msgspec
import pytest

from policy.bundles.form import MAX_SIZE
from policy.bundles.packing import open_rules, pack, unpack
from policy.errors import BundleError, PolicyFileError
from policy.loader import PACKAGED, load
from tests.policy.bundles.reviewers import AUTHOR, CREATED, GRANTED, changed_folder, unsigned
from tests.policy.folders import copy_of_the_policy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be changed."""
    (tmp_path / "policy").mkdir()
    return copy_of_the_policy(tmp_path / "policy")


def test_a_bundle_holds_what_the_loader_reads() -> None:
    """And what reviewers read beside it, as it stands; nothing else of the folder."""
    bundle = unsigned()
    assert {"model.conf", "reasons.csv", "habilitations.csv"} < bundle.files.keys()
    names = {f"{part}/{file.name}" for part in ("rules", "laws", "cases") for file in (PACKAGED / part).glob("*.csv")}
    assert names < bundle.files.keys()
    assert [name for name, text in bundle.files.items() if (PACKAGED / name).read_bytes() != text.encode()] == []
    assert [name for name in bundle.files if not name.endswith((".csv", ".conf"))] == []


def test_a_bundle_says_what_it_is() -> None:
    """Its revision is the folder's own."""
    bundle = pack(PACKAGED, version=7, author=AUTHOR, created=CREATED)
    assert (bundle.version, bundle.author, bundle.created) == (7, AUTHOR, CREATED)
    assert bundle.revision == load().revision
    assert bundle.signatures == ()


def test_the_rules_of_a_bundle_are_those_of_its_folder() -> None:
    """Each row with the file and line that the bundle gives it."""
    rules = open_rules(unsigned())
    assert rules.revision == load().revision
    assert {str(rule.file) for rule in rules.rules} == {
        f"rules/{file.name}" for file in (PACKAGED / "rules").iterdir()
    } - {"rules/00-words.csv", "rules/80-obligations.csv"}


def test_a_folder_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """To the byte, in a folder that is made if it is not there."""
    unpack(unsigned(), tmp_path / "new" / "folder")
    assert pack(tmp_path / "new" / "folder", version=2, author=AUTHOR, created=CREATED) == unsigned()


def test_a_bundle_is_unpacked_alone(tmp_path: Path) -> None:
    """A file that stays from before would be reviewed with it."""
    (tmp_path / "rules").mkdir()
    with pytest.raises(PolicyFileError, match="is not empty"):
        unpack(unsigned(), tmp_path)


def test_hidden_files_do_not_travel(folder: Path) -> None:
    """What an editor leaves is not read by the loader either."""
    (folder / "rules" / ".70-care.csv.swp").write_text("p")
    (folder / "laws").mkdir()
    (folder / "laws" / ".hidden").write_text("p")
    bundle = pack(folder, version=1, author=AUTHOR, created=CREATED)
    assert [name for name in bundle.files if "/." in name] == []


@pytest.mark.parametrize("part", ["rules", "laws", "cases"])
def test_a_file_that_would_stay_behind_is_refused(folder: Path, part: str) -> None:
    """Reviewers would not see it."""
    (folder / part).mkdir(exist_ok=True)
    (folder / part / "notes.txt").write_text("text")
    with pytest.raises(PolicyFileError) as refused:
        pack(folder, version=1, author=AUTHOR, created=CREATED)
    assert refused.value.file == folder / part / "notes.txt"


def test_what_the_loader_refuses_is_not_packed(folder: Path) -> None:
    """With file and line."""
    changed_folder(folder, GRANTED, GRANTED.replace("allow", "alow"))
    with pytest.raises(PolicyFileError, match=r"^rules/70-care\.csv:\d+: 'alow' is no known effect"):
        pack(folder, version=1, author=AUTHOR, created=CREATED)


def test_a_file_that_is_missing_is_told(folder: Path) -> None:
    """As the loader does."""
    (folder / "reasons.csv").unlink()
    with pytest.raises(PolicyFileError, match=r"^reasons\.csv: cannot be read"):
        pack(folder, version=1, author=AUTHOR, created=CREATED)


def test_what_is_no_text_is_not_packed(folder: Path) -> None:
    """Nor among the laws, which the loader of rules does not read."""
    (folder / "laws").mkdir()
    (folder / "laws" / "10.csv").write_bytes(b"\xff")
    with pytest.raises(PolicyFileError, match="is not UTF-8 text"):
        pack(folder, version=1, author=AUTHOR, created=CREATED)


def test_what_does_not_print_is_not_opened() -> None:
    """A terminal would obey it, wherever it stands."""
    bundle = msgspec.structs.replace(unsigned(), files={**unsigned().files, "laws/x.csv": "\x1b[2J"})
    with pytest.raises(PolicyFileError, match=r"^laws/x\.csv:1: holds a character that does not print"):
        open_rules(bundle)


def test_a_bundle_of_another_revision_than_its_rules_is_not_opened() -> None:
    """Whoever compares revisions compares rules."""
    with pytest.raises(BundleError) as refused:
        open_rules(msgspec.structs.replace(unsigned(), revision="0" * 64))
    assert refused.value.reason == "revision"


@pytest.mark.parametrize("version, author, reason", [(0, AUTHOR, "malformed"), (1, "Paul", "malformed")])
def test_a_bundle_that_nobody_would_take_is_not_made(version: int, author: str, reason: str) -> None:
    """It is checked as it will be read."""
    with pytest.raises(BundleError) as refused:
        pack(PACKAGED, version=version, author=author, created=CREATED)
    assert refused.value.reason == reason


def test_a_folder_that_is_too_large_is_not_packed(folder: Path) -> None:
    """Nor would be taken."""
    (folder / "cases").mkdir()
    (folder / "cases" / "large.csv").write_text("a line of text\n" * (MAX_SIZE // 15))
    with pytest.raises(BundleError) as refused:
        pack(folder, version=1, author=AUTHOR, created=CREATED)
    assert refused.value.reason == "too-large"
