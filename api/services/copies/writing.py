"""The small files of a copy, written from one list of documents: page, print, manifest, bundle.

On a thread of their own, one copy's after the other's: laying out a long list keeps nobody else waiting, and the
library that prints keeps state that all of a process share.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from api.services.copies.bundle import encode_bundle
from api.services.copies.pages import halves
from api.services.copies.record import Record
from api.services.manifest import encode_manifest

PRINT, MANIFEST, BUNDLE = "dossier.pdf", "manifest.json", "bundle.json"
_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copy")


@dataclass(frozen=True, slots=True)
class Written:
    """The page, before and after the sentences of the journal, and the other files by name."""

    page: tuple[bytes, bytes]
    files: Mapping[str, bytes]


async def write(record: Record) -> Written:
    """All of them; the same record gives the same bytes."""
    return await asyncio.get_running_loop().run_in_executor(_WRITER, _write, record)


def _write(record: Record) -> Written:
    from api.services.copies.printing import printed  # noqa: PLC0415  # 0.3 s that only a copy needs

    return Written(
        halves(record),
        {PRINT: printed(record), MANIFEST: encode_manifest(record), BUNDLE: encode_bundle(record)},
    )
