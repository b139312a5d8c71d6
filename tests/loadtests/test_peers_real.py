"""The peers themselves, where the environment names their programs: DMP_PEER_OPA, DMP_PEER_CERBOS, DMP_PEER_OPENFGA."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from loadtests.peers.command import Shown, compared
from loadtests.peers.comparing import Terms
from loadtests.peers.ours import DRY_RUN, JOURNALED
from tests.conftest import NOT_RUN
from tests.servers.postgresql import PostgresqlServer

TERMS = Terms(0.2, 100.0, 0.1, questions=140, right_seconds=0.2, give_up_seconds=0.5)
NAMES = ("OPA", "CERBOS", "OPENFGA")


@pytest.fixture
def programs(pytestconfig: pytest.Config) -> Mapping[str, Path]:
    """Those that are named; the run says in one loud line which are not."""
    found = {name: Path(os.environ[f"DMP_PEER_{name}"]) for name in NAMES if os.environ.get(f"DMP_PEER_{name}")}
    missing = ", ".join(f"DMP_PEER_{name}" for name in NAMES if name not in found)
    if missing:
        reason = f"no peer answered our questions: {missing} would name its program"
        pytestconfig.stash[NOT_RUN].append(reason)
        if not found:
            pytest.skip(reason)
    return found


def test_they_answer_as_ours_does(programs: Mapping[str, Path], postgresql_server: PostgresqlServer) -> None:
    """Each question of each kind, batches and listings, and refused once a block has reached them."""
    shown = Shown(
        dmp=Path(sys.executable).with_name("dmp"),
        opa=programs.get("OPA"),
        cerbos=programs.get("CERBOS"),
        openfga=programs.get("OPENFGA"),
        postgres=postgresql_server.url(),
        seeded=False,
        dossiers=300,
        seed=7,
        loaded=300,
        seconds=TERMS.seconds,
        rate=TERMS.rate,
    )
    outcomes, failures = compared(shown, TERMS, print)
    wrong = {
        outcome.name: sum(revoked.wrong for revoked in outcome.revoked[-1:])
        for outcome in outcomes
        if "cache" not in outcome.name
    }
    assert (failures, wrong.keys() >= {DRY_RUN, JOURNALED}, set(wrong.values())) == ([], True, {0})
