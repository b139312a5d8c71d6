"""Questions of several callers, judged together: each is answered, refused and written down as if it were alone."""

import pytest

from api.errors import ForbiddenError, MalformedRequestError
from api.identity import Caller, Client
from api.judge import Judge
from api.schemas.authzen import ActionAsked, Answer, Entity, EvaluationRequest
from models.vocabulary import Scope
from tests.api.whole import FUND, HOSPITAL, NURSE, PHYSICIAN, Whole
from vault.errors import JournalUnavailableError

ANYBODY = Client("anybody", frozenset(Scope))
AT_HOSPITAL = Client("hospital", frozenset(Scope), organization=HOSPITAL)
AT_FUND = Client("fund", frozenset(Scope), organization=FUND)
STATED = {"authentication": "cps"}


def question(
    professional: str,
    action: str,
    dossier: str,
    *,
    document_type: object = None,
    masked: object = False,
    **stated: object,
) -> EvaluationRequest:
    properties = None if document_type is None else {"document_type": document_type, "masked": masked}
    return EvaluationRequest(
        Entity("professional", professional),
        ActionAsked(action, properties),
        Entity("dossier", dossier),
        STATED | stated,
    )


def judge_of(dmp: Whole) -> Judge:
    judge: Judge = dmp.app.state["judge"]
    return judge


async def test_each_is_answered_and_written_down_as_if_alone(dmp: Whole) -> None:
    """Several subjects and dossiers, what-ifs among them, by several clients."""
    dossier = dmp.id_of()
    asked = [
        (Caller(ANYBODY, "r-1"), question(PHYSICIAN, "document:list", dossier)),
        (Caller(AT_HOSPITAL, "r-2"), question(NURSE, "document:list", dossier)),
        (Caller(ANYBODY, "r-3"), question(PHYSICIAN, "document:list", dossier, dry_run=True)),
        (Caller(ANYBODY, "r-4"), question(PHYSICIAN, "document:list", dossier, explain=True)),
        (Caller(ANYBODY, "r-5"), question(PHYSICIAN, "document:list", "nothing")),
        (Caller(ANYBODY, "r-6"), question(PHYSICIAN, "document:deposit", dossier, document_type="11488-4")),
    ]
    judge = judge_of(dmp)
    alone = [(await judge.evaluate(caller, [each], stop_after=None))[0] for caller, each in asked]
    before = await dmp.entries()
    assert await judge.evaluate_apart(asked) == alone
    written = (await dmp.entries())[: -len(before)]
    assert {each.decision for each in alone} == {True, False}
    assert sorted(written, key=lambda each: each.request_id) == sorted(before, key=lambda each: each.request_id)
    assert sorted(each.request_id for each in written) == ["r-1", "r-2", "r-4", "r-5", "r-6"]


async def test_who_may_not_ask_is_told_alone(dmp: Whole) -> None:
    """A client of another organization, and a flag that is none: nothing is written of these."""
    dossier = dmp.id_of()
    before = len(await dmp.entries())
    answers = await judge_of(dmp).evaluate_apart(
        [
            (Caller(AT_FUND, "r-1"), question(PHYSICIAN, "document:list", dossier)),
            (Caller(ANYBODY, "r-2"), question(PHYSICIAN, "document:deposit", dossier, document_type="R", masked="yes")),
            (Caller(AT_HOSPITAL, "r-3"), question(PHYSICIAN, "document:list", dossier)),
        ]
    )
    assert [type(answer) for answer in answers] == [ForbiddenError, MalformedRequestError, Answer]
    written = await dmp.entries()
    assert [entry.request_id for entry in written[: len(written) - before]] == ["r-3"]


async def test_what_cannot_be_written_down_is_not_answered(dmp: Whole) -> None:
    """Of those that came together, none is; a what-if alone is."""
    judge = judge_of(dmp)
    await dmp.app.state["judging"]._ledger.aclose()  # noqa: SLF001 - as when the service stops
    told = (Caller(ANYBODY, "r-1"), question(PHYSICIAN, "document:list", dmp.id_of()))
    dry_run = (Caller(ANYBODY, "r-2"), question(PHYSICIAN, "document:list", dmp.id_of(), dry_run=True))
    with pytest.raises(JournalUnavailableError):
        await judge.evaluate_apart([told, dry_run])
    (answer,) = await judge.evaluate_apart([dry_run])
    assert isinstance(answer, Answer)
    assert answer.decision
