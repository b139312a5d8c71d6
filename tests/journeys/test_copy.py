"""A person takes the record away: over a connection that breaks, onto a machine that knows nothing of the service."""

import io
import subprocess
import zipfile
from pathlib import Path

from tests.journeys.people import HOSPITAL
from tests.journeys.processes import COMMAND
from tests.journeys.service import Record

LARGE = b"%PDF-1.7\n" + bytes(3 * 1024 * 1024)


def begin(record: Record, path: str, enough: int) -> tuple[bytes, str]:
    """What came before the connection broke, and the ETag that came with it."""
    with record.service.http.stream("GET", path, headers=record.holder.headers()) as answer:
        answer.raise_for_status()
        got = b""
        for piece in answer.iter_raw(65_536):
            got += piece
            if len(got) >= enough:
                break
    return got, answer.headers["etag"]


def test_a_copy_is_fetched_in_two_parts_and_verified_elsewhere(record: Record, tmp_path: Path) -> None:
    """The second part goes on where the first one ended, though the record lived on; `dmp` finds the copy whole."""
    record.deposited(HOSPITAL, LARGE, title="Imagerie du genou", content_type="application/pdf")
    record.deposited(HOSPITAL, "œ".encode(), title="Bilan")
    path = record.path(f"/exports/{record.ask('POST', '/exports', record.holder).raise_for_status().json()['id']}")
    first, etag = begin(record, path, 1_000_000)
    record.trace()
    headers = record.holder.headers() | {"Range": f"bytes={len(first)}-", "If-Range": etag}
    rest = record.service.http.get(path, headers=headers)
    assert (rest.status_code, rest.headers["etag"]) == (206, etag)
    archive = zipfile.ZipFile(io.BytesIO(first + rest.content))
    assert archive.testzip() is None
    archive.extractall(tmp_path)
    assert (tmp_path / "documents/reports/Imagerie du genou.pdf").read_bytes() == LARGE
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    sums = subprocess.run(check, cwd=tmp_path, capture_output=True, check=False)  # noqa: S603  # wherever it is
    assert (sums.returncode, sums.stdout) == (0, b"")
    key = (tmp_path / "log-key.txt").read_text().strip()
    verified = subprocess.run(  # noqa: S603  # our own command line
        [*COMMAND, "journal", "verify", "--copy", str(tmp_path), "--key", key],
        env={"DMP_HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "none is missing" in verified.stdout
