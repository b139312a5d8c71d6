"""What can go wrong with rules.

PolicyError
├── PolicyFileError     a policy file is not what it must be: nothing is loaded, file and line are told
├── BundleError         a policy bundle is refused: the rules in force stay, why is told by one word and a sentence
├── SituationError      words that make no situation
└── EvaluationError     a situation that could not be judged: it is denied, and said so in the logs

A refusal is none of these: it is a Decision.
"""

from pathlib import Path


class PolicyError(Exception):
    """Something is wrong with rules or with what they are asked about."""


class PolicyFileError(PolicyError):
    """A policy file is not what it must be; the message begins with the file and, where one is at fault, the line."""

    def __init__(self, file: Path, line: int | None, fault: str) -> None:
        where = str(file) if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {fault}")
        self.file = file
        self.line = line
        self.fault = fault


class BundleError(PolicyError):
    """A policy bundle is refused; `reason` is one of a few words, which logs and figures may hold.

    The sentence repeats nothing of a bundle but a name that its form already bounds.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class SituationError(PolicyError):
    """Words that the vocabulary does not hold, or facts that cannot hold together."""


class EvaluationError(PolicyError):
    """A situation that could not be judged; never a reason to give access."""
