"""A guide is held to what it shows: its commands are typed in order, its edits are made, what it shows is compared."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from api.cli.running import environment

BASH = shutil.which("bash") or ""
_BLOCK = re.compile(r"^```(console|diff [^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"^```(?:python|javascript) ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "<the next command>"
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True)
class Desk:
    """A reader's folder and shell."""

    folder: Path
    variables: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path, home: Path, **variables: str) -> "Desk":
        """With `dmp` in the path, and that home."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return cls(folder, environment(home) | {"PATH": path} | variables)

    def type(self, command: str) -> str:
        """What a command prints, errors included."""
        return subprocess.run(  # noqa: S603 - the guides' own commands
            [BASH, "-c", command],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout

    def edit(self, file: str, lines: list[str]) -> None:
        """Carry out a change: what is taken out stands there as it is shown; without that, lines are added below."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        out = "".join(f"{line[1:]}\n" for line in lines if line.startswith("-"))
        new = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
        assert text.count(out) == 1 or not out, (file, out)
        path.write_text(text.replace(out, new) if out else text + new, encoding="utf-8")

    def follow_in_one_shell(self, guide: str) -> int:
        """The same of commands alone: what one sets is there for the next, and programs are files."""
        for name, program in _PROGRAM.findall(guide):
            (self.folder / name).write_text(program, encoding="utf-8")
        commands = [pair for kind, body in _BLOCK.findall(guide) if kind == "console" for pair in _commands(body)]
        printed = self.type(f"printf '{_MARK}'\n".join(f"{command}\n" for command, _ in commands)).split(_MARK)
        for (command, expected), told in zip(commands, printed, strict=True):
            ended = told if told.endswith("\n") or not told else f"{told}\n"
            assert _shown(expected).fullmatch(ended), f"$ {command}\n{told}"
        return len(commands)

    def follow(self, guide: str) -> int:
        """Do all that a guide shows, and hold what is printed to what is shown; how many commands that were."""
        typed = 0
        for kind, body in _BLOCK.findall(guide):
            if kind != "console":
                self.edit(kind.removeprefix("diff "), body.splitlines())
                continue
            for command, expected in _commands(body):
                printed = self.type(command)
                assert _shown(expected).fullmatch(printed), f"$ {command}\n{printed}"
                typed += 1
        return typed


def _commands(body: str) -> Iterator[tuple[str, str]]:
    for part in _PROMPT.split(body)[1:]:
        lines = part.splitlines(keepends=True)
        end = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\\n"))
        yield "".join(lines[:end]).removesuffix("\n"), "".join(lines[end:])


def _shown(expected: str) -> re.Pattern[str]:
    """What is shown, where `…` stands for anything in a line, and for any lines where it is alone."""
    lines = (
        "(?:.*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*')}\n" for line in expected.splitlines()
    )
    return re.compile("".join(lines))
