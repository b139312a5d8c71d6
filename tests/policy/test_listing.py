"""All documents of a dossier judged at once are judged as each of them alone."""

from random import Random
from uuid import UUID

import pytest
from msgspec.structs import replace

from models.facts import Case, Document, Reference
from models.sheets import Filed, Version, pack_documents
from models.vocabulary import ResourceType
from policy.engine import Engine
from policy.listing import judge_documents
from tests.policy.drawing import draw_case

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
        assert list(told) == [each.id.bytes for each in documents]
        for document in documents:
            about = replace(case.question, resource=Reference(ResourceType.DOCUMENT.value, str(document.id)))
            situation = engine.situation_of(replace(case, question=about, document=document))
            verdict = told[document.id.bytes]
            assert (verdict.situation, verdict.decision) == (situation, engine.judge(situation))
            assert verdict.situation == engine.situation_of(verdict.case)


def test_documents_that_look_alike_are_judged_once() -> None:
    """Of two hundred of one type by others, one is judged: that is what makes a listing cheap."""
    engine, random = Engine.load(), Random(1)
    case, (document, *_) = drawn_dossier(random)
    ids = [UUID(int=number) for number in range(1, 201)]
    alike = [replace(document, id=each, author=Reference("organization", f"{each.int:09}")) for each in ids]
    told = judge_documents(engine, case, pack_documents([Filed(each, Version(each.id, 1)) for each in alike]))
    assert (len(told), len(set(map(id, told.values())))) == (200, 1)
