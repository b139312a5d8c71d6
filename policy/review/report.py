"""What every review gives back: a verdict, lines for people, the same for machines."""

from collections.abc import Iterator
from typing import Any, Protocol


class Report(Protocol):
    """What a command of the reviewers shows."""

    @property
    def passed(self) -> bool:
        """Whether nothing needs the reviewer's hand."""
        ...

    def lines(self) -> Iterator[str]:
        """The report as people read it."""
        ...

    def data(self) -> dict[str, Any]:
        """The same as JSON takes it, with names that stay."""
        ...
