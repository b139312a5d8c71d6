"""Colours for signs: where standard output is a terminal, and nobody asked for none (NO_COLOR)."""

from collections.abc import Iterable

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.theme import Theme

_RULE = r"( [a-z0-9]+(-[a-z0-9]+)*)?"
_COLOURS = Theme({"matrix.yes": "green", "matrix.partial": "yellow", "matrix.no": "red", "matrix.heading": "bold"})


class _Signs(RegexHighlighter):
    """The signs of answers, with the rule that stands beside one."""

    base_style = "matrix."
    highlights = (f"(?P<yes>✓{_RULE})", r"(?P<partial>◐\d*)", f"(?P<no>✗{_RULE})", r"(?P<heading>^[A-Z]{4,}\b.*)")


def show_coloured(lines: Iterable[str]) -> None:
    """Print lines as they are, but for the colours."""
    console = Console(highlighter=_Signs(), theme=_COLOURS, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(line)
