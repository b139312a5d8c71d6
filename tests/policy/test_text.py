"""Policy files from memory are read like those of a folder."""

from pathlib import Path

import pytest

from policy.errors import PolicyFileError
from policy.loader import PACKAGED, load
from policy.text import Texts


def packaged() -> dict[str, str]:
    """What the loader reads of the packaged policy."""
    names = ["model.conf", "reasons.csv", "habilitations.csv"]
    files = [*(PACKAGED / name for name in names), *(PACKAGED / "rules").iterdir()]
    return {file.relative_to(PACKAGED).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_texts_in_memory_are_the_same_rule_set() -> None:
    """To the last digit, whatever else is there."""
    assert load(Path(), Texts(packaged() | {"laws/x.csv": "anything"})).revision == load().revision


@pytest.mark.parametrize(
    "name, text, where",
    [
        ("rules/70-care.csv", "p, granted, everybody, anything, always, allow\n", "rules/70-care.csv:1: 'everybody'"),
        ("rules/70-care.csv", "", "rules/70-care.csv: holds nothing"),
        ("rules/70-care.txt", "", "rules/70-care.txt: is not a .csv file"),
        ("model.conf", "[request_definition]\n", "model.conf: ends before"),
        ("reasons.csv", "rule\n", "reasons.csv:1: the header must be"),
        ("habilitations.csv", "profession\n", "habilitations.csv:1: the header must be"),
    ],
)
def test_a_fault_in_memory_is_told_with_file_and_line(name: str, text: str, where: str) -> None:
    """By the name that the file has in its folder."""
    with pytest.raises(PolicyFileError) as refused:
        load(Path(), Texts(packaged() | {name: text}))
    assert str(refused.value).startswith(where)


@pytest.mark.parametrize("name", ["model.conf", "reasons.csv", "habilitations.csv"])
def test_a_text_that_is_missing_is_told(name: str) -> None:
    """As a missing file is."""
    texts = {other: text for other, text in packaged().items() if other != name}
    with pytest.raises(PolicyFileError) as refused:
        load(Path(), Texts(texts))
    assert str(refused.value) == f"{name}: cannot be read: No such file"


def test_without_a_chapter_there_are_no_rules() -> None:
    """A folder that is not there is one that holds nothing."""
    texts = {name: text for name, text in packaged().items() if not name.startswith("rules/")}
    with pytest.raises(PolicyFileError) as refused:
        load(Path(), Texts(texts))
    assert str(refused.value) == "rules: holds no .csv file"
