"""Whether a bundle may be put in force: four eyes beside the author's.

The author's signature does not count, nor does one by a key that is not trusted, under a name that is not the key's, or
by somebody who has signed already. What does not count does no harm: a bundle is refused for what it lacks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policy.bundles.form import Bundle, Signature, parse
from policy.bundles.packing import open_rules
from policy.bundles.signing import Trust, holds
from policy.errors import BundleError, PolicyFileError
from policy.ruleset import RuleSet

NEEDED = 2
"""How many different reviewers sign, none of them the author."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A signature, and why it does not count, if it does not."""

    signature: Signature
    fault: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A bundle that enough reviewers signed, its rules, and who they are."""

    bundle: Bundle
    rules: RuleSet
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found (`policy.review.report.Report`); no bundle if the file is none."""

    bundle: Bundle | None
    examined: tuple[Examined, ...]
    refusal: BundleError | None

    @property
    def passed(self) -> bool:
        return self.refusal is None

    def lines(self) -> Iterator[str]:
        if self.bundle is not None:
            yield f"version {self.bundle.version}, by {self.bundle.author}, {self.bundle.created}"
            yield f"revision {self.bundle.revision}"
        for each in self.examined:
            what = "counts" if each.fault is None else f"does not count: {each.fault}"
            yield f"signature of {each.signature.reviewer} {what}"
        yield "accepted" if self.refusal is None else f"refused: {self.refusal}"

    def data(self) -> dict[str, Any]:
        bundle = self.bundle
        described = bundle and {
            "version": bundle.version,
            "author": bundle.author,
            "created": bundle.created.isoformat(),
            "revision": bundle.revision,
            "files": sorted(bundle.files),
        }
        return {
            "accepted": self.passed,
            "reason": self.refusal and self.refusal.reason,
            "sentence": self.refusal and str(self.refusal),
            "bundle": described,
            "signatures": [
                {"reviewer": each.signature.reviewer, "key": each.signature.key, "fault": each.fault}
                for each in self.examined
            ],
        }


def verify(data: bytes, trust: Trust, not_older_than: int = 1) -> Verdict:
    """Everything that can be said of a file without knowing what is in force."""
    bundle: Bundle | None = None
    examined: tuple[Examined, ...] = ()
    try:
        bundle = parse(data)
        examined = examine(bundle, trust)
        _accept(bundle, examined)
        if bundle.version < not_older_than:
            raise BundleError("rolled-back", f"version {bundle.version} is older than version {not_older_than}")
    except BundleError as refusal:
        return Verdict(bundle, examined, refusal)
    return Verdict(bundle, examined, None)


def accept(data: bytes, trust: Trust) -> Accepted:
    """The rules of a bundle that may be put in force. Raises BundleError.

    Nothing of its content is looked at before enough signatures hold.
    """
    bundle = parse(data)
    return _accept(bundle, examine(bundle, trust))


def examine(bundle: Bundle, trust: Trust) -> tuple[Examined, ...]:
    """Each signature on its own, in order: of a reviewer's signatures that hold, the first counts."""
    counted: set[str] = set()
    examined: list[Examined] = []
    for signature in bundle.signatures:
        fault = _fault(bundle, signature, trust, counted)
        if fault is None:
            counted.add(signature.reviewer)
        examined.append(Examined(signature, fault))
    return tuple(examined)


def _fault(bundle: Bundle, signature: Signature, trust: Trust, counted: set[str]) -> str | None:
    owner = trust.reviewers.get(signature.key)
    if owner is None:
        return "the key is not trusted"
    if bundle.author in {owner, signature.reviewer}:
        return "it is the author's"
    if owner != signature.reviewer:
        return f"the key is that of {owner}"
    if not holds(bundle, signature):
        return "this bundle is not what was signed"
    if owner in counted:
        return f"{owner} has signed already"
    return None


def _accept(bundle: Bundle, examined: tuple[Examined, ...]) -> Accepted:
    reviewers = tuple(each.signature.reviewer for each in examined if each.fault is None)
    if len(reviewers) < NEEDED:
        raise BundleError("signatures", f"{len(reviewers)} of {NEEDED} reviewers have signed")
    try:
        return Accepted(bundle, open_rules(bundle), reviewers)
    except PolicyFileError as error:
        raise BundleError("rules", f"the rules are refused: {error}") from None
