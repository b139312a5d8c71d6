"""Questions in the words of each peer, and its answers read; the answers are written after each one's documentation."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from loadtests.peers.cerbos import Cerbos
from loadtests.peers.opa import HandedOpa, LoadedOpa, record_of
from loadtests.peers.openfga import OpenFga, tuples_of, version_of
from loadtests.peers.ours import JOURNALED, Ours
from loadtests.peers.peer import Asked
from loadtests.peers.questions import Sample
from tests.loadtests.peers import BATCH, DOSSIER, FROM_AN_INSURER, PHYSICIAN, SINGLE

NUMBER = str(DOSSIER.number)
FIRST, SECOND = (str(document.id) for document in BATCH.documents)

OURS = Ours("0.1", 1, 1, "the-key", _persons={DOSSIER.number: "a-pseudonym"})
CERBOS = Cerbos("0.55", 1, 1)
HANDED = HandedOpa("1.22", 1, 1)
LOADED = LoadedOpa("1.22", 1, 1)
FGA = OpenFga("1.22", 1, 1, "STORE", "MODEL", "OpenFGA")


def line_of(asked: Asked) -> str:
    return asked.request.split(b"\r\n", 1)[0].decode()


def body_of(asked: Asked) -> Any:
    return json.loads(asked.request.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "asked, line",
    [
        (OURS.single(SINGLE), "POST /access/v1/evaluation HTTP/1.1"),
        (OURS.batch(BATCH), "POST /access/v1/evaluations HTTP/1.1"),
        (OURS.listing(BATCH), "POST /access/v1/search/resource HTTP/1.1"),
        (CERBOS.single(SINGLE), "POST /access/v1/evaluation HTTP/1.1"),
        (CERBOS.batch(BATCH), "POST /access/v1/evaluations HTTP/1.1"),
        (HANDED.single(SINGLE), "POST /v1/data/dmp/handed/allow HTTP/1.1"),
        (HANDED.batch(BATCH), "POST /v1/data/dmp/handed/answers HTTP/1.1"),
        (LOADED.single(SINGLE), "POST /v1/data/dmp/loaded/allow HTTP/1.1"),
        (LOADED.batch(BATCH), "POST /v1/data/dmp/loaded/answers HTTP/1.1"),
        (LOADED.listing(BATCH), "POST /v1/data/dmp/loaded/listing HTTP/1.1"),
        (FGA.single(SINGLE), "POST /stores/STORE/check HTTP/1.1"),
        (FGA.batch(BATCH), "POST /stores/STORE/batch-check HTTP/1.1"),
    ],
)
def test_each_is_asked_where_it_answers(asked: Asked, line: str) -> None:
    """Its documented addresses."""
    assert line_of(asked) == line


@pytest.mark.parametrize(
    "asked, answer, decisions",
    [
        (OURS.single(SINGLE), b'{"decision":true}', (True,)),
        (OURS.single(SINGLE), b'{"decision":true,"context":{"obligations":[{"id":"write_down"}]}}', (True,)),
        (OURS.batch(BATCH), b'{"evaluations":[{"decision":true},{"decision":false}]}', (True, False)),
        (OURS.listing(BATCH), f'{{"results":[{{"type":"document","id":"{SECOND}"}}]}}'.encode(), (False, True)),
        (CERBOS.single(SINGLE), b'{"decision":false}', (False,)),
        (CERBOS.batch(BATCH), b'{"evaluations":[{"decision":false}, {"decision":true}]}', (False, True)),
        (HANDED.single(SINGLE), b'{"result":true}\n', (True,)),
        (HANDED.batch(BATCH), b'{"result":[true,false]}\n', (True, False)),
        (LOADED.single(SINGLE), b'{"result":false}\n', (False,)),
        (LOADED.batch(BATCH), b'{"result":[true,false]}\n', (True, False)),
        (LOADED.listing(BATCH), f'{{"result":["{FIRST}"]}}\n'.encode(), (True, False)),
        (FGA.single(SINGLE), b'{"allowed":true, "resolution":""}', (True,)),
        (FGA.batch(BATCH), b'{"result":{"1":{"allowed":false}, "0":{"allowed":true}}}', (True, False)),
    ],
)
def test_answers_are_read(asked: Asked, answer: bytes, decisions: tuple[bool, ...]) -> None:
    """One decision for each document, in the order in which they were asked for."""
    assert asked.read(answer) == decisions


@pytest.mark.parametrize(
    "asked, answer",
    [
        (HANDED.single(SINGLE), b"{}"),
        (FGA.batch(BATCH), b'{"result":{"0":{"allowed":true},"1":{"error":{"message":"deadline exceeded"}}}}'),
        (OURS.batch(BATCH), b'{"decision":true}'),
    ],
    ids=["undefined", "failed", "another answer"],
)
def test_no_answer_is_not_a_refusal(asked: Asked, answer: bytes) -> None:
    """Somebody who could not decide has not decided."""
    with pytest.raises(LookupError):
        asked.read(answer)


@pytest.mark.parametrize("peer", [CERBOS, HANDED, FGA], ids=["Cerbos", "OPA", "OpenFGA"])
def test_whoever_is_handed_documents_one_by_one_lists_nothing(peer: Cerbos | HandedOpa | OpenFga) -> None:
    """There is no such question in its words."""
    assert peer.listing(BATCH) is None


def test_ours_looks_for_the_dossier_itself() -> None:
    """A document is asked for by its id alone, as a dry run or for the access itself."""
    dry, journaled = body_of(OURS.single(SINGLE)), body_of(OURS.journaled().single(SINGLE))
    assert (dry["resource"], dry["context"], journaled["context"]) == (
        {"type": "document", "id": FIRST},
        {"authentication": "cps", "dry_run": True},
        {"authentication": "cps"},
    )


def test_a_search_is_no_access() -> None:
    """What is never journaled is not timed among what is."""
    journaled = OURS.journaled()
    assert (journaled.name, journaled.listing(BATCH)) == (JOURNALED, None)


def test_keys_are_sent_and_not_shown() -> None:
    """The key stands in requests, and in no repr."""
    assert (b"Bearer the-key\r\n" in OURS.single(SINGLE).request, "the-key" in repr(OURS)) == (True, False)


def test_cerbos_is_told_ties_once_for_a_batch() -> None:
    """They are the subject's; each document brings its mask."""
    body = body_of(CERBOS.batch(BATCH))
    assert (
        body["subject"]["properties"]["dossier"]["treating_physicians"],
        [item["resource"]["properties"] for item in body["evaluations"]],
    ) == ([PHYSICIAN.id], [{"masked": False}, {"masked": True}])


def test_what_an_organization_is_comes_along() -> None:
    """Where the caller brings the facts, that is one."""
    assert (
        body_of(CERBOS.single(FROM_AN_INSURER))["subject"]["properties"]["kind"],
        body_of(HANDED.single(FROM_AN_INSURER))["input"]["subject"]["kind"],
    ) == ("complementary_insurer", "complementary_insurer")


def test_the_record_of_opa_is_what_questions_name() -> None:
    """A document leads to its dossier, a dossier to its documents and ties."""
    record = record_of(Sample([DOSSIER], []))
    assert (
        record["documents"][FIRST],
        record["contents"][NUMBER][0],
        record["dossiers"][NUMBER]["treating_physicians"],
    ) == ({"dossier": NUMBER, "masked": False}, FIRST, [PHYSICIAN.id])


def test_tuples_say_all_that_the_model_asks() -> None:
    """Who treats, who cares and with whose consent, what is where and what is masked."""
    found = {(each["user"], each["relation"], each["object"]) for each in tuples_of(DOSSIER)}
    wanted = {
        (f"professional:{PHYSICIAN.id}", "treating_physician", f"dossier:{NUMBER}"),
        (f"professional:{DOSSIER.nurses[0]}", "care_team", f"dossier:{NUMBER}"),
        (f"dossier:{NUMBER}", "dossier", f"document:{FIRST}"),
    }
    masked = {("professional:*", "masked", f"document:{each.id}") for each in DOSSIER.documents if each.masked}
    consent = {("professional:*", "care_team_consent", f"dossier:{NUMBER}")} if DOSSIER.consents else set()
    assert wanted | masked | consent <= found


def test_checks_of_a_batch_are_told_apart_by_number() -> None:
    """So that answers in any order find theirs."""
    checks = body_of(FGA.batch(BATCH))["checks"]
    assert [(check["correlation_id"], check["tuple_key"]["object"]) for check in checks] == [
        ("0", f"document:{FIRST}"),
        ("1", f"document:{SECOND}"),
    ]


@pytest.mark.parametrize(
    "built, version",
    [(b"\x00mod\tgithub.com/openfga/openfga\tv1.22.1\th1:", "1.22.1"), (b"\x00" * 8, "dev")],
    ids=["go install", "by hand"],
)
def test_openfga_tells_its_version_by_what_it_was_built_from(tmp_path: Path, built: bytes, version: str) -> None:
    """Built by `go install` it calls itself `dev`."""
    program = tmp_path / "openfga"
    program.write_bytes(os.urandom(100) + built)
    assert version_of(program) == version
