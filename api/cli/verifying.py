"""`dmp journal verify`, `consistency` and `key`: what the journal, a proof or a checkpoint is worth."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from api.errors import DmpError
from api.parts import open_parts
from api.settings import Settings
from vault.errors import ProofError
from vault.filesystem_blobs import FilesystemBlobStore
from vault.journal.audit import Verdict, verify_log
from vault.journal.checkpoint import Checkpoint, Verifier, open_note
from vault.journal.comparing import Signed, compare_tiles, read_checkpoints
from vault.journal.proof import Proof
from vault.journal.proof import verify_inclusion as hold_included
from vault.journal.published import hold_of_one_log
from vault.journal.sequencer import integrate_all
from vault.records import RecordStore

_LARGEST_FILE = 1 << 20
_MOST_FINDINGS = 20


class UnreadableError(DmpError):
    """What was given to a command cannot be read, or is not what it should be; says which and why."""


def verify(settings: Settings, checkpoints: Sequence[Path], keys: Sequence[str]) -> str:
    """Hold the whole journal to all that was signed, published and kept of it; says what was verified.

    Raises ProofError, which names the first broken entry, and what else was found.
    """
    return asyncio.run(_verify(settings, checkpoints, verifiers_of(keys)))


def verify_proof(file: Path, keys: Sequence[str]) -> str:
    """Check one proof by these keys, without anything of the service; gives the entry. Raises ProofError."""
    if not keys:
        raise UnreadableError("--proof needs --key: a key that the service itself gave would prove nothing")
    verifiers = verifiers_of(keys)
    proof = Proof.parse(read_small(file))
    line = hold_included(proof, verifiers)
    where = (
        f"entry {line.sequence} of dossier {line.dossier} is in the log of {proof.size} entries, at {proof.position}"
    )
    return f"{where}\n{'erased since' if line.entry is None else line.entry.encode().decode()}"


def hold_consistent(settings: Settings, checkpoints: Sequence[Path], records: Path | None, keys: Sequence[str]) -> str:
    """Tell that all checkpoints are of the published log. Raises ProofError, which names the one that is not."""
    if records is not None and not keys:
        raise UnreadableError("--records needs --key: a copy is held to a key that came another way")
    return asyncio.run(_hold_consistent(settings, checkpoints, records, verifiers_of(keys)))


def public_keys(settings: Settings) -> str:
    """The keys of the log, one a line, the present one first."""
    return "\n".join(map(str, asyncio.run(_public_keys(settings))))


async def _verify(settings: Settings, files: Sequence[Path], others: Sequence[Verifier]) -> str:
    async with open_parts(settings) as parts:
        verifiers = [*parts.verifiers, *others]
        kept = [_checkpoint(file, verifiers) for file in files]
        await integrate_all(parts.database)
        signed = await read_checkpoints(parts.database, parts.store, verifiers)
        verdict = await verify_log(parts.database, parts.journal_keys, verifiers, [*signed.unlike, *kept])
        tiles, wrong = await compare_tiles(parts.database, parts.store, signed.largest)
    if verdict.broken is not None or signed.wrong or wrong:
        first = [] if verdict.broken is None else [f"the journal is broken at {verdict.broken}"]
        raise ProofError(broken([*first, *signed.wrong, *wrong]))
    return _verified(verdict, signed, tiles)


def _verified(verdict: Verdict, signed: Signed, tiles: int) -> str:
    rest = [f"{number} {what}" for number, what in ((verdict.waiting, "waiting"), (verdict.erased, "erased")) if number]
    return (
        f"{verdict.size} entries verified, root {verdict.root.hex()}{''.join(f', {each}' for each in rest)}\n"
        f"{signed.published} checkpoints and {tiles} tiles in the object store are of this journal"
    )


def broken(found: Sequence[str]) -> str:
    """What is wrong, a line each, as far as anybody reads."""
    more = len(found) - _MOST_FINDINGS
    return "\n".join([*found[:_MOST_FINDINGS], *([f"and {more} more"] if more > 0 else [])])


async def _hold_consistent(
    settings: Settings, files: Sequence[Path], folder: Path | None, verifiers: Sequence[Verifier]
) -> str:
    async with _records(settings, folder) as (records, own):
        known = verifiers or own
        held = [_checkpoint(file, known) for file in files]
        newest = await hold_of_one_log(records, known, held)
    return f"checkpoints held: {len(held)}, all of the published log, which has {newest.size} entries"


@asynccontextmanager
async def _records(settings: Settings, folder: Path | None) -> AsyncIterator[tuple[RecordStore, Sequence[Verifier]]]:
    """What is published, and the keys of the service if it is the service's."""
    if folder is None:
        async with open_parts(settings) as parts:
            yield parts.store, parts.verifiers
    else:
        store = FilesystemBlobStore(folder)
        yield store, ()
        await store.close()


async def _public_keys(settings: Settings) -> list[Verifier]:
    async with open_parts(settings) as parts:
        return parts.verifiers


def verifiers_of(keys: Sequence[str]) -> list[Verifier]:
    """Keys as they are, or files with one a line. Raises UnreadableError."""
    return [verifier for given in keys for verifier in _read_keys(given)]


def _read_keys(given: str) -> list[Verifier]:
    lines = read_small(Path(given)).split() if Path(given).is_file() else [given]
    try:
        return [Verifier.parse(line) for line in lines]
    except ProofError:
        raise UnreadableError(
            "--key is neither a file of keys nor a key: name+id+key, as `dmp journal key` prints it"
        ) from None


def _checkpoint(file: Path, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Raises ProofError, which names the file."""
    try:
        return open_note(read_small(file), verifiers)
    except ProofError as error:
        msg = f"{file}: {error}"
        raise ProofError(msg) from None


def read_small(file: Path) -> str:
    """A small file of text; `-` is standard input. Raises UnreadableError."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(_LARGEST_FILE + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(_LARGEST_FILE + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        msg = f"{file}: cannot be read as text"
        raise UnreadableError(msg) from None
    if len(data) > _LARGEST_FILE:
        msg = f"{file}: larger than a proof or a checkpoint can be"
        raise UnreadableError(msg)
    return text
