"""Many documents in one request, for software that has hundreds: parts in, one result line for each document out."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from litestar import Controller, post
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import Streamed, begun
from api.errors import BrokenFormError, DisconnectedError, DmpError
from api.multipart import BatchBody
from api.openapi import Documented
from api.problems import told
from api.requests import Call
from api.routes.documents import metadata_of
from api.schemas import documents as wire
from api.services.deposits import Deposits
from api.services.judging import Actor
from api.strict_json import decode
from models.errors import DatabaseError
from models.identifiers import InvalidIdentifierError
from models.vocabulary import Scope
from vault.errors import VaultError

MAX_ITEMS = 1000
"""Of a batch: their results are short enough to wait for a caller who reads them only after he has sent all."""

_MEDIA_TYPE = "application/x-ndjson"
_HEADERS = ((b"content-type", _MEDIA_TYPE.encode("ascii")),)
_encode_lines = msgspec.json.Encoder().encode_lines


class BatchController(Controller):
    """What enters several dossiers, or one several times."""

    path = "/v1/documents"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Documents"]  # noqa: RUF012 - likewise

    @post(
        status_code=200,
        summary="Deposit many",
        documented=Documented(
            "A line for each document.",
            body=wire.BatchItem,
            answer=wire.BatchResult,
            media_type=_MEDIA_TYPE,
            body_media_type="multipart/form-data",
            body_examples={
                "analysis": {
                    "metadata": {
                        "dossier": "5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01",
                        "key": "2026-10-01/4711",
                        "document_type": "11502-2",
                        "title": "Bilan sanguin",
                        "content_type": "application/pdf",
                        "created_at": "2026-10-01T08:00:00Z",
                    },
                    "content": "JVBERi0xLjcK",
                }
            },
            answer_examples={
                "kept": {
                    "item": 1,
                    "ok": True,
                    "key": "2026-10-01/4711",
                    "id": "7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03",
                    "version": 1,
                    "size": 182_044,
                    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                },
                "refused": {
                    "item": 2,
                    "ok": False,
                    "status": 422,
                    "reason": "content-mismatch",
                    "error": "The content is no PDF: it does not begin like one.",
                },
            },
        ),
    )
    async def deposit(self, request: Call) -> ASGIApp:
        """For each document a part `metadata`, with its `dossier`, then a part `content`; up to a thousand of them.

        Each is decided, kept or refused, and journaled alone. Results leave while documents arrive. Where the form is
        broken it ends, with a result that says so, and what was kept before stays; `key` makes sending again safe.
        """
        actor, body = actor_of(request), BatchBody(request)
        actor.caller.client.require_speaking_for(actor.subject.type)
        deposits: Deposits = request.app.state["deposits"]
        return Streamed(200, _HEADERS, await begun(_encoded(_results(deposits, actor, body))))


async def _results(deposits: Deposits, actor: Actor, body: BatchBody) -> AsyncGenerator[wire.BatchResult]:
    """Raises BrokenFormError if not even the first document can be read."""
    number = 1
    try:
        while (metadata := await body.metadata()) is not None:
            if number > MAX_ITEMS:
                raise BrokenFormError(f"The body has more than {MAX_ITEMS} documents.")
            yield await _result(deposits, actor, number, metadata, body)
            number += 1
    except BrokenFormError as error:
        if number == 1:
            raise
        yield _refused(number, None, error, ended=True)
    except DisconnectedError:
        return  # nobody is there to be told; what was whole is kept


async def _result(deposits: Deposits, actor: Actor, number: int, metadata: bytes, body: BatchBody) -> wire.BatchResult:
    key = None
    try:
        given = decode(metadata, wire.BatchMetadata)
        key = given.key
        async with aclosing(body.content()) as content:
            receipt = await deposits.deposit(actor, given.dossier, metadata_of(given), content, key)
    except (BrokenFormError, DisconnectedError):
        raise
    except (DmpError, DatabaseError, InvalidIdentifierError, VaultError) as error:
        return _refused(number, key, error)
    return wire.BatchResult(
        item=number,
        ok=True,
        key=key,
        id=receipt.id,
        version=receipt.version,
        size=receipt.size,
        sha256=receipt.sha256,
    )


def _refused(number: int, key: str | None, error: Exception, *, ended: bool = False) -> wire.BatchResult:
    problem = told(error)
    return wire.BatchResult(
        item=number,
        ok=False,
        key=key,
        status=problem.status,
        reason=problem.reason or problem.kind,
        error=problem.detail,
        ended=ended,
    )


async def _encoded(results: AsyncGenerator[wire.BatchResult]) -> AsyncGenerator[bytes]:
    async with aclosing(results):
        async for result in results:
            yield _encode_lines([result])
