"""A content on its way to the vault, looked at as it passes: how long it is, what it is, whether it does harm."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack

from api.errors import OverlongError
from api.services.antivirus import Scanner
from api.services.content_types import MEBIBYTE, ContentType


async def inspected(
    kind: ContentType, data: AsyncIterator[bytes], scanner: Scanner | None = None
) -> AsyncGenerator[bytes]:
    """The same bytes. It ends normally only once all of them were found to be what they are said to be.

    Raises OverlongError or ContentError as soon as they are not, ScannerError if the scanner does not say.
    """
    check, size = kind.check(), 0
    async with AsyncExitStack() as stack:
        search = await stack.enter_async_context(scanner.search()) if scanner else None
        async for piece in data:
            size += len(piece)
            if size > kind.limit:
                raise OverlongError("too-large", f"A {kind.name} has at most {kind.limit // MEBIBYTE} MiB.")
            check.take(piece)
            if search:
                await search.take(piece)
            yield piece
        await check.finish()
        if search:
            await search.finish()
