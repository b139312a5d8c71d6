"""The object store of a stack, from behind: what an intruder or a failing disk reaches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import urllib3
from minio import Minio

from tests.journeys.processes import Stack


class Objects(Protocol):
    """Every object by its name."""

    def names(self) -> set[str]: ...

    def read(self, name: str) -> bytes: ...

    def write(self, name: str, data: bytes) -> None: ...

    def remove(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Files:
    folder: Path

    def names(self) -> set[str]:
        return {path.name for path in self.folder.glob("*/*")}

    def read(self, name: str) -> bytes:
        return self._path(name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        self._path(name).chmod(0o600)
        self._path(name).write_bytes(data)

    def remove(self, name: str) -> None:
        self._path(name).unlink()

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


@dataclass(frozen=True, slots=True)
class _Bucket:
    client: Any
    bucket: str

    def names(self) -> set[str]:
        listed = self.client.list_objects(self.bucket, prefix="documents/", recursive=True)
        return {str(each.object_name).removeprefix("documents/") for each in listed}

    def read(self, name: str) -> bytes:
        answer = self.client.get_object(self.bucket, f"documents/{name}")
        try:
            data: bytes = answer.read()
            return data
        finally:
            answer.close()
            answer.release_conn()

    def write(self, name: str, data: bytes) -> None:
        self.client.put_object(self.bucket, f"documents/{name}", BytesIO(data), len(data))

    def remove(self, name: str) -> None:
        self.client.remove_object(self.bucket, f"documents/{name}")


@contextmanager
def objects_of(stack: Stack) -> Iterator[Objects]:
    """The store that the stack's settings name."""
    url = urlsplit(stack.settings.vault_url)
    if url.scheme == "file":
        yield _Files(Path(url.path) / "documents")
        return
    with urllib3.PoolManager() as pool:
        endpoint = f"{url.hostname}:{url.port}"
        client = Minio(endpoint, url.username, url.password, secure=False, http_client=pool)
        yield _Bucket(client, url.path.strip("/"))
