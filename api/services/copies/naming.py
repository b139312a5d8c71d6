"""Names of files that a person recognizes and that every file system takes.

A title is written by whoever deposited the document, and may be anything: nothing of it may lead out of its folder,
hide what a file is, or overwrite another one.
"""

import re
import unicodedata

_EXTENSIONS = {
    "application/dicom": "dcm",
    "application/fhir+json": "json",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/plain": "txt",
    "text/xml": "xml",
}
_OTHER_EXTENSION = "bin"
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
"""Devices of Windows, whatever their extension."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that show nothing, or turn the direction of what follows and so show another extension."""

_MOST_CHARACTERS = 80
_MOST_BYTES = 160
"""With folder, number and extension, well below the 255 bytes and the 260 characters of file systems."""

_UNNAMED = "document"


class Names:
    """The names given so far in one copy; the same documents in the same order get the same names."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, space: str, title: str, content_type: str) -> str:
        """The path of a document with this title: no other has it, whatever a file system holds to be the same."""
        extension = _EXTENSIONS.get(content_type, _OTHER_EXTENSION)
        stem, number = _stem(title, extension), 1
        path = f"documents/{space}/{stem}.{extension}"
        while _folded(path) in self._taken:
            number += 1
            path = f"documents/{space}/{stem} ({number}).{extension}"
        self._taken.add(_folded(path))
        return path


def _stem(title: str, extension: str) -> str:
    """A title as the name of a file, without its extension if it brings it."""
    visible = "".join(" " if each.isspace() else each for each in title)
    visible = "".join(each for each in visible if unicodedata.category(each) not in _INVISIBLE)
    words = " ".join(unicodedata.normalize("NFC", _FORBIDDEN.sub("-", visible)).split())
    if words.lower().endswith(f".{extension}"):
        words = words[: -len(extension) - 1]
    stem = _bounded(words.strip(". ")).rstrip(". ")
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return stem or _UNNAMED


def _bounded(words: str) -> str:
    return words[:_MOST_CHARACTERS].encode()[:_MOST_BYTES].decode(errors="ignore")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFKC", path.casefold())
