"""A second store that has what the first one has: a backup, or a restored one.

Objects and records are never changed once they are there, so what the target has already is passed over, and a copy
that was interrupted is begun again. Nothing is opened: what is copied is as sealed as where it came from. What the
target has besides stays; if it was erased at the source, its key is destroyed and it is noise.
"""

from contextlib import aclosing, suppress
from dataclasses import dataclass

from vault.blobs import BlobStore
from vault.errors import NoObjectError, ObjectExistsError
from vault.records import JOURNAL, RecordStore

_LARGEST_RECORD = 1024 * 1024
"""Tiles have 8 KiB, checkpoints less."""


@dataclass(slots=True)
class Copied:
    """How many objects were copied now, and how many the target alone has."""

    objects: int = 0
    only_there: int = 0


async def copy_objects(source: BlobStore, target: BlobStore) -> Copied:
    """Copy the documents' objects that the target lacks, in the order of names. Raises StoreError."""
    copied = Copied()
    async with aclosing(source.names()) as here, aclosing(target.names()) as there:
        standing = await anext(there, None)
        async for each in here:
            while standing and standing.name < each.name:
                copied.only_there += 1
                standing = await anext(there, None)
            if standing and standing.name == each.name:
                standing = await anext(there, None)
                continue
            with suppress(NoObjectError, ObjectExistsError):  # it went meanwhile, or is an upload that is going on
                async with aclosing(source.get(each.name)) as data:
                    await target.put(each.name, data)
                copied.objects += 1
        while standing:
            copied.only_there += 1
            standing = await anext(there, None)
    return copied


async def copy_records(source: RecordStore, target: RecordStore) -> int:
    """Copy the journal as it was published; how many records there are. Raises RecordChangedError if others are there.

    A checkpoint comes to the target after the tiles that prove it (its name comes before theirs, hence in two rounds).
    """
    count = 0
    for checkpoints in (False, True):
        async with aclosing(source.record_names(JOURNAL)) as names:
            async for name in names:
                if name.startswith(f"{JOURNAL}checkpoint/") is checkpoints:
                    await target.keep(name, await source.read_record(name, _LARGEST_RECORD))
                    count += 1
    return count
