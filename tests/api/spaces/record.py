"""A dossier of its own for each test, in a service that they share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx

from tests.api.service import bearer
from tests.api.whole import KEY, NURSE, PHYSICIAN, Json, Whole
from tests.journeys.people import new_ins

STRANGER_RPPS = "10001234581"
HOSPITAL, LABORATORY = "organization/750000028", "organization/690000005"
TREATING, GRANTED, STRANGER = (f"professional/{rpps}" for rpps in (PHYSICIAN, NURSE, STRANGER_RPPS))
PEOPLE: tuple[Json, ...] = (
    {"kind": "organization", "id": "690000005", "type": "laboratory", "name": "Laboratory"},
    {"kind": "professional", "rpps": STRANGER_RPPS, "profession": "physician", "organizations": []},
)
GLASS = {"DMP-Mode": "break_glass", "DMP-Reason": "Patient%20inconscient"}
REPORT, ANALYSIS, DIRECTIVES, NOTE = "11488-4", "11502-2", "EXPPAT_3", "DOCPAT02"


@dataclass(frozen=True, slots=True)
class Record:
    """Of somebody who has a treating physician, and has granted a nurse."""

    dmp: Whole
    ins: str
    id: str

    @classmethod
    async def opened(cls, dmp: Whole, born: str = "1960-05-12") -> "Record":
        ins = new_ins()
        await dmp.learn(
            {"kind": "dossier", "ins": ins, "state": "open", "born": born},
            {"kind": "relation", "dossier_ins": ins, "professional": PHYSICIAN, "relation": "treating_physician"},
            {"kind": "relation", "dossier_ins": ins, "professional": NURSE, "relation": "granted"},
        )
        return cls(dmp, ins, dmp.id_of(ins))

    @property
    def holder(self) -> str:
        return f"person/{self.id}"

    async def represented(self, kind: str) -> str:
        """Somebody else, who represents or helps the holder."""
        other = new_ins()
        await self.dmp.learn(
            {"kind": "representation", "dossier_ins": self.ins, "person_ins": other, "as": kind, "until": None}
        )
        return f"person/{self.dmp.id_of(other)}"

    async def ask(
        self, method: str, path: str, who: str, body: object = None, more: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = bearer(KEY) | {"DMP-Subject": who, "DMP-Authentication": "cps"} | dict(more or {})
        given = {} if body is None else {"json": body}
        return await self.dmp.http.request(method, path, headers=headers, **given)  # type: ignore[arg-type]  # a body

    async def told(
        self, method: str, path: str, who: str, body: object = None, more: Mapping[str, str] | None = None
    ) -> Json:
        """What a request that succeeds answers."""
        answer = await self.ask(method, path, who, body, more)
        assert answer.is_success, answer.text
        says: Json = answer.json() if answer.content else {}
        return says

    def path(self, tail: str = "") -> str:
        return f"/v1/dossiers/{self.id}{tail}"

    async def deposit(self, who: str = TREATING, **metadata: object) -> str:
        """The id of a document that was just deposited."""
        told = {
            "document_type": REPORT,
            "title": "Compte rendu",
            "content_type": "text/plain",
            "created_at": "2026-10-01T08:00:00Z",
        } | metadata
        parts: Mapping[str, tuple[str, bytes | str, str]] = {
            "metadata": ("metadata", json.dumps(told), "application/json"),
            "content": ("content", b"content", "application/octet-stream"),
        }
        headers = bearer(KEY) | {"DMP-Subject": who, "DMP-Authentication": "cps"}
        answer = await self.dmp.http.post(self.path("/documents"), files=parts, headers=headers)
        assert answer.status_code == 201, answer.text
        identity: str = answer.json()["id"]
        return identity

    async def sheet(self, document: str, who: str, more: Mapping[str, str] | None = None) -> Json:
        return await self.told("GET", f"/v1/documents/{document}", who, more=more)

    async def versions(self, document: str, who: str, more: Mapping[str, str] | None = None) -> list[Json]:
        shown: list[Json] = (await self.told("GET", f"/v1/documents/{document}/versions", who, more=more))["versions"]
        return shown

    async def listed(self, who: str, query: str = "") -> list[str]:
        page = await self.told("GET", self.path(f"/documents{query}"), who)
        return [each["id"] for each in page["documents"]]

    async def found(self, who: str, title: str, **narrowing: object) -> list[str]:
        page = await self.told("POST", self.path("/documents/search"), who, {"title": title} | narrowing)
        return [each["id"] for each in page["documents"]]

    async def journal(self) -> list[Json]:
        """As the holder reads it, newest first, without this very reading."""
        entries: list[Json] = (await self.told("GET", self.path("/journal?limit=1000"), self.holder))["entries"]
        return entries[1:]

    async def notices(self) -> list[tuple[str, UUID | None]]:
        """What waits to be told of this dossier because of a change, and of which document."""
        rows = await self.dmp.database.read(
            "SELECT obligation, document FROM notification WHERE dossier = $1::uuid AND document IS NOT NULL "
            "ORDER BY sequence",
            UUID(self.id),
        )
        return [(what, document) for what, document in rows]


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal and the rule that it names."""
    return answer.status_code, answer.json()["reason"]
