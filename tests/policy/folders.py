"""Policy folders to be changed: copies of the packaged one."""

import shutil
from collections.abc import Callable
from pathlib import Path

from policy.loader import PACKAGED


def copy_of_the_policy(folder: Path) -> Path:
    """The packaged policy, copied into this folder."""
    for name in ("model.conf", "reasons.csv", "habilitations.csv", "sources.csv"):
        shutil.copyfile(PACKAGED / name, folder / name)
    shutil.copytree(PACKAGED / "rules", folder / "rules")
    return folder


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    """Change a file's text, which must really change."""
    before = file.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    file.write_text(after, encoding="utf-8")
