"""All documents of a dossier judged at once are judged as each of them alone."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.facts import Case, Document, Reference
from models.sheets import Filed, Version, pack_documents
from models.vocabulary import ResourceType
from policy.documents import has_expired
from policy.engine import Engine
from policy.listing import judge_documents, judge_in_turn
from tests.policy.drawing import PARIS, draw_case

DOSSIERS, DOCUMENTS = 400, 40


def drawn_dossier(random: Random) -> tuple[Case, list[Document]]:
    """The case of one who asks about a dossier, and its documents: as many as there are cases alike but for these."""
    while True:
        case = draw_case(random)
        if case.document is not None and case.question.resource.type == ResourceType.DOCUMENT:
            break
    documents: list[Document] = []
    while len(documents) < DOCUMENTS:
        document = draw_case(random).document
        if document is not None:
            documents.append(replace(document, id=UUID(int=random.getrandbits(128))))
    return case, documents


@pytest.mark.no_cover
def test_documents_are_judged_as_each_alone() -> None:
    """Whoever asks, whatever he asks, and whatever hinders it: case, situation and decision are the same."""
    engine, random = Engine.load(), Random(7)
    for _ in range(DOSSIERS):
        case, documents = drawn_dossier(random)
        sheet = pack_documents([Filed(each, Version(each.id, 1)) for each in documents])
        of_dossier = replace(case.question, resource=Reference(ResourceType.DOSSIER.value, str(UUID(int=0))))
        told = judge_documents(engine, replace(case, question=of_dossier, document=None), sheet)
        for document, number in zip(documents, told.numbers, strict=True):
            about = replace(case.question, resource=Reference(ResourceType.DOCUMENT.value, str(document.id)))
            situation = engine.situation_of(replace(case, question=about, document=document))
            verdict = told.verdicts[number]
            assert (verdict.situation, verdict.decision) == (situation, engine.judge(situation))
            assert verdict.situation == engine.situation_of(verdict.case)


def test_documents_that_look_alike_are_judged_once() -> None:
    """Of two hundred of one type by others, one is judged: that is what makes a listing cheap."""
    engine, random = Engine.load(), Random(1)
    case, (document, *_) = drawn_dossier(random)
    ids = [UUID(int=number) for number in range(1, 201)]
    alike = [replace(document, id=each, author=Reference("organization", f"{each.int:09}")) for each in ids]
    told = judge_documents(engine, case, pack_documents([Filed(each, Version(each.id, 1)) for each in alike]))
    assert (len(told.numbers), set(told.numbers), len(told.verdicts)) == (200, {0}, 1)


def noted(numbers: Iterable[int], taken: list[int]) -> Iterator[int]:
    """These, each noted as it is taken."""
    for number in numbers:
        taken.append(number)
        yield number


@pytest.mark.parametrize("at_first", [1, 7, 39, 40, 100])
def test_documents_are_judged_in_turn(at_first: int) -> None:
    """In whatever order, some or all of a sheet, so many at first: each as with all others, none before its turn."""
    engine, random = Engine.load(), Random(11)
    case, documents = drawn_dossier(random)
    sheet = pack_documents([Filed(each, Version(each.id, 1)) for each in documents])
    whole = judge_documents(engine, case, sheet)
    for count in (0, 1, 25, DOCUMENTS):
        numbers, taken = random.sample(range(DOCUMENTS), count), list[int]()
        for some, told in judge_in_turn(engine, case, sheet, noted(numbers, taken), at_first):
            assert len(taken) in (count, *accumulate(at_first << turn for turn in range(8)))
            assert taken[-len(some) :] == some
            for number, of in zip(some, told.numbers, strict=True):
                verdict, alone = told.verdicts[of], whole.verdicts[whole.numbers[number]]
                assert (verdict.situation, verdict.decision) == (alone.situation, alone.decision)
        assert taken == numbers


def test_where_nothing_is_asked_nothing_is_looked_at() -> None:
    """No document, no verdict; and what cannot be put in words is as little so of each document."""
    engine, random = Engine.load(), Random(2)
    case, documents = drawn_dossier(random)
    assert judge_documents(engine, case, b"") == ([], [])
    sheet = pack_documents([Filed(each, Version(each.id, 1)) for each in documents])
    unheard = replace(case, question=replace(case.question, action="document:unheard"))
    (verdict,) = judge_documents(engine, unheard, sheet).verdicts
    assert (verdict.decision.allowed, verdict.decision.rule) == (False, "unknown-action")


def test_reimbursements_that_have_expired_are_judged_once() -> None:
    """Each is of another instant: what counts is whether it has expired, and the others are judged once as well."""
    engine, random = Engine.load(), Random(3)
    case, (document, *_) = drawn_dossier(random)
    at = case.question.at
    months = [
        replace(document, id=UUID(int=number + 1), document_type="REMB", created_at=at - timedelta(days=30 * number))
        for number in range(48)
    ]
    told = judge_documents(engine, case, pack_documents([Filed(each, Version(each.id, 1)) for each in months]))
    expired = [has_expired(each.created_at, at) for each in months]
    assert [told.numbers[0] != number for number in told.numbers] == expired
    assert (len(told.verdicts), expired.count(True)) == (2, 23)


@example(timedelta(days=308), timedelta(days=729, hours=1))
@given(st.timedeltas(timedelta(0), timedelta(days=1_461)), st.timedeltas(timedelta(-1), timedelta(740)))
def test_what_is_far_from_expiring_needs_no_calendar(after: timedelta, age: timedelta) -> None:
    """An age alone tells what the calendar in France tells, leap days and summer time included."""
    created_at = datetime(2020, 2, 28, tzinfo=UTC) + after
    at = created_at + age
    local = created_at.astimezone(PARIS)
    year, day = local.year + 2, 28 if (local.month, local.day) == (2, 29) else local.day
    assert has_expired(created_at, at) is (at >= local.replace(year=year, day=day))


def test_nothing_expires_after_the_last_year() -> None:
    """The calendar ends with 9999, and what would expire after it is no error."""
    created_at = datetime(9997, 12, 31, 23, 30, tzinfo=UTC)
    assert not has_expired(created_at, created_at + timedelta(days=729, hours=1) - timedelta(minutes=61))
    assert not has_expired(created_at, datetime(9999, 12, 31, 22, 59, tzinfo=UTC))
