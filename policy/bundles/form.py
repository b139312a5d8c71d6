"""The form of a policy bundle: one JSON file, of which there is one spelling only.

Members are sorted, without spaces, in UTF-8 (RFC 8785), so that what reviewers sign are bytes which anyone can make
again; any other spelling, any other member and any file that would not be read are refused.
"""

import re
from collections.abc import Mapping
from datetime import date

import msgspec

from policy.errors import BundleError

FORMAT = "dmp-authz/policy-bundle@v1"
MAX_SIZE = 4 * 1024 * 1024
"""In bytes; the packaged policy takes some 100,000."""

NEEDED_FILES = ("habilitations.csv", "model.conf", "reasons.csv")
OTHER_FILES = ("sources.csv",)
FOLDERS = ("rules", "laws", "cases")

_FILE = re.compile(r"(rules|laws|cases)/[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.csv")
_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_LONGEST_NAME = 64
_REVISION = re.compile(r"[0-9a-f]{64}")
_LATEST_VERSION = 2**53 - 1  # beyond, JSON's numbers are not exact everywhere
_MOST_SIGNATURES = 32


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who says to have signed, the raw public key and the signature, both in base64."""

    key: str
    reviewer: str
    signature: str


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What reviewers sign: everything but their signatures. `files` holds the text of each file by its name."""

    author: str
    created: date
    files: Mapping[str, str]
    format: str = FORMAT
    revision: str
    version: int


class Bundle(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A statement, and whatever signatures stand under it: none of them is believed by being there."""

    signatures: tuple[Signature, ...] = ()

    def signed_bytes(self) -> bytes:
        """What a signature is made over: the format's name keeps it apart from whatever else a key may sign."""
        statement = Statement(
            author=self.author,
            created=self.created,
            files=self.files,
            format=self.format,
            revision=self.revision,
            version=self.version,
        )
        return FORMAT.encode() + b"\n" + _encode(statement)

    def encode(self) -> bytes:
        """The file."""
        return _encode(self)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Bundle).decode


def parse(data: bytes) -> Bundle:
    """The bundle that a file is, signed or not. Raises BundleError."""
    if len(data) > MAX_SIZE:
        raise BundleError("too-large", f"the bundle is larger than {MAX_SIZE} bytes")
    try:
        bundle = _decode(data)
    except (ValueError, RecursionError):
        raise BundleError("malformed", "this is no policy bundle, or not the whole of one, or one with more") from None
    if bundle.format != FORMAT:
        raise BundleError("format", f"the bundle is of another format than {FORMAT}")
    check(bundle)
    if bundle.encode() != data:
        raise BundleError("not-canonical", "the bundle is not written as it must be: sorted, without spaces, once each")
    return bundle


def check(bundle: Bundle) -> None:
    """Hold that every member is within its bounds. Raises BundleError."""
    if not 1 <= bundle.version <= _LATEST_VERSION:
        raise BundleError("malformed", f"the version of a bundle is a number from 1 to {_LATEST_VERSION}")
    if not _REVISION.fullmatch(bundle.revision):
        raise BundleError("malformed", "the revision of a bundle is 64 hexadecimal digits")
    if len(bundle.signatures) > _MOST_SIGNATURES:
        raise BundleError("malformed", f"the bundle has more than {_MOST_SIGNATURES} signatures")
    for name in (bundle.author, *(signature.reviewer for signature in bundle.signatures)):
        if not is_name(name):
            raise BundleError("malformed", f"the bundle names somebody otherwise than by {NAMES}")
    for name in NEEDED_FILES:
        if name not in bundle.files:
            raise BundleError("files", f"the bundle lacks the file {name}")
    for name in bundle.files:
        if not is_file(name):
            raise BundleError("files", "the bundle has a file that no policy folder has")


NAMES = "lower-case letters and digits, joined by single hyphens or dots"


def is_name(name: str) -> bool:
    """Whether somebody may be called so: few characters, so that two names that look alike are the same."""
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def is_file(name: str) -> bool:
    """Whether a policy folder has a file of this name; none leads out of its folder."""
    return name in NEEDED_FILES or name in OTHER_FILES or _FILE.fullmatch(name) is not None
