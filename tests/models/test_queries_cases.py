"""Cases: everything stored that bears on a question, and nothing else, in one round trip."""

import tracemalloc
from asyncio import gather
from collections.abc import Sequence
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from models.database import Database
from models.facts import Case, Message, Particulars, Person, Question, Reference
from models.queries import Homes, fetch_apart, fetch_case, fetch_cases
from models.queries.documents import add_document
from models.queries.dossiers import erase_dossier
from models.queries.messages import StoredMessage, add_message
from models.queries.statements import facts_statement
from models.vocabulary import DocumentStatus
from tests.models import world
from tests.models.world import ALICE, AT, BASILE, JULIE, KARIM, LATER, LEA, NOBODY, professional, question, structure

ON_DOSSIER = Reference("dossier", str(ALICE))
ON_NOTHING = Reference("dossier", str(NOBODY))
DOCUMENT = world.document(
    1,
    author=Reference("person", str(ALICE)),
    masked=True,
    withheld_until=LATER,
    hidden_from_representatives=True,
    status=DocumentStatus.ARCHIVED,
)
ON_DOCUMENT = Reference("document", str(DOCUMENT.id))
MESSAGE = Message(UUID(int=0x3E55), sender=JULIE.rpps, addressee=KARIM.rpps)
ON_MESSAGE = Reference("message", str(MESSAGE.id))
THE_CHU, THE_SECRETARY = structure(world.CHU), Reference("staff", world.SECRETARY.id)
HIDDEN = "\x00", "\ud800", "", "a" * 100, "' OR 1=1 --", "7c0f", str(ALICE).replace("-", ""), f" {ALICE}", "ï"


class _Counting:
    """A database that counts its reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads: list[str] = []

    async def read(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        self.reads.append(statement)
        return await self._database.read(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@pytest.fixture
async def filled(database: Database) -> Database:
    """The world, one document and one message in Alice's dossier."""
    await world.settle(database)
    async with database.begin() as connection:
        await add_document(connection, ALICE, DOCUMENT)
        await add_message(connection, StoredMessage(ALICE, MESSAGE, AT, None, b""))
    return database


JULIES = (world.TEAM, world.TREATING, world.OF_CHU_TOO, world.OF_CHU, world.OF_PRACTICE)


ABOUT: list[tuple[Reference, dict[str, Any]]] = [
    (ON_DOSSIER, {}),
    (ON_DOCUMENT, {"document": DOCUMENT}),
    (ON_MESSAGE, {"message": MESSAGE}),
]
WHO: list[tuple[Reference, dict[str, Any]]] = [
    (professional(JULIE), {"subject": JULIE, "relations": JULIES, "has_read": True}),
    (professional(KARIM), {"subject": KARIM, "relations": (world.OF_KARIM,)}),
    (professional(LEA), {"subject": LEA, "relations": (world.OF_CHU_TOO, world.OF_CHU)}),
    (THE_CHU, {"subject": world.CHU, "relations": (world.OF_CHU_TOO, world.OF_CHU)}),
    (structure(world.BANK), {"subject": world.BANK}),
    (THE_SECRETARY, {"subject": world.SECRETARY}),
    (Reference("person", str(ALICE)), {"subject": Person(ALICE)}),
    (
        Reference("person", str(BASILE).upper()),
        {"subject": Person(BASILE), "representations": (world.CARER, world.GUARDIAN)},
    ),
    (Reference("professional", world.CHU.id), {}),
    (Reference("organization", JULIE.rpps), {}),
    (Reference("insurer", world.CHU.id), {}),
    (Reference("", ""), {}),
]


async def test_who_asks_of_what(filled: Database) -> None:
    """A dossier, a document of it, a message of it: the same subject and relations, and what is asked about."""
    for asker, expected in WHO:
        standing: dict[str, Any] = {"dossier": world.DOSSIER, **expected}
        for resource, found in ABOUT:
            asked = question(asker, resource)
            assert _in_order(await fetch_case(filled, asked)) == _in_order(Case(asked, **standing, **found))


def _in_order(case: Case) -> Case:
    """Relations have no order of their own."""
    return replace(
        case, relations=tuple(sorted(case.relations, key=lambda tie: (tie.party.type, tie.party.id, tie.kind)))
    )


async def test_another_dossier_has_its_own_facts(filled: Database) -> None:
    """Nothing of Alice's dossier shows in a case about Basile's."""
    asked = question(professional(JULIE), Reference("dossier", str(BASILE)))
    assert await fetch_case(filled, asked) == Case(asked, JULIE, world.OTHER_DOSSIER)


async def test_no_dossier(filled: Database) -> None:
    """The subject is known, the dossier is not: of a representation and relations there is none."""
    for asker, known in ((professional(JULIE), JULIE), (Reference("person", str(BASILE)), Person(BASILE))):
        asked = question(asker, ON_NOTHING)
        assert await fetch_case(filled, asked) == Case(asked, known)


async def test_what_does_not_exist_says_nothing(filled: Database) -> None:
    """Whatever dossier the caller names, a document or message that is not there brings nothing but the subject."""
    claims = [None, str(ALICE), str(BASILE), str(NOBODY), "no uuid"]
    for resource_type, claimed in product(["document", "message"], claims):
        particulars = Particulars(dossier=claimed)
        asked = question(professional(JULIE), Reference(resource_type, str(NOBODY)), particulars=particulars)
        assert await fetch_case(filled, asked) == Case(asked, JULIE)


async def test_a_document_is_no_message(filled: Database) -> None:
    """An id counts for what it is, though both are found in the same place."""
    for resource in (Reference("message", str(DOCUMENT.id)), Reference("document", str(MESSAGE.id))):
        asked = question(professional(JULIE), resource)
        assert await fetch_case(filled, asked) == Case(asked, JULIE)


async def test_a_dossier_rightly_named_saves_a_look_up(filled: Database) -> None:
    """The case is the same, and nobody looks for where the document or message is."""
    for resource in (ON_DOCUMENT, ON_MESSAGE):
        counting = _Counting(filled)
        without = question(professional(JULIE), resource)
        case = await fetch_case(counting, replace(without, particulars=Particulars(dossier=str(ALICE))))
        assert replace(case, question=without) == await fetch_case(counting, without)
        assert ["whereabouts" in statement for statement in counting.reads] == [False, True, False]


async def test_a_dossier_wrongly_named(filled: Database) -> None:
    """As if the document or message did not exist (INTERFACES, "Decisions")."""
    for resource, claimed in product([ON_DOCUMENT, ON_MESSAGE], [str(BASILE), str(NOBODY), "", "no uuid"]):
        asked = question(professional(JULIE), resource, particulars=Particulars(dossier=claimed))
        assert await fetch_case(filled, asked) == Case(asked, JULIE)


async def test_deleted_documents_are_told(filled: Database) -> None:
    """A rule refuses them, not their absence."""
    deleted = world.document(2, status=DocumentStatus.DELETED)
    async with filled.begin() as connection:
        await add_document(connection, ALICE, deleted)
    case = await fetch_case(filled, question(professional(JULIE), Reference("document", str(deleted.id))))
    assert case.document == deleted


async def test_malformed_subjects_are_not_found(filled: Database) -> None:
    """They are nobody, and no error of the database."""
    for kind, identifier in product(["professional", "organization", "staff", "person"], HIDDEN):
        asked = question(Reference(kind, identifier), ON_DOSSIER)
        assert await fetch_case(filled, asked) == Case(asked, None, world.DOSSIER)


async def test_malformed_resources_are_not_found(filled: Database) -> None:
    """They are nothing, and no error of the database."""
    for kind, identifier in product(["dossier", "document", "message", "unknown"], HIDDEN):
        asked = question(professional(JULIE), Reference(kind, identifier))
        assert await fetch_case(filled, asked) == Case(asked, JULIE)


async def test_unknown_words_still_make_a_case(filled: Database) -> None:
    """An action and a type of resource that nobody knows bring the subject alone; the rules say no."""
    asked = question(professional(JULIE), Reference("prescription", str(ALICE)), action="dossier:burn")
    assert await fetch_case(filled, asked) == Case(asked, JULIE)
    nothing = question(Reference("robot", "1"), Reference("prescription", "2"), action="")
    assert await fetch_case(filled, nothing) == Case(nothing)


async def test_one_case_is_one_read(filled: Database) -> None:
    """Whoever asks of whatever, and one before where the dossier is to be found."""
    subjects = [professional(JULIE), THE_CHU, THE_SECRETARY, Reference("person", str(ALICE)), Reference("robot", "")]
    for subject in subjects:
        for resource in (ON_DOSSIER, ON_DOCUMENT, ON_MESSAGE, ON_NOTHING, Reference("robot", "")):
            counting = _Counting(filled)
            await fetch_case(counting, question(subject, resource))
            assert len(counting.reads) == (2 if resource.type in {"document", "message"} else 1)


def _mixed() -> list[Question]:
    resources = [ON_DOSSIER, ON_DOCUMENT, ON_MESSAGE, ON_NOTHING, Reference("dossier", str(BASILE))]
    resources += [Reference("document", "malformed"), Reference("robot", "")]
    subjects = [professional(JULIE), professional(KARIM), professional(LEA), THE_CHU, THE_SECRETARY]
    subjects += [Reference("person", str(BASILE)), Reference("robot", ""), Reference("professional", "\x00")]
    claims = [None, str(ALICE), str(BASILE)]
    return [
        question(subject, resource, particulars=Particulars(dossier=claim))
        for subject in subjects
        for resource in resources
        for claim in claims
    ]


async def test_many_questions_are_one_read(filled: Database) -> None:
    """All at once as one by one, in their order, whatever they are about: one read for where, one for what."""
    asked = _mixed()
    one_by_one = [await fetch_case(filled, each) for each in asked]
    counting = _Counting(filled)
    assert await fetch_cases(counting, asked) == one_by_one
    assert len(counting.reads) == 2


async def test_batches_of_all_sizes(filled: Database) -> None:
    """Every question has its answer, on either side of the greatest number in one statement."""
    for number in (0, 1, 2, 3, 511, 512, 513):
        asked = (_mixed() * 4)[:number]
        assert [case.question for case in await fetch_cases(filled, asked)] == asked


async def test_statements_are_few(filled: Database) -> None:
    """Batches of fifty different sizes need no more than seven statements to prepare."""
    counting = _Counting(filled)
    for number in range(1, 51):
        asked = [question(professional(JULIE), Reference("dossier", str(UUID(int=each)))) for each in range(number)]
        await fetch_cases(counting, asked)
    assert len(set(counting.reads)) == 7


async def test_one_dossier_is_looked_up_once(filled: Database) -> None:
    """However many of its documents are asked about, and in however many ways, by one subject."""
    counting = _Counting(filled)
    claimed = Particulars(dossier=str(ALICE))
    documents = [Reference("document", str(UUID(int=0xD0C0 + number))) for number in range(200)]
    asked = [question(professional(JULIE), each, particulars=claimed) for each in documents]
    await fetch_cases(counting, asked)
    assert counting.reads == [facts_statement(frozenset({"professional", "dossier", "documents"}), 1)]


async def test_where_a_document_is_is_looked_up_once(filled: Database) -> None:
    """Of what is asked about again only the facts are read, and what is not there is looked for each time."""
    counting, homes = _Counting(filled), Homes()
    asked = [question(professional(JULIE), about) for about in (ON_DOCUMENT, ON_MESSAGE)]
    absent = question(professional(JULIE), Reference("document", str(NOBODY)))
    for about, reads in ((asked, 2), (asked, 1), ([*asked, absent], 2), ([*asked, absent], 2)):
        counting.reads.clear()
        cases = await fetch_apart(counting, about, homes)
        assert (cases, len(counting.reads)) == (await fetch_cases(filled, about), reads)


async def test_a_document_that_is_elsewhere_is_looked_up_anew(filled: Database) -> None:
    """A dossier was erased, and its document came back in another one, or never."""
    homes, about = Homes(), question(professional(JULIE), ON_DOCUMENT)
    (before,) = await fetch_apart(filled, [about], homes)
    async with filled.begin() as connection:
        await erase_dossier(connection, ALICE)
    assert await fetch_apart(filled, [about], homes) == [Case(about, JULIE)]
    async with filled.begin() as connection:
        await add_document(connection, BASILE, DOCUMENT)
    (after,) = await fetch_apart(filled, [about], homes)
    assert isinstance(before, Case)
    assert isinstance(after, Case)
    assert (before.dossier, after.dossier, after.document) == (world.DOSSIER, world.OTHER_DOSSIER, DOCUMENT)


async def test_all_who_ask_about_a_document_that_is_elsewhere_are_answered(filled: Database) -> None:
    """In one group, and in two that had guessed alike before the first of them found out."""
    homes, about = Homes(), question(professional(JULIE), ON_DOCUMENT)
    await fetch_apart(filled, [about], homes)
    async with filled.begin() as connection:
        await erase_dossier(connection, ALICE)
        await add_document(connection, BASILE, DOCUMENT)
    both = await gather(fetch_apart(filled, [about, about], homes), fetch_apart(filled, [about], homes))
    cases = [case for group in both for case in group]
    assert cases == [await fetch_case(filled, about)] * 3
    assert isinstance(cases[0], Case)
    assert cases[0].document == DOCUMENT


async def test_what_a_caller_writes_is_not_remembered_if_it_is_long(filled: Database) -> None:
    """Else a few callers could fill the memory of a worker with names that nobody has."""
    long = 100_000

    async def ask(digit: str) -> None:
        for number in range(50):
            name = f"{digit * long}{number}"
            asked = question(
                Reference("professional", name), Reference("document", name), particulars=Particulars(dossier=name)
            )
            await fetch_cases(filled, [asked, replace(asked, resource=Reference(name, name))])

    await ask("8")
    tracemalloc.start()
    try:
        await ask("9")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10 * long


async def test_so_many_are_remembered(filled: Database) -> None:
    """Who has been known longest is looked up again."""
    counting, homes = _Counting(filled), Homes(capacity=1)
    about = [question(professional(JULIE), each) for each in (ON_DOCUMENT, ON_MESSAGE)]
    for each, reads in zip([*about, about[1], about[0]], (2, 2, 1, 2), strict=True):
        counting.reads.clear()
        await fetch_apart(counting, [each], homes)
        assert len(counting.reads) == reads
