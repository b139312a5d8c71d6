"""`dmp journal verify --copy`: an unpacked copy of a record, held to its sums and its journal to the signed log.

Neither database nor service is asked. The sums are not signed: they tell what was damaged or exchanged, not what was
forged together with them. The journal is signed, line by line, under a key that comes another way or, for want of it,
with the copy itself.
"""

import hashlib
import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec

from api.cli.verifying import UnreadableError, broken, read_small, verifiers_of
from api.schemas.exports import ExportManifest
from api.services.archive import SUMS
from api.services.copies.trace import CHECKPOINT, JOURNAL, KEY, PROOFS
from api.services.copies.writing import MANIFEST
from vault.errors import ProofError
from vault.journal.checkpoint import Checkpoint, Verifier, open_note
from vault.journal.copied import Copied, hold_copied

_SUM = re.compile(r"([0-9a-f]{64})  ([^\\\x00-\x1f]+)")
_LONGEST_LINE = 64 << 20
_PIECE_SIZE = 1 << 20


@dataclass(slots=True)
class _Checked:
    """What was found so far: what is wrong, and what holds."""

    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def verify_copy(folder: Path, keys: Sequence[str]) -> str:
    """Hold a copy to itself and to the log; says what was verified, and by which key. Raises ProofError."""
    checked = _Checked()
    sums = _sums(folder, checked)
    _hold_files(folder, sums, checked)
    manifest = _manifest(folder, sums, checked)
    if manifest is None or manifest.journal is not None:
        _hold_journal(folder, manifest, keys, checked)
    else:
        checked.said.append("there is no journal in this copy")
    if checked.wrong:
        raise ProofError(broken(checked.wrong))
    return "\n".join(checked.said)


def _sums(folder: Path, checked: _Checked) -> Mapping[str, str]:
    """The digests by name, but for those of names that lead out of the folder."""
    sums: dict[str, str] = {}
    with closing(_lines(folder / SUMS)) as lines:
        for number, line in enumerate(lines, 1):
            found = _SUM.fullmatch(line.decode(errors="replace"))
            path = PurePosixPath(found[2]) if found else None
            if found is None or path is None or path.is_absolute() or ".." in path.parts:
                checked.wrong.append(f"{SUMS}: line {number} is none")
            elif found[2] in sums:
                checked.wrong.append(f"{SUMS}: line {number} names {found[2]} again")
            else:
                sums[found[2]] = found[1]
    return sums


def _hold_files(folder: Path, sums: Mapping[str, str], checked: _Checked) -> None:
    known = {unicodedata.normalize("NFC", name) for name in sums}
    for name, digest in sums.items():
        file = folder / name
        if not file.is_file():
            checked.wrong.append(f"{name} is missing")
        elif _digest(file) != digest:
            checked.wrong.append(f"{name} is not the file that {SUMS} names")
    for file in sorted(each for each in folder.rglob("*") if not each.is_dir()):
        name = unicodedata.normalize("NFC", file.relative_to(folder).as_posix())
        if name not in known and name != SUMS:
            shown = "".join(each if each.isprintable() else "\ufffd" for each in name)
            checked.wrong.append(f"{shown} is not of the copy")
    checked.said.append(f"{len(sums)} files are those that {SUMS} names")


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE_SIZE):
                digest.update(piece)
    except OSError:
        msg = f"{file}: cannot be read"
        raise UnreadableError(msg) from None
    return digest.hexdigest()


def _manifest(folder: Path, sums: Mapping[str, str], checked: _Checked) -> ExportManifest | None:
    """What the copy says of itself, held to the sums of its files."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=ExportManifest)
    except (OSError, ValueError, RecursionError):
        checked.wrong.append(f"{MANIFEST} is not there, or none")
        return None
    for document in manifest.documents:
        if document.path is not None and sums.get(document.path) != document.sha256:
            checked.wrong.append(f"{document.path} is another file in {MANIFEST} than in {SUMS}")
    return manifest


def _hold_journal(folder: Path, manifest: ExportManifest | None, keys: Sequence[str], checked: _Checked) -> None:
    whole = manifest is None or manifest.journal_whole
    try:
        verifiers = verifiers_of(keys or read_small(folder / KEY).split())
        checkpoint = open_note(read_small(folder / CHECKPOINT), verifiers)
        with closing(_lines(folder / JOURNAL)) as lines, closing(_lines(folder / PROOFS)) as proofs:
            copied = hold_copied(lines, proofs, checkpoint, whole=whole)
    except (ProofError, UnreadableError) as error:
        checked.wrong.append(f"the journal cannot be verified: {error}")
        return
    if manifest is not None and copied.dossier not in {None, manifest.dossier}:
        checked.wrong.append(f"the journal is of another dossier than {MANIFEST}")
    checked.wrong += copied.findings
    checked.said += _told(copied, checkpoint, verifiers, whole=whole, own=not keys)


def _told(
    copied: Copied, checkpoint: Checkpoint, verifiers: Sequence[Verifier], *, whole: bool, own: bool
) -> Iterator[str]:
    rest = f", {copied.erased} of them erased" if copied.erased else ""
    yield f"{copied.lines} entries of dossier {copied.dossier} stand in the log of {checkpoint.size} entries{rest}"
    if whole:
        yield "from the first to the one that asked for this copy, none is missing"
    else:
        yield "they are somebody's own entries: that none is missing cannot be told"
    yield f"the log is {checkpoint.origin}, its root {checkpoint.root.hex()}"
    if own:
        yield f"by the key that came with the copy: {', '.join(map(str, verifiers))}"
        yield "compare it with one that came another way, or give that one by --key"
    else:
        yield "by the key that was given"


def _lines(file: Path) -> Generator[bytes, None, None]:
    """The lines of a file, one at a time."""
    try:
        with file.open("rb") as opened:
            while line := opened.readline(_LONGEST_LINE + 1):
                if len(line) > _LONGEST_LINE:
                    msg = f"{file}: a line is longer than any can be"
                    raise UnreadableError(msg)
                yield line.removesuffix(b"\n")
    except OSError:
        msg = f"{file}: cannot be read"
        raise UnreadableError(msg) from None
