"""What may be put in force: what two reviewers signed, who are not the author, and not a letter else."""

from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec
import pytest

from policy.bundles.form import Bundle, Signature
from policy.bundles.signing import Trust
from policy.bundles.verifying import accept, verify
from policy.errors import BundleError
from policy.loader import load
from tests.policy.bundles.reviewers import (
    AUTHOR,
    LEGAL,
    MEDICAL,
    SECURITY,
    TRUST,
    forced,
    key_of,
    rewritten,
    signed,
    unsigned,
)

STRANGER = "stranger"


def refusal(data: bytes, trust: Trust = TRUST) -> tuple[str, list[str | None]]:
    """The word by which it is refused, and what is said of each signature; both ways of asking agree."""
    with pytest.raises(BundleError) as refused:
        accept(data, trust)
    verdict = verify(data, trust)
    assert verdict.passed is False
    assert verdict.refusal is not None
    assert (verdict.refusal.reason, str(verdict.refusal)) == (refused.value.reason, str(refused.value))
    return refused.value.reason, [each.fault for each in verdict.examined]


def swapped(bundle: Bundle, **members: str) -> bytes:
    """The last signature with other members."""
    *others, last = bundle.signatures
    changed = msgspec.structs.replace(last, **members)
    return msgspec.structs.replace(bundle, signatures=(*others, changed)).encode()


def test_two_reviewers_are_enough() -> None:
    """In any order, and any number more."""
    for reviewers in ((LEGAL, SECURITY), (SECURITY, LEGAL), (MEDICAL, LEGAL, SECURITY)):
        accepted = accept(signed(*reviewers).encode(), TRUST)
        assert accepted.reviewers == reviewers
        assert accepted.bundle == signed(*reviewers)
        assert accepted.rules.revision == load().revision


def test_an_unsigned_bundle_is_refused() -> None:
    """Whatever it holds."""
    assert refusal(unsigned().encode()) == ("signatures", [])


def test_a_stripped_signature_is_missed() -> None:
    """One reviewer is not enough."""
    (first, _) = signed().signatures
    stripped = msgspec.structs.replace(signed(), signatures=(first,))
    assert refusal(stripped.encode()) == ("signatures", [None])


def test_a_key_that_is_not_trusted_does_not_count() -> None:
    """Even if it signs well."""
    assert refusal(signed(LEGAL, STRANGER).encode()) == ("signatures", [None, "the key is not trusted"])


def test_the_signature_of_another_key_does_not_count() -> None:
    """Security's key is named, and a stranger's has signed."""
    strangers = forced(signed(LEGAL), SECURITY, key_of(STRANGER))
    wrong = swapped(strangers, key=key_of(SECURITY).public)
    assert refusal(wrong) == ("signatures", [None, "this bundle is not what was signed"])


def test_one_reviewer_counts_once() -> None:
    """With the same key, and with another of his."""
    twice = "legal.office has signed already"
    assert refusal(forced(signed(LEGAL), LEGAL, key_of(LEGAL)).encode()) == ("signatures", [None, twice])
    other = key_of("another key of Legal")
    trust = Trust({**TRUST.reviewers, other.public: LEGAL})
    assert refusal(forced(signed(LEGAL), LEGAL, other).encode(), trust) == ("signatures", [None, twice])


def test_one_key_counts_under_its_own_name_only() -> None:
    """Somebody with one key cannot be two reviewers."""
    fault = "the key is that of legal.office"
    assert refusal(forced(signed(LEGAL), SECURITY, key_of(LEGAL)).encode()) == ("signatures", [None, fault])
    assert refusal(forced(signed(LEGAL), "nobody", key_of(LEGAL)).encode()) == ("signatures", [None, fault])


@pytest.mark.parametrize("name, key", [(AUTHOR, AUTHOR), (SECURITY, AUTHOR), (AUTHOR, SECURITY)])
def test_the_author_does_not_count(name: str, key: str) -> None:
    """Neither under his name, nor under another one with his key, nor another's key under his name."""
    forged = forced(signed(LEGAL), name, key_of(key))
    assert refusal(forged.encode()) == ("signatures", [None, "it is the author's"])


def test_signatures_of_another_version_do_not_count() -> None:
    """They are those of that version."""
    moved = msgspec.structs.replace(unsigned(version=3), signatures=signed(version=2).signatures)
    assert refusal(moved.encode()) == ("signatures", ["this bundle is not what was signed"] * 2)


@pytest.mark.parametrize(
    "member, value",
    [
        ("version", 3),
        ("author", "mallory"),
        ("created", "2026-11-27"),
        ("revision", "0" * 64),
        ("files", {**unsigned().files, "rules/99-more.csv": "p, holder/x, person, document:read, always, allow\n"}),
        ("files", {**unsigned().files, "model.conf": unsigned().files["model.conf"] + "# a comment\n"}),
        ("files", {**unsigned().files, "laws/99-none.csv": "text\n"}),
    ],
)
def test_nothing_can_be_altered(member: str, value: object) -> None:
    """Not a comment, not a law: every signature is then one of something else."""
    altered = rewritten(signed(), **{member: value})
    assert refusal(altered) == ("signatures", ["this bundle is not what was signed"] * 2)


def test_a_file_text_cannot_be_altered() -> None:
    """Each file is in what is signed."""
    for name in signed().files:
        files = {**signed().files, name: signed().files[name] + "# more\n"}
        assert refusal(rewritten(signed(), files=files))[0] == "signatures"


def test_a_file_cannot_be_taken_out() -> None:
    """A refusal that stands in it would be gone."""
    for name in signed().files:
        files = {other: text for other, text in signed().files.items() if other != name}
        assert refusal(rewritten(signed(), files=files))[0] in {"signatures", "files"}


def doubled(text: str) -> str:
    return text + text


def no_base64(text: str) -> str:
    return "%" + text[1:]


def shorter(text: str) -> str:
    return b64encode(b64decode(text)[:-1]).decode()


def other_spelling(text: str) -> str:
    """Base64 whose last character has bits that say nothing."""
    spare = {"A": "B", "Q": "R", "g": "h", "w": "x"}
    return f"{text[:-3]}{spare[text[-3]]}=="


@pytest.mark.parametrize("spoil", [doubled, no_base64, shorter, other_spelling, str.lower])
def test_a_spoilt_signature_does_not_count(spoil: Callable[[str], str]) -> None:
    """Nor does it stop anything else from being said."""
    spoilt = spoil(signed().signatures[-1].signature)
    fault = "this bundle is not what was signed"
    assert refusal(swapped(signed(), signature=spoilt)) == ("signatures", [None, fault])


def test_a_spoilt_key_in_the_trust_is_nobodys() -> None:
    """Trust files are read strictly; were one not, the signature would not hold."""
    trust = Trust({**TRUST.reviewers, "no key": MEDICAL})
    bundle = msgspec.structs.replace(signed(LEGAL), signatures=(Signature("no key", MEDICAL, "no signature"),))
    assert refusal(bundle.encode(), trust) == ("signatures", ["this bundle is not what was signed"])


def test_what_does_not_count_does_no_harm() -> None:
    """Whoever can write to the store could otherwise refuse what reviewers signed."""
    bundle = forced(forced(signed(LEGAL), STRANGER, key_of(STRANGER)), SECURITY, key_of(SECURITY))
    assert accept(bundle.encode(), TRUST).reviewers == (LEGAL, SECURITY)


def test_rules_that_the_loader_refuses_are_refused_though_signed() -> None:
    """Reviewers can be wrong."""
    files = {**unsigned().files, "rules/99-more.csv": "p, masked/x, everyone, document:read, always, deny\n"}
    bundle = signed(bundle=msgspec.structs.replace(unsigned(), files=files))
    assert refusal(bundle.encode()) == ("rules", [None, None])
    sentence = str(verify(bundle.encode(), TRUST).refusal)
    assert sentence.startswith("the rules are refused: rules/99-more.csv:1: 'everyone' is no known role")


def test_a_wrong_revision_is_refused_though_signed() -> None:
    """What reviewers compared is not what would be in force."""
    bundle = signed(bundle=msgspec.structs.replace(unsigned(), revision="0" * 64))
    assert refusal(bundle.encode()) == ("revision", [None, None])


def test_an_older_version_is_refused_where_one_is_named() -> None:
    """Whoever verifies by hand says what is in force."""
    data = signed(version=2).encode()
    assert verify(data, TRUST, not_older_than=2).passed is True
    verdict = verify(data, TRUST, not_older_than=3)
    assert (verdict.refusal and verdict.refusal.reason, verdict.passed) == ("rolled-back", False)


def test_a_verdict_is_told_to_people() -> None:
    """What it is, who signed, whether it may be put in force."""
    bundle = forced(signed(LEGAL), SECURITY, key_of(STRANGER))
    assert list(verify(bundle.encode(), TRUST).lines()) == [
        "version 2, by drafter.author, 2026-11-26",
        f"revision {load().revision}",
        "signature of legal.office counts",
        "signature of security does not count: the key is not trusted",
        "refused: 1 of 2 reviewers have signed",
    ]
    assert list(verify(signed().encode(), TRUST).lines())[-1] == "accepted"
    assert list(verify(b"", TRUST).lines()) == [
        "refused: this is no policy bundle, or not the whole of one, or one with more"
    ]


def test_a_verdict_is_told_to_machines() -> None:
    """The same, under names that stay."""
    told = verify(signed().encode(), TRUST).data()
    assert (told["accepted"], told["reason"], told["sentence"]) == (True, None, None)
    assert told["bundle"] == {
        "version": 2,
        "author": AUTHOR,
        "created": "2026-11-26",
        "revision": load().revision,
        "files": sorted(unsigned().files),
    }
    assert told["signatures"] == [
        {"reviewer": name, "key": key_of(name).public, "fault": None} for name in (LEGAL, SECURITY)
    ]
    refused = verify(b"", TRUST).data()
    assert (refused["accepted"], refused["reason"], refused["bundle"], refused["signatures"]) == (
        False,
        "malformed",
        None,
        [],
    )
