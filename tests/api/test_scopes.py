"""Every endpoint needs its scope, whoever the subject is."""

import pytest

from tests.api.service import bearer
from tests.api.whole import DECIDING_KEY, Whole


@pytest.fixture
def dialect() -> str:
    """The embedded database: a scope is looked at before anything else."""
    return "sqlite"


@pytest.mark.parametrize(
    "method, path, scope",
    [
        ("POST", "/v1/dossiers/{dossier}/exports", "documents"),
        ("GET", "/v1/dossiers/{dossier}/exports/anything", "documents"),
        ("GET", "/v1/dossiers/{dossier}/documents", "documents"),
        ("POST", "/v1/dossiers/{dossier}/documents/search", "documents"),
        ("POST", "/v1/dossiers/{dossier}/documents", "documents"),
        ("POST", "/v1/documents", "documents"),
        ("GET", "/v1/documents/{dossier}/versions", "documents"),
        ("POST", "/v1/documents/{dossier}/contest", "documents"),
        ("PUT", "/v1/documents/{dossier}/contest", "documents"),
        ("GET", "/v1/dossiers/{dossier}/treatments", "documents"),
        ("GET", "/v1/dossiers/{dossier}/reminders", "documents"),
        ("POST", "/v1/feeds/reimbursements", "feeds"),
        ("POST", "/v1/feeds/treating-physicians", "feeds"),
        ("GET", "/v1/statistics", "operate"),
    ],
)
async def test_without_its_scope_an_endpoint_is_closed(dmp: Whole, method: str, path: str, scope: str) -> None:
    """The problem names the scope; without a key it asks for one."""
    address = path.format(dossier=dmp.id_of())
    refused = await dmp.http.request(method, address, headers=bearer(DECIDING_KEY))
    unknown = await dmp.http.request(method, address, headers=bearer("dmp_nobody"))
    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert refused.json()["detail"] == f"This client lacks the scope {scope}."
