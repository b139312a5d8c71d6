"""Reviewers with their keys, bundles that they sign, and what somebody may do to a bundle on its way."""

import json
from base64 import b64encode
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policy.bundles.form import Bundle
from policy.bundles.packing import pack
from policy.bundles.signing import ReviewerKey, Trust, sign
from policy.loader import PACKAGED, load
from policy.text import Texts

AUTHOR, LEGAL, SECURITY, MEDICAL = "drafter.author", "legal.office", "security", "medical-2"
CREATED = date(2026, 11, 26)


def key_of(name: str) -> ReviewerKey:
    """The same key for the same name, so that a failing test fails again."""
    return ReviewerKey(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


TRUST = Trust({key_of(name).public: name for name in (AUTHOR, LEGAL, SECURITY, MEDICAL)})


@cache
def packaged() -> Bundle:
    """The packaged policy, packed."""
    return pack(PACKAGED, version=2, author=AUTHOR, created=CREATED)


def unsigned(version: int = 2) -> Bundle:
    """The same of any version."""
    return msgspec.structs.replace(packaged(), version=version)


def signed(*reviewers: str, version: int = 2, bundle: Bundle | None = None) -> Bundle:
    """Signed by these, Legal and Security unless said otherwise."""
    result = bundle or unsigned(version)
    for reviewer in reviewers or (LEGAL, SECURITY):
        result = sign(result, key_of(reviewer), reviewer)
    return result


def forced(bundle: Bundle, name: str, key: ReviewerKey) -> Bundle:
    """Signed by whatever means, as `sign` would not do it."""
    made = b64encode(key.private.sign(bundle.signed_bytes())).decode()
    more = msgspec.convert({"key": key.public, "reviewer": name, "signature": made}, type(signed().signatures[0]))
    return msgspec.structs.replace(bundle, signatures=(*bundle.signatures, more))


def rewritten(bundle: Bundle, **members: Any) -> bytes:
    """The file with other members, in canonical form; None takes one out."""
    told = {**json.loads(bundle.encode()), **members}
    left = {name: value for name, value in told.items() if value is not None}
    return canonical(left)


def canonical(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def changed_folder(folder: Path, row: str, by: str) -> Path:
    """A policy folder in which a row of some chapter is another."""
    (file,) = (file for file in (folder / "rules").iterdir() if row in file.read_text(encoding="utf-8"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(row, by), encoding="utf-8")
    return folder


GRANTED = "p, granted, professional, of_care, normal & granted, allow\n"
STRICTER = "p, granted, professional, of_care, normal & granted & patient_present, allow\n"


def stricter(version: int = 2) -> Bundle:
    """Under these rules a consent counts only while the patient is present."""
    return msgspec.structs.replace(_stricter(), version=version)


@cache
def _stricter() -> Bundle:
    files = {name: text.replace(GRANTED, STRICTER) for name, text in packaged().files.items()}
    revision = load(Path(), Texts(files)).revision
    assert revision != packaged().revision
    return msgspec.structs.replace(packaged(), files=files, revision=revision)


def trust_file(folder: Path, trust: Trust = TRUST) -> Path:
    """The same as a file."""
    file = folder / "trust.csv"
    rows = "".join(f"{reviewer},{key}\n" for key, reviewer in trust.reviewers.items())
    file.write_text(f"reviewer,key\n{rows}", encoding="utf-8")
    return file
