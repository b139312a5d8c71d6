"""From a policy folder to a bundle; from a bundle to rules, or to a folder that reviewers can look into."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from policy.bundles.form import FOLDERS, NEEDED_FILES, OTHER_FILES, Bundle, is_file, parse
from policy.errors import BundleError, PolicyFileError
from policy.loader import load
from policy.ruleset import RuleSet
from policy.text import DISK, Texts, read_lines


def pack(folder: Path, *, version: int, author: str, created: date) -> Bundle:
    """The bundle of a folder, without signatures. Raises PolicyFileError where the loader does, and BundleError.

    Laws, cases and sources travel with the rules, so that reviewers get what was reviewed; whatever else stands beside
    them does not.
    """
    files: dict[str, str] = {}
    for file in _files(folder):
        read_lines(file)  # refuses what is no text
        files[file.relative_to(folder).as_posix()] = file.read_bytes().decode()
    rules = load(Path(), Texts(files))
    return parse(Bundle(author=author, created=created, files=files, revision=rules.revision, version=version).encode())


def _files(folder: Path) -> Iterator[Path]:
    for name in (*NEEDED_FILES, *OTHER_FILES):
        if (folder / name).exists():
            yield folder / name
    for name in FOLDERS:
        for file in DISK.files(folder / name) if (folder / name).is_dir() else ():
            if not is_file(f"{name}/{file.name}"):
                raise PolicyFileError(file, None, "is not a .csv file, and nothing else may stand there in a bundle")
            yield file


def open_rules(bundle: Bundle) -> RuleSet:
    """The rules of a bundle, read in memory. Raises PolicyFileError, with the file as the bundle names it.

    Raises BundleError if they are not of the revision that the bundle declares.
    """
    source = Texts(bundle.files)
    for name in bundle.files:
        read_lines(Path(name), source)
    rules = load(Path(), source)
    if rules.revision != bundle.revision:
        raise BundleError("revision", "the revision that the bundle declares is not that of its rules")
    return rules


def unpack(bundle: Bundle, folder: Path) -> None:
    """Write its files into a folder that is new or empty. Raises PolicyFileError if it is neither, and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise PolicyFileError(folder, None, "is not empty, and a bundle is unpacked alone")
    for name, text in bundle.files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
