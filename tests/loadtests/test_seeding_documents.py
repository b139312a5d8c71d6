"""Contents are deposited through the service, in the sizes that the profile tells."""

from collections import Counter
from statistics import mean, quantiles

import httpx
import pytest
from click.testing import CliRunner

from loadtests.cli import main
from loadtests.population import HOSPITAL
from loadtests.profile import CONTENTS
from loadtests.seeding_documents import content_of, size_of


def test_sizes_are_those_of_the_profile() -> None:
    """Median and 99th percentile as the profile tells them, within a tenth and a fifth."""
    sizes = [size_of(1, which) for which in range(20_000)]
    cuts = quantiles(sizes, n=100)
    assert abs(cuts[49] / CONTENTS["median"].value - 1) < 0.1
    assert abs(cuts[98] / 1_850_000 - 1) < 0.2
    assert abs(mean(sizes) / 210_000 - 1) < 0.2


def test_the_content_of_a_number_is_always_the_same() -> None:
    """A deposit that is made again is the same deposit."""
    assert content_of(1, 7) == content_of(1, 7)
    assert len(content_of(1, 7)) == size_of(1, 7)


@pytest.fixture
def deposited(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The idempotency keys with which a service was asked that takes everything; it fails on no other request."""
    keys: Counter[str] = Counter()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/identities":
            return httpx.Response(200, json={"person": "6f1c4f0e-3f5b-4b53-9d5e-1df1c2f2a7a1"})
        assert request.headers["DMP-Subject"] == f"organization/{HOSPITAL}"
        keys[request.headers["Idempotency-Key"]] += 1
        return httpx.Response(201, json={})

    client = httpx.AsyncClient
    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(httpx, "AsyncClient", lambda **settings: client(transport=transport, **settings))
    return keys


def test_each_is_deposited_once(deposited: Counter[str]) -> None:
    """Under a key of its own, whatever is under way at once."""
    arguments = ["seed-documents", "--documents", "20", "--dossiers", "50", "--key", "k", "--at-once", "3"]
    outcome = CliRunner().invoke(main, arguments)
    assert (outcome.exit_code, deposited) == (0, Counter({f"seed-1-{which}": 1 for which in range(20)}))
