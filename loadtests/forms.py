"""Bodies of deposits, as software would put them together."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PDF = b"%PDF-"
_BOUNDARY = "dmp-loadtest-8c1f6a0e5b7d4e92"
CONTENT_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True, slots=True)
class Deposit:
    """A document to be deposited; `dossier` says whose, where the address does not."""

    document_type: str
    content: bytes
    dossier: str | None = None

    def metadata(self) -> Mapping[str, str]:
        told = {
            "document_type": self.document_type,
            "title": "Compte rendu",
            "content_type": "application/pdf",
            "created_at": "2026-10-01T08:00:00Z",
        }
        return told if self.dossier is None else told | {"dossier": self.dossier}


def form(deposits: Iterable[Deposit]) -> bytes:
    """The parts `metadata` and `content` of each, one after the other."""
    line = b"--" + _BOUNDARY.encode()
    parts = (part for deposit in deposits for part in _parts(deposit))
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _parts(deposit: Deposit) -> tuple[bytes, bytes]:
    metadata = json.dumps(deposit.metadata()).encode()
    return (
        b'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n' + metadata,
        b'Content-Disposition: form-data; name="content"; filename="content"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + deposit.content,
    )
